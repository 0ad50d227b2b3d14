import { describe, expect, it } from 'vitest'
import type { RunDetail } from '@/api/types'
import { detail, failedRun, queuedRun, runningRun, waitingRun } from '@/testing/scenario'
import { stateOfRun } from '@/lib/state'
import { buildTree } from './records'
import { runSentence, summarySentence } from './sentence'

const said = (run: RunDetail) => runSentence(run, buildTree(run.records), Date.parse(run.queuedAt) + 90_000)

describe('the sentence of a run', () => {
  it('names the step that failed', () => expect(said(detail(failedRun))).toMatch(/^Failed in Production › Deploy web › Apply manifests, after \d+m\d\ds\.$/))
  it('names the step that runs', () => expect(said(detail(runningRun))).toBe('Running Build › Image of leaderboard › Build and push.'))
  it('says what has failed while the rest goes on', () => {
    const run = detail(runningRun)
    const job = run.records.find(({ type }) => type === 'Job')
    const failed = (name: string) => ({ ...job!, id: name, name, state: 'completed' as const, result: 'failed' as const, order: 9 })
    expect(said({ ...run, records: [...run.records, failed('Image of web')] })).toBe('Running Build › Image of leaderboard › Build and push; Build › Image of web has failed.')
    expect(said({ ...run, records: [...run.records, failed('A'), failed('B')] })).toMatch(/; 2 jobs have failed\.$/)
  })
  it('names who is asked', () => expect(said(detail(waitingRun))).toBe('Production waits for approval by Ada Moreno or Jun Tanaka.'))
  it('says what came where', () => {
    const run = detail({ ...waitingRun, status: 'completed', result: 'succeeded', finishedAt: new Date(Date.parse(waitingRun.startedAt!) + 24_000).toISOString() })
    expect(said(run)).toMatch(/^Succeeded after 24s; deployed [a-z]+( and [a-z]+)? to dev\.$/)
  })
  it('says who refused, and why', () => {
    const run = detail({ ...waitingRun, status: 'completed', result: 'failed' })
    const approvals = run.approvals.map((one) => ({ ...one, status: 'rejected' as const, steps: [{ displayName: 'Jun Tanaka', status: 'rejected', comment: 'the header is broken' }] }))
    expect(said({ ...run, approvals })).toBe('Jun Tanaka rejected the deployment to production: the header is broken.')
  })
  it('counts the mistakes of a file that cannot run', () => {
    const run = detail({ ...waitingRun, status: 'completed', result: 'failed', stages: [] })
    expect(said({ ...run, records: [], approvals: [], diagnostics: [{ severity: 'error', code: 'x', message: 'y' }] })).toBe('Could not start: the pipeline has 1 error.')
  })
  it('tells waiting for a worker from running', () => {
    expect(said(detail(queuedRun))).toBe('Build waits for a worker.')
    expect(stateOfRun(queuedRun)).toBe('queued')
    expect(stateOfRun(runningRun)).toBe('running')
  })
})

describe('the sentence in a list', () => {
  it.each([
    [{ ...failedRun }, 'Failed in Production'],
    [{ ...failedRun, stages: [{ name: '__default', displayName: '__default', state: 'completed' as const, result: 'failed' as const }] }, 'Failed'],
    [{ ...runningRun }, 'Running Build'],
    [{ ...queuedRun }, 'Build waits for a worker'],
    [{ ...queuedRun, stages: queuedRun.stages.map((one) => ({ ...one, state: 'queued' as const })) }, 'Build and Deploy wait for a worker'],
    [{ ...queuedRun, stages: ['A', 'B', 'C', 'D', 'E', 'F'].map((name) => ({ name, displayName: name, state: 'queued' as const })) }, 'A, B, C and 3 more wait for a worker'],
    [{ ...runningRun, stages: [{ name: 'A', displayName: '\u05e9\u05dc\u05d5\u05dd', state: 'inProgress' as const }, { name: 'B', displayName: 'Build', state: 'inProgress' as const }] }, 'Running \u2066\u05e9\u05dc\u05d5\u05dd\u2069 and Build'],
    [{ ...queuedRun, stages: [{ name: '__default', displayName: '__default', state: 'queued' as const }] }, 'The run waits for a worker'],
    [{ ...waitingRun }, 'Production waits for approval of production'],
    [{ ...waitingRun, stages: waitingRun.stages.map((one) => ({ ...one, waiting: one.waiting === undefined ? undefined : 'waits for approval' })) }, 'Production waits for approval'],
    [{ ...waitingRun, status: 'cancelling' as const }, 'Is being canceled'],
    [{ ...failedRun, stages: [], sentence: 'could not start: the pipeline has errors' }, 'Could not start: the pipeline has errors'],
  ])('%#', (run, text) => expect(summarySentence(run)).toBe(text))
})
