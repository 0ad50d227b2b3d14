import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query'
import type { CheckConfiguration, Environment, HistoryEntry, ListOf, Matrix, MatrixEnvironment } from '@/api/types'
import { apiPath, getJson, sendJson } from '@/lib/http'
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

const version = { 'api-version': '7.1' }
const environmentPath = (project: string, ...rest: (string | number)[]) => apiPath([project, '_apis', 'pipelines', 'environments', ...rest], version)
const checkPath = (project: string, id?: number) => apiPath([project, '_apis', 'pipelines', 'checks', 'configurations', ...(id === undefined ? [] : [id])], { 'api-version': '7.1-preview.1' })

export const environmentQuery = (project: string, id: number) => queryOptions({
  queryKey: [...keys.matrix(project), 'environment', id],
  queryFn: ({ signal }) => getJson<Environment>(environmentPath(project, id), signal),
})

export const saveEnvironment = (project: string, id: number | undefined) => (body: { name: string; description: string }) =>
  sendJson<Environment>(id === undefined ? 'POST' : 'PATCH', environmentPath(project, ...(id === undefined ? [] : [id])), body)
/** The matrix shows its columns in this order; only what stands elsewhere now is sent. */
export const saveOrder = (project: string) => async (order: Pick<MatrixEnvironment, 'id' | 'ordinal'>[]) => {
  for (const [at, { id, ordinal }] of order.entries()) if (ordinal !== at + 1) await sendJson<Environment>('PATCH', environmentPath(project, id), { ordinal: at + 1 })
}
export const removeEnvironment = (project: string, id: number) => () => sendJson('DELETE', environmentPath(project, id))

export const saveCheck = (project: string, id: number | undefined) => (body: unknown) => sendJson<CheckConfiguration>(id === undefined ? 'POST' : 'PATCH', checkPath(project, id), body)
export const removeCheck = (project: string, id: number) => () => sendJson('DELETE', checkPath(project, id))

/** The two kinds of places that deployments go to, as the server's addresses name them. */
export type ResourceKind = 'kubernetes' | 'dockerhosts'
export const addResource = (project: string, environmentId: number) => ({ kind, ...body }: { kind: ResourceKind; name: string; namespace?: string; clusterName?: string; serviceEndpointId?: string }) =>
  sendJson('POST', environmentPath(project, environmentId, 'providers', kind), body)
export const removeResource = (project: string, environmentId: number, kind: ResourceKind, id: number) => () => sendJson('DELETE', environmentPath(project, environmentId, 'providers', kind, id))
