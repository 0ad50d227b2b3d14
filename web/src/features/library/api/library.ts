import { queryOptions } from '@tanstack/react-query'
import type { ListOf, SecureFile, ServiceEndpoint, VariableGroup } from '@/api/types'
import { apiPath, getJson, sendJson } from '@/lib/http'
import { keys } from '@/lib/keys'

const version = { 'api-version': '7.1' }
const groupsPath = (project: string, id?: number) => apiPath([project, '_apis', 'distributedtask', 'variablegroups', ...(id === undefined ? [] : [id])], version)
const endpointsPath = (project: string, id?: string) => apiPath([project, '_apis', 'serviceendpoint', 'endpoints', ...(id === undefined ? [] : [id])], version)

const secureFilesPath = (project: string, id?: string, name?: string) => apiPath([project, '_apis', 'distributedtask', 'securefiles', ...(id === undefined ? [] : [id])], { 'api-version': '7.1-preview.1', name })

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

export const secureFilesQuery = (project: string) => queryOptions({
  queryKey: [...keys.configuration(project), 'secure files'],
  queryFn: ({ signal }) => getJson<ListOf<SecureFile>>(secureFilesPath(project), signal),
})

/** Creates, or replaces the one with that id. */
export const saveGroup = (project: string, id: number | undefined) => (body: unknown) => sendJson<VariableGroup>(id === undefined ? 'POST' : 'PUT', groupsPath(project, id), body)
export const removeGroup = (project: string, id: number) => () => sendJson('DELETE', groupsPath(project, id))
export const saveEndpoint = (project: string, id: string | undefined) => (body: unknown) => sendJson<ServiceEndpoint>(id === undefined ? 'POST' : 'PUT', endpointsPath(project, id), body)
export const removeEndpoint = (project: string, id: string) => () => sendJson('DELETE', endpointsPath(project, id))
export const addSecureFile = (project: string) => ({ name, content }: { name: string; content: Blob }) => sendJson<SecureFile>('POST', secureFilesPath(project, undefined, name), content)
export const removeSecureFile = (project: string, id: string) => () => sendJson('DELETE', secureFilesPath(project, id))
