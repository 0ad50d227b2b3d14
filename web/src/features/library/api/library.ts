import { queryOptions } from '@tanstack/react-query'
import type { ListOf, ServiceEndpoint, VariableGroup } from '@/api/types'
import { apiPath, getJson } from '@/lib/http'
import { keys } from '@/lib/keys'

export const groupsQuery = (project: string) => queryOptions({
  queryKey: [...keys.configuration(project), 'groups'],
  queryFn: ({ signal }) => getJson<ListOf<VariableGroup>>(apiPath([project, '_apis', 'distributedtask', 'variablegroups'], { 'api-version': '7.1' }), signal),
})

export const endpointsQuery = (project: string) => queryOptions({
  queryKey: [...keys.configuration(project), 'endpoints'],
  queryFn: ({ signal }) => getJson<ListOf<ServiceEndpoint>>(apiPath([project, '_apis', 'serviceendpoint', 'endpoints'], { 'api-version': '7.1' }), signal),
})
