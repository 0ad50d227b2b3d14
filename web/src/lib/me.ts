import { queryOptions, useQuery } from '@tanstack/react-query'
import type { Me } from '@/api/types'
import { apiPath, getJson } from './http'
import { keys } from './keys'

export const meQuery = queryOptions({
  queryKey: keys.me,
  queryFn: ({ signal }) => getJson<Me>(apiPath(['_apis', 'slipway', 'me']), signal),
  staleTime: 5 * 60_000,
})

/** Whether what only administrators may change is offered. The server decides; this keeps buttons away that would only be refused. */
export const useIsAdmin = (): boolean => useQuery(meQuery).data?.isAdmin ?? false
