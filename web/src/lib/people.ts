import { queryOptions } from '@tanstack/react-query'
import type { ListOf, Me } from '@/api/types'
import { apiPath, getJson } from './http'
import { keys } from './keys'

/** Everybody whom the server knows. */
export const peopleQuery = queryOptions({
  queryKey: keys.people,
  queryFn: ({ signal }) => getJson<ListOf<Me>>(apiPath(['_apis', 'slipway', 'identities']), signal),
  staleTime: 60_000,
})
