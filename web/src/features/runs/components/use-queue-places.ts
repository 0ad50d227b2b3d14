import { useQueries } from '@tanstack/react-query'
import type { RunSummary } from '@/api/types'
import { useProject } from '@/lib/project'
import { stateOfRun } from '@/lib/state'
import { explainQuery, queueInterval } from '../api/runs'
import { queuePlace } from '../model/queue-place'

/** Runs that are asked at most: one request each. */
const mostRuns = 10

/** Where the first queued runs of a list stand in the queues of their pools, by run. */
export function useQueuePlaces(runs: RunSummary[]): ReadonlyMap<number, string> {
  const project = useProject()
  const queued = runs.filter((run) => stateOfRun(run) === 'queued').slice(0, mostRuns)
  const explanations = useQueries({ queries: queued.map((run) => ({ ...explainQuery(project, run.id), refetchInterval: queueInterval })) })
  return new Map(queued.flatMap((run, at): [number, string][] => {
    const place = queuePlace(explanations[at]?.data?.waiting ?? [])
    return place === undefined ? [] : [[run.id, place]]
  }))
}
