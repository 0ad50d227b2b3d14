import { queryOptions } from '@tanstack/react-query'
import type { ListOf, ServiceEndpoint, VariableGroup } from '@/api/types'
import { apiPath, getJson, sendJson } from '@/lib/http'
import { keys } from '@/lib/keys'

const version = { 'api-version': '7.1' }
const groupsPath = (project: string, id?: number) => apiPath([project, '_apis', 'distributedtask', 'variablegroups', ...(id === undefined ? [] : [id])], version)
const endpointsPath = (project: string, id?: string) => apiPath([project, '_apis', 'serviceendpoint', 'endpoints', ...(id === undefined ? [] : [id])], version)

/** What every change of the library makes stale. */
export const libraryKey = keys.configuration

export const groupsQuery = (project: string) => queryOptions({
  queryKey: [...keys.configuration(project), 'groups'],
  queryFn: ({ signal }) => getJson<ListOf<VariableGroup>>(groupsPath(project), signal),
})

export const endpointsQuery = (project: string) => queryOptions({
  queryKey: [...keys.configuration(project), 'endpoints'],
  queryFn: ({ signal }) => getJson<ListOf<ServiceEndpoint>>(endpointsPath(project), signal),
})

/** Creates, or replaces the one with that id. */
export const saveGroup = (project: string, id: number | undefined) => (body: unknown) => sendJson<VariableGroup>(id === undefined ? 'POST' : 'PUT', groupsPath(project, id), body)
export const removeGroup = (project: string, id: number) => () => sendJson('DELETE', groupsPath(project, id))
export const saveEndpoint = (project: string, id: string | undefined) => (body: unknown) => sendJson<ServiceEndpoint>(id === undefined ? 'POST' : 'PUT', endpointsPath(project, id), body)
export const removeEndpoint = (project: string, id: string) => () => sendJson('DELETE', endpointsPath(project, id))
