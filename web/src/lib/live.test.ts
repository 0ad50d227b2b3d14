import { QueryClient } from '@tanstack/react-query'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { EventStream } from './events'
import { keys } from './keys'
import { feedCache } from './live'

/** An EventSource that tests speak through. */
class FakeSource extends EventTarget {
  static last: FakeSource | undefined
  static count = 0
  readyState = 0
  onopen: (() => void) | null = null
  onerror: (() => void) | null = null
  constructor(readonly url: string) {
    super()
    FakeSource.last = this
    FakeSource.count += 1
  }
  close(): void {
    this.readyState = 2
  }
  say(name: string, data: unknown): void {
    this.dispatchEvent(new MessageEvent(name, { data: JSON.stringify(data) }))
  }
}

describe('the event stream', () => {
  const usual = globalThis.EventSource
  let stream: EventStream
  let stale: unknown[]
  let stop: () => void
  let fetching: number
  beforeEach(() => {
    vi.useFakeTimers()
    globalThis.EventSource = Object.assign(FakeSource, { CLOSED: 2, OPEN: 1, CONNECTING: 0 }) as unknown as typeof EventSource
    FakeSource.count = 0
    stream = new EventStream('/events')
    stale = []
    fetching = 0
    const client = new QueryClient()
    client.isFetching = () => fetching
    client.invalidateQueries = (filter) => {
      stale.push(filter === undefined ? 'everything' : filter.queryKey ?? 'places')
      return Promise.resolve()
    }
    stop = feedCache(stream, client, 'p')
    stream.open()
  })
  afterEach(() => {
    stop()
    stream.close()
    globalThis.EventSource = usual
    vi.useRealTimers()
  })

  const run = (changeId: number) => FakeSource.last?.say('run', { runId: 7, changeId })
  const detail = () => stale.filter((key) => JSON.stringify(key) === JSON.stringify(keys.run('p', 7))).length

  it('gathers a burst into one refetch per key', () => {
    for (let at = 0; at < 50; at += 1) run(at)
    expect(stale).toEqual([])
    vi.advanceTimersByTime(200)
    // The run and its parts; lists and what is counted over runs; places in queues and pools.
    expect(stale).toEqual([keys.run('p', 7), keys.run('p', 7), keys.runs('p'), keys.runs('p'), 'places', keys.pools])
  })
  it('asks no more often than time allows, however many events come', () => {
    for (let at = 0; at < 1000; at += 1) {
      run(at)
      vi.advanceTimersByTime(10)
    }
    // 10 s: the run once a second, its parts every other second.
    expect(detail()).toBeLessThanOrEqual(10 + 5)
    expect(detail()).toBeGreaterThanOrEqual(9 + 4)
    const during = stale.length
    vi.advanceTimersByTime(60_000)
    const last = stale.length
    expect(last).toBeGreaterThan(during)
    vi.advanceTimersByTime(60_000)
    expect(stale.length).toBe(last)
  })
  it('waits for the answer that is on its way, then asks once more', () => {
    fetching = 1
    run(1)
    vi.advanceTimersByTime(5000)
    expect(stale).toEqual([])
    fetching = 0
    vi.advanceTimersByTime(200)
    expect(stale).toContainEqual(keys.run('p', 7))
  })
  it('a matrix event makes matrix and history stale', () => {
    FakeSource.last?.say('matrix', { serviceId: 1, environmentId: 1, resourceId: 0 })
    vi.advanceTimersByTime(200)
    expect(stale).toEqual([keys.matrix('p'), keys.history('p')])
  })
  it('a reset asks for everything anew', () => {
    FakeSource.last?.say('reset', {})
    expect(stale).toEqual(['everything'])
  })
  it('after a loss everything is asked for anew', () => {
    FakeSource.last?.onopen?.()
    expect([stream.state, stale]).toEqual(['live', []])
    FakeSource.last?.onerror?.()
    expect(stream.state).toBe('lost')
    FakeSource.last?.onopen?.()
    expect([stream.state, stale]).toEqual(['live', ['everything']])
  })
  it('a refused stream is opened again with growing pauses', () => {
    const refuse = () => {
      FakeSource.last!.readyState = 2
      FakeSource.last!.onerror?.()
    }
    refuse()
    vi.advanceTimersByTime(1000)
    expect(FakeSource.count).toBe(2)
    refuse()
    vi.advanceTimersByTime(1999)
    expect(FakeSource.count).toBe(2)
    vi.advanceTimersByTime(1)
    expect(FakeSource.count).toBe(3)
  })
  it('logs are told to whoever listens, not to the cache', () => {
    const heard: unknown[] = []
    stream.on('log', (event) => heard.push(event.length))
    FakeSource.last?.say('log', { runId: 1, logId: 2, length: 30, sealed: false })
    vi.advanceTimersByTime(500)
    expect([heard, stale]).toEqual([[30], []])
  })
})
