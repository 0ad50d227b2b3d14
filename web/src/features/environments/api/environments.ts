import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query'
import type { CheckConfiguration, HistoryEntry, ListOf, Matrix } from '@/api/types'
import { apiPath, getJson } from '@/lib/http'
import { keys } from '@/lib/keys'

/** What is where, now or at a moment in the past (ISO time). */
export const matrixQuery = (project: string, at?: string) => queryOptions({
  queryKey: [...keys.matrix(project), at ?? 'now'],
  queryFn: ({ signal }) => getJson<Matrix>(apiPath([project, '_apis', 'slipway', 'matrix'], { at }), signal),
})

export interface HistoryFilter {
  service?: string
  environmentId?: number
  resourceId?: number
}

export const historyQuery = (project: string, filter: HistoryFilter, top = 25) => infiniteQueryOptions({
  queryKey: [...keys.history(project), filter],
  queryFn: ({ pageParam, signal }) =>
    getJson<ListOf<HistoryEntry>>(apiPath([project, '_apis', 'slipway', 'history'], { ...filter, top, continuationToken: pageParam }), signal),
  initialPageParam: undefined as string | undefined,
  getNextPageParam: (last) => last.continuationToken,
})

export const checksQuery = (project: string, environmentId: number) => queryOptions({
  queryKey: [...keys.checks(project), environmentId],
  queryFn: ({ signal }) => getJson<ListOf<CheckConfiguration>>(
    apiPath([project, '_apis', 'pipelines', 'checks', 'configurations'], { resourceType: 'environment', resourceId: environmentId, $expand: 'settings', 'api-version': '7.1-preview.1' }), signal),
})
