import { describe, expect, it } from 'vitest'
import type { ServiceEndpoint } from '@/api/types'
import { endpointBody, formOf, kinds, missing, type EndpointForm } from './endpoint-form'

const registry: ServiceEndpoint = { id: 'e1', name: 'Registry', type: 'dockerregistry', url: 'http://127.0.0.1:5000', authorization: { scheme: 'UsernamePassword', parameters: { registry: null, username: null, password: null } } }
const form = (type: string, values: Record<string, string>, more: Partial<EndpointForm> = {}): EndpointForm => ({ type, name: 'A', description: '', values, ...more })

describe('a service connection being edited', () => {
  it('has a form for each kind, and says what is missing in it', () => {
    expect(kinds.map(({ type }) => [type, Object.keys(missing(form(type, {}, { name: '' }), undefined))])).toEqual([
      ['dockerregistry', ['name', 'url']], ['kubernetes', ['name', 'kubeconfig']], ['dockerhost', ['name', 'url']], ['git', ['name', 'url']], ['generic', ['name']],
    ])
  })
  it('a registry is written with and without its scheme', () => {
    expect(endpointBody(form('dockerregistry', { url: ' images.example.com/ ', username: 'ci', password: 'p' }), undefined)).toEqual({
      name: 'A', type: 'dockerregistry', url: 'https://images.example.com', description: '', data: {},
      authorization: { scheme: 'UsernamePassword', parameters: { registry: 'images.example.com', username: 'ci', password: 'p' } },
    })
    expect(endpointBody(formOf(registry), registry)).toMatchObject({ url: 'http://127.0.0.1:5000', authorization: { parameters: { registry: '127.0.0.1:5000', username: '', password: '' } } })
  })
  it('what the server keeps is not asked for again', () => {
    const kept: ServiceEndpoint = { id: 'e2', name: 'Cluster', type: 'Kubernetes', url: 'https://kubernetes', authorization: { scheme: 'Kubernetes', parameters: { kubeconfig: null } } }
    expect(missing(formOf(kept), kept)).toEqual({})
    expect(endpointBody(formOf(kept), kept)).toMatchObject({ url: 'https://kubernetes', authorization: { scheme: 'Kubernetes', parameters: { kubeconfig: '' } } })
  })
  it('signs in only with somebody', () => {
    expect(endpointBody(form('generic', { url: 'https://x' }), undefined).authorization.scheme).toBe('None')
    expect(endpointBody(form('git', { url: 'https://x', username: 'u' }), undefined).authorization.scheme).toBe('UsernamePassword')
  })
})
