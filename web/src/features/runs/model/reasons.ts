import type { Explanation, JobExplanation, WaitingReason } from '@/api/types'
import { asSentence } from '@/lib/format'
import { stageKey, type Selection } from './records'

/** A sentence of the server, and the runs that it speaks of. */
export interface Reason {
  text: string
  runs: { runId: number; runNumber: string; pipeline: string }[]
  kind?: WaitingReason['kind']
}

/** What the page of an idle run says above everything. An approval has a card of its own there. */
export const isInPanel = (kind: WaitingReason['kind']): boolean => kind !== 'approval' && kind !== 'dependency'

const ofJob = (one: WaitingReason, { job }: Selection): boolean =>
  one.job === undefined || job === undefined || one.job === job.record.name || one.job === job.record.refName || one.job === job.record.identifier

/** The selected job as the scheduler knows it, while it has not succeeded. */
export const jobOf = (explanation: Explanation | undefined, { job }: Selection): JobExplanation | undefined =>
  job === undefined ? undefined : (explanation?.jobs ?? []).find((one) => one.id === job.record.id || (job.record.identifier !== undefined && one.identifier === job.record.identifier))

/** A reason why something waits, in words; with the name of its stage where jobs of several stages wait. */
export const reasonOf = (one: WaitingReason, stage?: string): Reason => ({ kind: one.kind, text: asSentence(stage === undefined ? one.sentence : `${stage}: ${one.sentence}`), runs: one.heldBy === undefined ? one.limit?.runs.slice(0, mostRuns) ?? [] : [one.heldBy] })

/** Runs of a limit that a reason leads to; its sentence names the others. */
const mostRuns = 3

/**
 * Why the selected stage and job are where they are; the same sentence once. What a job says of itself is left out where the
 * reason for its waiting says more.
 */
export function reasonsOf(explanation: Explanation | undefined, selection: Selection, skipped: string | undefined): Reason[] {
  const stage = stageKey(selection.stage.record)
  const waiting = (explanation?.waiting ?? []).filter((one) => one.stage === stage && ofJob(one, selection))
  const job = jobOf(explanation, selection)
  const explained = waiting.some((one) => one.job !== undefined)
  const all = [
    ...(skipped === undefined ? [] : [{ text: asSentence(skipped), runs: [] }]), ...waiting.map((one) => reasonOf(one)),
    ...(job === undefined || job.state === 'running' || (job.state === 'queued' && explained) ? [] : [{ text: asSentence(job.sentence), runs: [] }]),
  ]
  return [...new Map(all.map((one) => [one.text, one])).values()].slice(0, 4)
}
