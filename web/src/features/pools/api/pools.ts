import { queryOptions } from '@tanstack/react-query'
import type { Agent, IssuedToken, ListOf, Pool } from '@/api/types'
import { apiPath, getJson, sendJson } from '@/lib/http'
import { keys } from '@/lib/keys'

export const poolsQuery = queryOptions({
  queryKey: keys.pools,
  queryFn: ({ signal }) => getJson<ListOf<Pool>>(apiPath(['_apis', 'distributedtask', 'pools'], { 'api-version': '7.1' }), signal),
})

export const agentsQuery = (poolId: number) => queryOptions({
  queryKey: [...keys.pools, poolId],
  queryFn: ({ signal }) => getJson<ListOf<Agent>>(
    apiPath(['_apis', 'distributedtask', 'pools', poolId, 'agents'], { includeCapabilities: true, includeAssignedRequest: true, 'api-version': '7.1' }), signal),
})

const pools = (...rest: (string | number)[]) => apiPath(['_apis', 'distributedtask', 'pools', ...rest], { 'api-version': '7.1' })
export const savePool = (id: number | undefined) => (body: { name: string; maxParallelism: number | null }) => sendJson<Pool>(id === undefined ? 'POST' : 'PATCH', pools(...(id === undefined ? [] : [id])), body)
export const removePool = (id: number) => () => sendJson('DELETE', pools(id))
export const registrationToken = (id: number) => () => sendJson<IssuedToken>('POST', apiPath(['_apis', 'slipway', 'pools', id, 'registrationtokens']), { expiresInMinutes: 60 })
/** A worker that is not enabled ends what it has and gets nothing new. */
export const enableWorker = (pool: number) => ({ id, enabled }: { id: number; enabled: boolean }) => sendJson('PATCH', pools(pool, 'agents', id), { id, enabled })
export const removeWorker = (pool: number, id: number) => () => sendJson('DELETE', pools(pool, 'agents', id))
