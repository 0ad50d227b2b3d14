import { queryOptions } from '@tanstack/react-query'
import type { ListOf, Me, Project } from '@/api/types'
import { apiPath, getJson } from '@/lib/http'
import { keys } from '@/lib/keys'

export const meQuery = queryOptions({
  queryKey: keys.me,
  queryFn: ({ signal }) => getJson<Me>(apiPath(['_apis', 'slipway', 'me']), signal),
  staleTime: 5 * 60_000,
})

export const projectsQuery = queryOptions({
  queryKey: keys.projects,
  queryFn: ({ signal }) => getJson<ListOf<Project>>(apiPath(['_apis', 'projects']), signal),
  staleTime: 60_000,
})
