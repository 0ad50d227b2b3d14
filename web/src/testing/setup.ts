import '@testing-library/jest-dom/vitest'
import { cleanup, configure } from '@testing-library/react'
import { afterAll, afterEach, beforeAll } from 'vitest'
import { mood } from './handlers'
import { server } from './server'

// How long a test waits for what must come; a busy machine takes its time.
configure({ asyncUtilTimeout: 30_000 })

// What jsdom does not have and the portal uses.
window.matchMedia = (query: string) => Object.assign(new EventTarget(), { matches: false, media: query, onchange: null }) as unknown as MediaQueryList
window.scrollTo = () => undefined
class NoStream extends EventTarget {
  static readonly CLOSED = 2
  readyState = 1
  onopen: (() => void) | null = null
  onerror: (() => void) | null = null
  constructor(readonly url: string) {
    super()
  }
  close(): void {
    this.readyState = 2
  }
}
window.EventSource = NoStream as unknown as typeof EventSource
window.ResizeObserver = class {
  observe(): void { /* sizes do not change in jsdom */ }
  unobserve(): void { /* as above */ }
  disconnect(): void { /* as above */ }
}
globalThis.EventSource = window.EventSource
globalThis.ResizeObserver = window.ResizeObserver

beforeAll(() => server.listen({ onUnhandledRequest: 'error' }))
afterEach(() => {
  cleanup()
  server.resetHandlers()
  mood.current = 'usual'
  window.localStorage.clear()
})
afterAll(() => server.close())
