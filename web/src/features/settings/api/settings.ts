import { queryOptions } from '@tanstack/react-query'
import type { About, ImageMapping, IssuedToken, ListOf, Me, PersonalToken, RetentionSettings } from '@/api/types'
import { apiPath, getJson, sendJson } from '@/lib/http'
import { keys } from '@/lib/keys'

const slipway = (...rest: (string | number)[]) => apiPath(['_apis', 'slipway', ...rest])

export const tokensQuery = (person: string) => queryOptions({
  queryKey: keys.tokens(person),
  queryFn: ({ signal }) => getJson<ListOf<PersonalToken>>(slipway('identities', person, 'tokens'), signal),
})
export const issueToken = (person: string) => (body: { name: string; expiresInMinutes: number }) => sendJson<IssuedToken>('POST', slipway('identities', person, 'tokens'), body)
export const revokeToken = (person: string, id: number) => () => sendJson('DELETE', slipway('identities', person, 'tokens', id))

export const addPerson = (body: { uniqueName: string; displayName: string; isAdmin: boolean }) => sendJson<Me>('POST', slipway('identities'), body)

export const addProject = (body: { name: string; description: string }) => sendJson<{ id: string }>('POST', apiPath(['_apis', 'projects'], { 'api-version': '7.1' }), body)

export const imagesQuery = queryOptions({
  queryKey: keys.images,
  queryFn: ({ signal }) => getJson<ListOf<ImageMapping>>(slipway('images'), signal),
})
export const mapImage = (body: ImageMapping) => sendJson('PUT', slipway('images'), body)
export const unmapImage = (vmImage: string) => () => sendJson('DELETE', slipway('images', vmImage))

const retentionPath = (project: string) => apiPath([project, '_apis', 'build', 'retention'], { 'api-version': '7.1' })
export const retentionQuery = (project: string) => queryOptions({
  queryKey: keys.retention(project),
  queryFn: ({ signal }) => getJson<RetentionSettings>(retentionPath(project), signal),
})
export const saveRetention = (project: string) => (body: RetentionSettings) => sendJson<RetentionSettings>('PATCH', retentionPath(project), body)

export const aboutQuery = queryOptions({
  queryKey: keys.about,
  queryFn: ({ signal }) => getJson<About>(slipway('about'), signal),
  staleTime: Infinity,
})
