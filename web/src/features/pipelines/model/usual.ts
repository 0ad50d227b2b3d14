import type { RunSummary } from '@/api/types'
import { elapsed } from '@/lib/format'

/** The median duration of what finished well, in milliseconds. */
export function usualDuration(runs: RunSummary[]): number | undefined {
  const times = runs.filter((run) => run.result === 'succeeded').map((run) => elapsed(run.startedAt, run.finishedAt, 0) ?? 0).sort((a, b) => a - b)
  return times[Math.floor(times.length / 2)]
}
