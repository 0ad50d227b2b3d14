import type { ApiErrorBody, Diagnostic } from '@/api/types'

/** A request that was refused or never answered. `status` 0: the server could not be reached. */
export class ApiError extends Error {
  readonly status: number
  readonly code: string
  readonly diagnostics: Diagnostic[]
  readonly request: string

  constructor(status: number, request: string, body: ApiErrorBody) {
    super(body.message ?? (status === 0 ? 'The server does not answer.' : `The server answered ${status}.`))
    this.status = status
    this.request = request
    this.code = body.code ?? body.typeKey ?? ''
    this.diagnostics = body.diagnostics ?? []
  }
}

export type Query = Record<string, string | number | boolean | undefined>

/** Builds a path of the API; every segment is encoded, undefined query values are left out. */
export function apiPath(segments: (string | number)[], query: Query = {}): string {
  const path = '/' + segments.map((segment) => encodeURIComponent(segment)).join('/')
  const search = new URLSearchParams()
  for (const [key, value] of Object.entries(query)) if (value !== undefined && value !== '') search.set(key, String(value))
  const text = search.toString()
  return text === '' ? path : `${path}?${text}`
}

async function send(method: string, path: string, body: unknown, signal?: AbortSignal): Promise<Response> {
  const headers: Record<string, string> = { Accept: 'application/json' }
  // Cross-site forms cannot send this header, so a state-changing request with it is the portal's own.
  if (method !== 'GET') headers['X-Slipway-Request'] = '1'
  if (body !== undefined) headers['Content-Type'] = body instanceof Blob ? 'application/octet-stream' : 'application/json'
  let response: Response
  try {
    response = await fetch(new URL(path, window.location.origin), {
      method, headers, signal: signal ?? null, credentials: 'same-origin',
      body: body === undefined ? null : body instanceof Blob ? body : JSON.stringify(body),
    })
  } catch (cause) {
    if (signal?.aborted) throw cause
    throw new ApiError(0, `${method} ${path}`, {})
  }
  if (!response.ok) throw new ApiError(response.status, `${method} ${path}`, await readError(response))
  return response
}

async function readError(response: Response): Promise<ApiErrorBody> {
  try {
    return (await response.json()) as ApiErrorBody
  } catch {
    return {} // a proxy's HTML page, say: the status alone must do
  }
}

/** GET of a file's bytes. */
export const getBytes = async (path: string, signal?: AbortSignal): Promise<Uint8Array> => new Uint8Array(await (await send('GET', path, undefined, signal)).arrayBuffer())

/** GET of a JSON document. The type is the contract of docs/api.md, stated by the caller. */
export async function getJson<T>(path: string, signal?: AbortSignal): Promise<T> {
  return (await (await send('GET', path, undefined, signal)).json()) as T
}

/** The body is sent as JSON, a Blob as it is. */
export async function sendJson<T>(method: 'POST' | 'PATCH' | 'PUT' | 'DELETE', path: string, body?: unknown): Promise<T> {
  const response = await send(method, path, body)
  const text = await response.text()
  return (text === '' ? undefined : JSON.parse(text)) as T
}
