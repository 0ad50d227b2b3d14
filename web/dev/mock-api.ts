import type { IncomingMessage, ServerResponse } from 'node:http'
import { getResponse, type RequestHandler } from 'msw'
import type { Connect, Plugin, ViteDevServer, PreviewServer } from 'vite'

interface Mock {
  handlers: RequestHandler[]
  mood: { current: string }
}

/**
 * Answers the API with the mock scenario (`npm run dev:mock`, `npm run preview:mock`): the portal without a server. It lives in Vite's
 * own server, so nothing of it can get into a bundle. `GET /_mock/{usual,empty,error,signedOut,long}` changes its mood.
 */
export function mockApi(): Plugin {
  return {
    name: 'slipway-mock-api',
    configureServer: (server) => install(server, () => server.ssrLoadModule('/src/testing/handlers.ts') as Promise<unknown> as Promise<Mock>),
    configurePreviewServer: async (server) => {
      const { createServer } = await import('vite')
      const loader = await createServer({ mode: 'test', server: { middlewareMode: true, ws: false }, appType: 'custom', logLevel: 'error' })
      install(server, () => loader.ssrLoadModule('/src/testing/handlers.ts') as Promise<unknown> as Promise<Mock>)
    },
  }
}

function install(server: ViteDevServer | PreviewServer, load: () => Promise<Mock>): void {
  server.middlewares.use((request: IncomingMessage, response: ServerResponse, next: Connect.NextFunction) => {
    answer(request, response, load).then((done) => {
      if (!done) next()
    }, next)
  })
}

async function answer(request: IncomingMessage, response: ServerResponse, load: () => Promise<Mock>): Promise<boolean> {
  const address = new URL(request.url ?? '/', 'http://mock')
  const mock = await load()
  if (address.pathname.startsWith('/_mock/')) {
    mock.mood.current = address.pathname.slice('/_mock/'.length)
    response.end('ok\n')
    return true
  }
  if (!address.pathname.includes('/_apis/')) return false
  if (address.pathname.endsWith('/slipway/events')) {
    response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' })
    response.write(': ping\n\n')
    return true
  }
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  const body = chunks.length === 0 ? null : Buffer.concat(chunks)
  const answered = await getResponse(mock.handlers, new Request(address, { method: request.method ?? 'GET', body, headers: { 'content-type': 'application/json' } }))
  if (answered === undefined) {
    response.writeHead(404, { 'Content-Type': 'application/json' }).end(JSON.stringify({ message: `the mock has no answer for ${address.pathname}` }))
    return true
  }
  response.writeHead(answered.status, { 'Content-Type': answered.headers.get('content-type') ?? 'application/json' })
  response.end(Buffer.from(await answered.arrayBuffer()))
  return true
}
