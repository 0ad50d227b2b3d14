import { queryOptions } from '@tanstack/react-query'
import type { Agent, ListOf, Pool } from '@/api/types'
import { apiPath, getJson } from '@/lib/http'
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
