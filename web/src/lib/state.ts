import type { RunResult, RunStatus, StageState, StageSummary, TaskResult, TimelineRecord } from '@/api/types'

/** The one vocabulary of states, used by lists, graph, matrix, favicon and badges alike. */
export const states = {
  pending: { word: 'Not started', role: 'faint' },
  queued: { word: 'Queued', role: 'neutral' },
  waiting: { word: 'Waiting', role: 'amber' },
  running: { word: 'Running', role: 'blue' },
  succeeded: { word: 'Succeeded', role: 'green' },
  issues: { word: 'With issues', role: 'amber' },
  failed: { word: 'Failed', role: 'red' },
  canceled: { word: 'Canceled', role: 'neutral' },
  skipped: { word: 'Skipped', role: 'faint' },
  drifted: { word: 'Drifted', role: 'violet' },
  unknown: { word: 'Unknown', role: 'neutral' },
} as const

export type State = keyof typeof states

const fromTaskResult: Record<TaskResult, State> = {
  succeeded: 'succeeded', succeededWithIssues: 'issues', failed: 'failed',
  canceled: 'canceled', skipped: 'skipped', abandoned: 'unknown',
}

export const stateOfResult = (result: TaskResult | null | undefined): State =>
  result === null || result === undefined ? 'unknown' : fromTaskResult[result]

/** State of a run. One that is in progress but only waits for a person, a check or a worker does not run. */
export function stateOfRun(run: { status: RunStatus; result?: RunResult; stages?: StageSummary[] }): State {
  if (run.status === 'completed') {
    switch (run.result) {
      case 'succeeded': return 'succeeded'
      case 'partiallySucceeded': return 'issues'
      case 'failed': return 'failed'
      case 'canceled': return 'canceled'
      default: return 'unknown'
    }
  }
  if (run.status === 'notStarted') return 'queued'
  const some = (state: StageState) => (run.stages ?? []).some((stage) => stage.state === state)
  if (some('inProgress')) return 'running'
  return some('waiting') ? 'waiting' : some('queued') ? 'queued' : 'running'
}

export function stateOfStage(stage: { state: StageState; result?: TaskResult }): State {
  switch (stage.state) {
    case 'pending': return 'pending'
    case 'queued': return 'queued'
    case 'waiting': return 'waiting'
    case 'inProgress': return 'running'
    case 'completed': return stateOfResult(stage.result)
  }
}

export function stateOfRecord(record: Pick<TimelineRecord, 'state' | 'result' | 'type'>): State {
  if (record.state === 'completed') return stateOfResult(record.result)
  if (record.type.startsWith('Checkpoint')) return 'waiting'
  if (record.state === 'inProgress') return 'running'
  // A job has a record of its own from the moment it waits for a worker; what else has not begun waits for what is before it.
  return record.type === 'Job' ? 'queued' : 'pending'
}

/** A deployment record has no state of its own: its times and result say it. */
export function stateOfDeployment(entry: { startedAt?: string; finishedAt?: string; result?: TaskResult }): State {
  if (entry.finishedAt !== undefined || entry.result !== undefined) return stateOfResult(entry.result)
  return entry.startedAt === undefined ? 'queued' : 'running'
}
