import type { ServiceEndpoint } from '@/api/types'

export interface EndpointField {
  name: string
  label: string
  /** Credentials are written only; the server never gives them back. */
  secret?: boolean
  /** A whole file, pasted. */
  file?: boolean
  required?: boolean
  hint?: string
  placeholder?: string
}

export interface EndpointKind {
  type: string
  label: string
  about: string
  /** The address, when people type one. */
  address?: EndpointField
  parameters: EndpointField[]
  scheme: (filled: (name: string) => boolean) => string
}

const user: EndpointField = { name: 'username', label: 'User name' }
const password: EndpointField = { name: 'password', label: 'Password or token', secret: true }
const signIn = (filled: (name: string) => boolean) => (filled('username') || filled('password') ? 'UsernamePassword' : 'None')

/** The kinds of connections that steps and environments know, with what each needs. */
export const kinds: EndpointKind[] = [
  {
    type: 'dockerregistry', label: 'Docker registry', about: 'Where images are pushed to and pulled from.', scheme: () => 'UsernamePassword',
    address: { name: 'url', label: 'Registry', required: true, placeholder: 'registry.example.com', hint: 'Host, and port when it is not the usual one.' },
    parameters: [{ ...user, hint: 'Empty for a registry that asks for none.' }, password],
  },
  {
    type: 'kubernetes', label: 'Kubernetes', about: 'A cluster that deployments go to.', scheme: () => 'Kubernetes',
    parameters: [
      { name: 'kubeconfig', label: 'Kubeconfig', secret: true, file: true, required: true, hint: 'As kubectl uses it, with its certificates inside.' },
      { name: 'clusterContext', label: 'Context', hint: 'Empty: the current one of the file.' },
    ],
  },
  {
    type: 'dockerhost', label: 'Docker host', about: 'A machine whose Docker Engine runs what is deployed.', scheme: () => 'None',
    address: { name: 'url', label: 'Address', required: true, placeholder: 'unix:///var/run/docker.sock', hint: 'As in DOCKER_HOST: unix:///path, tcp://host:port or ssh://user@host.' }, parameters: [],
  },
  {
    type: 'git', label: 'Git', about: 'A repository on another server that pipelines check out.', scheme: signIn,
    address: { name: 'url', label: 'Address', required: true, placeholder: 'https://git.example.com/team/repository.git' }, parameters: [user, password],
  },
  {
    type: 'generic', label: 'Generic', about: 'An address with a user and a password, for whatever a step does with them.', scheme: signIn,
    address: { name: 'url', label: 'Address' }, parameters: [user, password],
  },
]

export const kindOf = (type: string): EndpointKind | undefined => kinds.find((one) => one.type === type.toLowerCase())

export interface EndpointForm {
  type: string
  name: string
  description: string
  /** Values by the names of the kind's fields, the address included. */
  values: Record<string, string>
}

const plainHost = (url: string) => url.replace(/^https?:\/\//, '').replace(/\/+$/, '')

/** What an existing connection shows: everything but its credentials. */
export function formOf(endpoint: ServiceEndpoint | undefined): EndpointForm {
  if (endpoint === undefined) return { type: 'dockerregistry', name: '', description: '', values: {} }
  const type = endpoint.type.toLowerCase()
  return { type, name: endpoint.name, description: endpoint.description ?? '', values: { url: type === 'dockerregistry' ? endpoint.url.replace(/^https:\/\//, '') : endpoint.url } }
}

/** Whether the server keeps a value for this field, so that an empty one means: as it is. */
export const isStored = (endpoint: ServiceEndpoint | undefined, field: string): boolean =>
  endpoint !== undefined && Object.keys(endpoint.authorization?.parameters ?? {}).includes(field)

/** What is missing, by field. */
export function missing(form: EndpointForm, endpoint: ServiceEndpoint | undefined): Record<string, string> {
  const kind = kindOf(form.type)
  const fields = kind === undefined ? [] : [...(kind.address === undefined ? [] : [kind.address]), ...kind.parameters]
  const list = fields.filter((field) => field.required === true && (form.values[field.name] ?? '').trim() === '' && !isStored(endpoint, field.name))
  return Object.fromEntries([...(form.name.trim() === '' ? [['name', 'Steps call the connection by its name.']] : []), ...list.map((field) => [field.name, `${field.label} is needed.`])]) as Record<string, string>
}

/** The body for the server. An empty parameter of an existing connection keeps what is stored there. */
export function endpointBody(form: EndpointForm, endpoint: ServiceEndpoint | undefined) {
  const kind = kindOf(form.type)
  const value = (name: string) => (form.values[name] ?? '').trim()
  const registry = kind?.type === 'dockerregistry'
  const parameters = Object.fromEntries((kind?.parameters ?? []).map((field) => [field.name, field.file === true ? form.values[field.name] ?? '' : value(field.name)]))
  const url = registry ? `${value('url').startsWith('http://') ? 'http' : 'https'}://${plainHost(value('url'))}`
    : kind !== undefined && kind.address === undefined ? endpoint?.url ?? 'https://kubernetes' : value('url')
  return {
    name: form.name.trim(), type: form.type, url, description: form.description.trim(), data: endpoint?.data ?? {},
    authorization: {
      scheme: kind?.scheme((name) => value(name) !== '' || isStored(endpoint, name)) ?? endpoint?.authorization?.scheme ?? 'None',
      parameters: { ...parameters, ...(registry ? { registry: plainHost(value('url')) } : {}) },
    },
  }
}
