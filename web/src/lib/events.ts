import type { EventData } from '@/api/types'

export type EventName = keyof EventData
export type StreamState = 'connecting' | 'live' | 'lost'

type Listener<K extends EventName> = (data: EventData[K]) => void

const eventNames: EventName[] = ['run', 'log', 'approval', 'matrix', 'worker']

/**
 * The one event stream of this tab. Listeners subscribe by event name; `onReset` is told when events may have been
 * missed (first connection after a loss, or the server's `reset`), so that whoever holds data asks for it again.
 * The browser reconnects by itself and sends Last-Event-ID; only a refused connection is opened anew here.
 */
export class EventStream {
  private source: EventSource | undefined
  private retry: ReturnType<typeof setTimeout> | undefined
  private lostOnce = false
  private pauseMs = 1000
  private readonly listeners = new Map<EventName, Set<(data: unknown) => void>>()
  private readonly resetListeners = new Set<() => void>()
  private readonly stateListeners = new Set<() => void>()
  private current: StreamState = 'connecting'

  constructor(private readonly url: string) {}

  get state(): StreamState {
    return this.current
  }

  open(): void {
    const source = new EventSource(this.url)
    this.source = source
    source.onopen = () => {
      this.pauseMs = 1000
      if (this.lostOnce) this.resetListeners.forEach((listener) => listener())
      this.lostOnce = false
      this.setState('live')
    }
    source.onerror = () => {
      this.lostOnce = true
      this.setState('lost')
      if (source.readyState !== EventSource.CLOSED) return
      clearTimeout(this.retry)
      this.retry = setTimeout(() => this.open(), this.pauseMs)
      this.pauseMs = Math.min(this.pauseMs * 2, 30_000)
    }
    source.addEventListener('reset', () => this.resetListeners.forEach((listener) => listener()))
    for (const name of eventNames) {
      source.addEventListener(name, (event: MessageEvent<string>) => {
        const data: unknown = JSON.parse(event.data)
        this.listeners.get(name)?.forEach((listener) => listener(data))
      })
    }
  }

  close(): void {
    clearTimeout(this.retry)
    this.source?.close()
    this.source = undefined
  }

  on<K extends EventName>(name: K, listener: Listener<K>): () => void {
    const set = this.listeners.get(name) ?? new Set()
    this.listeners.set(name, set)
    const entry = listener as (data: unknown) => void
    set.add(entry)
    return () => void set.delete(entry)
  }

  onReset(listener: () => void): () => void {
    this.resetListeners.add(listener)
    return () => void this.resetListeners.delete(listener)
  }

  onState(listener: () => void): () => void {
    this.stateListeners.add(listener)
    return () => void this.stateListeners.delete(listener)
  }

  private setState(state: StreamState): void {
    if (state === this.current) return
    this.current = state
    this.stateListeners.forEach((listener) => listener())
  }
}
