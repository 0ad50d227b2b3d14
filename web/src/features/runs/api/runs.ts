import { infiniteQueryOptions, queryOptions, useMutation, useQueryClient } from '@tanstack/react-query'
import type { ArtifactFile, Change, Explanation, ListOf, PipelineTest, RunDetail, RunPriority, RunSummary, TestHistoryEntry, TestRun, TimelineRecord } from '@/api/types'
import { countTests, type TestCounts } from '../model/test-counts'
import { apiPath, getBytes, getJson, sendJson } from '@/lib/http'
import { keys } from '@/lib/keys'

export interface RunFilter {
  pipelineId?: number
  branch?: string
  status?: string
}

const runsPath = (project: string, query: Record<string, string | number | undefined>) => apiPath([project, '_apis', 'slipway', 'runs'], query)

/** The newest runs, a page at a time. */
export const runsQuery = (project: string, filter: RunFilter) => infiniteQueryOptions({
  queryKey: [...keys.runs(project), 'list', filter],
  queryFn: ({ pageParam, signal }) => getJson<ListOf<RunSummary>>(runsPath(project, { top: 50, continuationToken: pageParam, ...filter }), signal),
  initialPageParam: undefined as string | undefined,
  getNextPageParam: (last) => last.continuationToken,
})

export const recentRunsQuery = (project: string, filter: RunFilter = {}, top = 10) => queryOptions({
  queryKey: [...keys.runs(project), 'recent', filter, top],
  queryFn: ({ signal }) => getJson<ListOf<RunSummary>>(runsPath(project, { top, ...filter }), signal),
})

export const runQuery = (project: string, id: number) => queryOptions({
  queryKey: keys.run(project, id),
  queryFn: ({ signal }) => getJson<RunDetail>(apiPath([project, '_apis', 'slipway', 'runs', id]), signal),
})

export const explainQuery = (project: string, id: number) => queryOptions({
  queryKey: [...keys.run(project, id), 'explain'],
  queryFn: ({ signal }) => getJson<Explanation>(apiPath([project, '_apis', 'slipway', 'runs', id, 'explain']), signal),
})

/** Runs of this project that move are told by events, those of other projects in the same pool are not: for their sake what waits is asked anew so rarely, in milliseconds. */
export const queueInterval = 30_000

export const testsQuery = (project: string, id: number) => queryOptions({
  queryKey: [...keys.run(project, id), 'tests'],
  queryFn: ({ signal }) => getJson<ListOf<TestRun>>(apiPath([project, '_apis', 'slipway', 'runs', id, 'tests']), signal),
})

/** How many tests a run had, and how many failed, without their results. */
export const testCountsQuery = (project: string, id: number) => queryOptions({
  queryKey: [...keys.run(project, id), 'test counts'],
  queryFn: async ({ signal }) => countTests((await getJson<ListOf<TestCounts>>(apiPath([project, '_apis', 'test', 'runs'], { buildIds: id, 'api-version': '7.1' }), signal)).value),
})

/** Tests over the newest runs of a pipeline, flaky ones first. */
export const pipelineTestsQuery = (project: string, pipeline: number) => queryOptions({
  queryKey: [...keys.runs(project), 'tests of', pipeline],
  queryFn: ({ signal }) => getJson<ListOf<PipelineTest>>(apiPath([project, '_apis', 'slipway', 'pipelines', pipeline, 'tests'], { runs: 50, top: 500 }), signal),
})

/** How one test went in the newest runs of the pipeline, this run first. */
export const testHistoryQuery = (project: string, id: number, name: string, className: string) => queryOptions({
  queryKey: [...keys.run(project, id), 'test history', className, name],
  queryFn: ({ signal }) => getJson<ListOf<TestHistoryEntry>>(apiPath([project, '_apis', 'slipway', 'runs', id, 'tests', 'history'], { name, className }), signal),
})

export const artifactFilesQuery = (project: string, id: number, name: string) => queryOptions({
  queryKey: [...keys.run(project, id), 'files', name],
  queryFn: ({ signal }) => getJson<ListOf<ArtifactFile>>(apiPath([project, '_apis', 'slipway', 'runs', id, 'artifacts', name, 'files']), signal),
})

/** One file as a download. Its folders are segments of the address. */
export const artifactFilePath = (project: string, id: number, name: string, path: string): string =>
  apiPath([project, '_apis', 'slipway', 'runs', id, 'artifacts', name, 'files', ...path.split('/')])

/** The bytes of one file, to be looked at on the page. */
export const artifactContentQuery = (project: string, id: number, name: string, path: string) => queryOptions({
  queryKey: [...keys.run(project, id), 'content', name, path],
  queryFn: ({ signal }) => getBytes(artifactFilePath(project, id, name, path), signal),
  staleTime: Infinity,
})

/** Every attempt of a step, job or stage, oldest first; each has its own log. */
export const attemptsQuery = (project: string, id: number, record: string) => queryOptions({
  queryKey: [...keys.run(project, id), 'attempts', record],
  queryFn: ({ signal }) => getJson<ListOf<TimelineRecord>>(apiPath([project, '_apis', 'slipway', 'runs', id, 'records', record, 'attempts']), signal),
})

export const changesQuery = (project: string, id: number) => queryOptions({
  queryKey: [...keys.run(project, id), 'changes'],
  queryFn: ({ signal }) => getJson<ListOf<Change>>(apiPath([project, '_apis', 'build', 'builds', id, 'changes'], { $top: 100 }), signal),
})

export type RunAction = { kind: 'cancel' } | { kind: 'retryFailed' } | { kind: 'priority'; priority: RunPriority } | { kind: 'retryStage' | 'cancelStage' | 'startStage'; stage: string; all?: boolean }
  | { kind: 'retryJob' | 'cancelJob'; job: string }

/** Cancel and retry wait for the server's answer, then the run is asked for anew. */
export function useRunAction(project: string, id: number) {
  const client = useQueryClient()
  const build = (query = {}) => apiPath([project, '_apis', 'build', 'builds', id], { 'api-version': '7.1', ...query })
  const stage = (name: string) => apiPath([project, '_apis', 'build', 'builds', id, 'stages', name], { 'api-version': '7.1' })
  const job = (name: string) => apiPath([project, '_apis', 'slipway', 'runs', id, 'jobs', name])
  return useMutation({
    mutationFn: (action: RunAction) => {
      switch (action.kind) {
        case 'cancel': return sendJson('PATCH', build(), { status: 'cancelling' })
        case 'priority': return sendJson('PATCH', build(), { priority: action.priority })
        case 'retryFailed': return sendJson('PATCH', build({ retry: true }), {})
        case 'retryStage': return sendJson('PATCH', stage(action.stage), { state: 'retry', forceRetryAllJobs: action.all === true })
        case 'cancelStage': return sendJson('PATCH', stage(action.stage), { state: 'cancel' })
        case 'startStage': return sendJson('PATCH', stage(action.stage), { state: 'run' })
        case 'retryJob': return sendJson('PATCH', job(action.job), { state: 'retry' })
        case 'cancelJob': return sendJson('PATCH', job(action.job), { state: 'cancel' })
      }
    },
    onSettled: () => Promise.all([
      client.invalidateQueries({ queryKey: keys.run(project, id) }), client.invalidateQueries({ queryKey: keys.runs(project) }),
    ]),
  })
}
