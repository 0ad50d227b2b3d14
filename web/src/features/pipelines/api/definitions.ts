import { queryOptions } from '@tanstack/react-query'
import type { BadgeSettings, Definition, GitItem, ListOf, Pipeline, Repository, Validation } from '@/api/types'
import { apiPath, getJson, sendJson } from '@/lib/http'
import { keys } from '@/lib/keys'

const version = { 'api-version': '7.1' }

export const repositoriesQuery = (project: string) => queryOptions({
  queryKey: keys.repositories(project),
  queryFn: ({ signal }) => getJson<ListOf<Repository>>(apiPath([project, '_apis', 'git', 'repositories'], version), signal),
})

export const addRepository = (project: string) => (name: string) => sendJson<Repository>('POST', apiPath([project, '_apis', 'git', 'repositories'], version), { name })

/** Every file of a branch. An empty repository answers 404. */
export const filesQuery = (project: string, repository: string, branch: string) => queryOptions({
  queryKey: [...keys.repositories(project), repository, 'files', branch],
  queryFn: ({ signal }) => getJson<ListOf<GitItem>>(
    apiPath([project, '_apis', 'git', 'repositories', repository, 'items'], { ...version, recursionLevel: 'full', 'versionDescriptor.version': branch === '' ? undefined : branch }), signal),
  retry: false,
})

export interface FileAsked {
  repository: string
  path: string
  branch?: string
}

/** The file with what is wrong in it. Creates nothing. */
export const validationQuery = (project: string, asked: FileAsked) => queryOptions({
  queryKey: [...keys.pipelines(project), 'validation', asked],
  queryFn: () => sendJson<Validation>('POST', apiPath([project, '_apis', 'slipway', 'validate']), asked),
  retry: false,
  staleTime: 0,
})

export const createPipeline = (project: string) => (body: { name: string; folder: string; path: string; repository: string }) => sendJson<Pipeline>('POST', apiPath([project, '_apis', 'pipelines'], version), {
  name: body.name, folder: body.folder, configuration: { type: 'yaml', path: body.path, repository: { id: body.repository, type: 'azureReposGit' } },
})

const definitionPath = (project: string, id: number) => apiPath([project, '_apis', 'build', 'definitions', id], version)
export const definitionQuery = (project: string, id: number) => queryOptions({
  queryKey: [...keys.pipelines(project), id, 'definition'],
  queryFn: ({ signal }) => getJson<Definition>(definitionPath(project, id), signal),
})
export const saveDefinition = (project: string, id: number) => (body: unknown) => sendJson<Definition>('PUT', definitionPath(project, id), body)
export const removePipeline = (project: string, id: number) => () => sendJson('DELETE', definitionPath(project, id))

const settingsPath = (project: string) => apiPath([project, '_apis', 'build', 'generalSettings'], version)
/** Who may see the badges of a project. */
export const badgesQuery = (project: string) => queryOptions({
  queryKey: keys.badges(project),
  queryFn: ({ signal }) => getJson<BadgeSettings>(settingsPath(project), signal),
})
export const changeBadges = (project: string) => (body: BadgeSettings) => sendJson<BadgeSettings>('PATCH', settingsPath(project), body)
