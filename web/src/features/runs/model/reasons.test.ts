import { describe, expect, it } from 'vitest'
import type { Explanation, TimelineRecord } from '@/api/types'
import { jobOf, reasonOf, reasonsOf } from './reasons'
import type { Selection } from './records'

const record = (type: TimelineRecord['type'], name: string, identifier: string): TimelineRecord => ({ id: identifier, type, name, identifier, state: 'pending' })
const selection: Selection = {
  stage: { record: record('Stage', 'Check everything', 'Check'), jobs: [] }, job: { record: record('Job', 'Unit tests gcc', 'Check.Unit.gcc'), steps: [] }, step: undefined,
}
const job = (state: 'queued' | 'running' | 'completed', sentence: string) => ({ id: 'other', stage: 'Check', name: 'Unit tests gcc', identifier: 'Check.Unit.gcc', state, sentence })
const explanation = (waiting: Explanation['waiting'], jobs: Explanation['jobs'] = []): Explanation => ({ sentence: '', waiting, jobs })

describe('why a job waits', () => {
  it.each<[string, Explanation | undefined, string | undefined, string[]]>([
    ['nothing is known', undefined, undefined, []],
    ['a reason of the job says more than the job itself', explanation([{ kind: 'worker', stage: 'Check', job: 'Unit tests gcc', sentence: 'no worker has gpu' }], [job('queued', 'waits since noon')]), undefined, ['No worker has gpu.']],
    ['a reason of another job is not its own', explanation([{ kind: 'worker', stage: 'Check', job: 'Lint', sentence: 'no worker has gpu' }], [job('queued', 'waits since noon')]), undefined, ['Waits since noon.']],
    ['a reason of its stage is its own', explanation([{ kind: 'lock', stage: 'Check', sentence: 'waits for the lock' }]), undefined, ['Waits for the lock.']],
    ['another stage has reasons of its own', explanation([{ kind: 'lock', stage: 'Load', sentence: 'waits for the lock' }]), undefined, []],
    ['what runs needs no reason', explanation([], [job('running', 'runs')]), undefined, []],
    ['what failed says so', explanation([], [job('completed', 'job failed')]), undefined, ['Job failed.']],
    ['a skipped stage says why, once', explanation([{ kind: 'dependency', stage: 'Check', sentence: 'Build failed' }]), 'build failed', ['Build failed.']],
  ])('%s', (_, data, skipped, texts) => expect(reasonsOf(data, selection, skipped).map((one) => one.text)).toEqual(texts))

  it('names the run that holds the lock', () => {
    const holder = { runId: 7, runNumber: '20261128.1', pipeline: 'web' }
    expect(reasonsOf(explanation([{ kind: 'lock', stage: 'Check', sentence: 'waits', heldBy: holder }]), selection, undefined)[0]?.runs).toEqual([holder])
  })
  it('says of which stage a job is where that is asked', () => {
    const waiting = { kind: 'worker' as const, stage: 'Check', job: 'J', sentence: "job 'J' waits for a worker" }
    expect(reasonOf(waiting).text).toBe("Job 'J' waits for a worker.")
    expect(reasonOf(waiting, 'Check everything').text).toBe("Check everything: job 'J' waits for a worker.")
  })
  it('finds the job by its identifier', () => expect(jobOf(explanation([], [job('queued', '')]), selection)?.id).toBe('other'))
})
