import { queryOptions } from '@tanstack/react-query'
import type { ListOf, Project } from '@/api/types'
import { apiPath, getJson } from '@/lib/http'
import { keys } from '@/lib/keys'

export const projectsQuery = queryOptions({
  queryKey: keys.projects,
  queryFn: ({ signal }) => getJson<ListOf<Project>>(apiPath(['_apis', 'projects']), signal),
  staleTime: 60_000,
})
