import type { RunSummary } from '@/api/types'
import { stateOfRun } from '@/lib/state'

/** "2 running, 1 queued, 1 waiting": what the runs that have not ended are doing. */
export function activity(runs: Pick<RunSummary, 'status' | 'stages'>[]): string {
  const states = runs.filter((run) => run.status !== 'completed').map(stateOfRun)
  const parts = (['running', 'queued', 'waiting'] as const).map((state) => ({ state, count: states.filter((one) => one === state).length })).filter(({ count }) => count > 0)
  return parts.length === 0 ? 'nothing runs at the moment' : parts.map(({ state, count }) => `${count} ${state}`).join(', ')
}
