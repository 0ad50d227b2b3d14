import type { LogLines } from '@/api/types'
import { Outline } from './outline'

export const pageSize = 1000
/** Up to this many lines the whole log is loaded, so that folding and search know all of it. */
export const loadAllLimit = 500_000

const backgroundCount = 5000

export type FetchLines = (from: number, count: number, signal: AbortSignal) => Promise<LogLines>

/**
 * The lines of one log, loaded in pages keyed by line number: first what the reader looks at, then the rest in the
 * background. Not tied to React: subscribe, then read. One reader at a time talks to the server.
 */
export class LogStore {
  total = 0
  sealed = false
  error: Error | undefined
  /** Set after the first answer. */
  loaded = false
  readonly outline = new Outline()
  private readonly pages = new Map<number, string[]>()
  private readonly listeners = new Set<() => void>()
  private readonly abort = new AbortController()
  private readonly wanted: number[] = []
  private fetching = false
  private tailStale = false
  private revision = 0

  constructor(private readonly fetchLines: FetchLines) {}

  /** Changes whenever anything a reader sees has changed. */
  readonly version = (): number => this.revision

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener)
    return () => void this.listeners.delete(listener)
  }

  /** Begins with the page of `line`, or with the end (`line` undefined is the beginning). */
  start(line?: number): void {
    this.wanted.push(Math.floor((line ?? 0) / pageSize))
    void this.pump()
  }

  stop(): void {
    this.abort.abort()
  }

  line(index: number): string | undefined {
    return this.pages.get(Math.floor(index / pageSize))?.[index % pageSize]
  }

  /** Whether every line up to `total` is here. */
  get complete(): boolean {
    return this.loaded && this.outline.next >= this.total
  }

  /** The reader looks at these lines: load their pages before anything else. */
  want(first: number, last: number): void {
    for (let page = Math.floor(first / pageSize); page <= Math.floor(last / pageSize); page += 1)
      if (!this.pages.has(page) && page * pageSize < this.total) this.wanted.push(page)
    void this.pump()
  }

  /** The server says that the log has grown or ended. */
  changed(): void {
    if (this.sealed) return
    this.tailStale = true
    void this.pump()
  }

  retry(): void {
    this.error = undefined
    this.tailStale = true
    void this.pump()
  }

  private async pump(): Promise<void> {
    if (this.fetching) return
    this.fetching = true
    try {
      for (let next = this.nextRequest(); next !== undefined && !this.abort.signal.aborted; next = this.nextRequest()) {
        const answer = await this.fetchLines(next.from, next.count, this.abort.signal)
        if (answer.lines.length === 0 && next.from < answer.total)
          throw new Error(`The server has ${answer.total} lines of this log but sent none from line ${next.from + 1} on.`)
        this.store(answer)
      }
    } catch (error) {
      if (!this.abort.signal.aborted) {
        this.error = error instanceof Error ? error : new Error(String(error))
        this.changedNow()
      }
    } finally {
      this.fetching = false
    }
  }

  private nextRequest(): { from: number; count: number } | undefined {
    for (let page = this.wanted.pop(); page !== undefined; page = this.wanted.pop())
      if (!this.pages.has(page) && (page * pageSize < this.total || !this.loaded)) return { from: page * pageSize, count: pageSize }
    if (this.tailStale) {
      this.tailStale = false
      // The last line may have been incomplete: read it again.
      return { from: Math.max(0, this.total - 1), count: pageSize }
    }
    if (!this.loaded || this.total > loadAllLimit) return undefined
    const last = Math.ceil(this.total / pageSize)
    for (let page = Math.floor(this.outline.next / pageSize); page < last; page += 1) {
      const have = this.pages.get(page)?.length ?? 0
      const should = Math.min(pageSize, this.total - page * pageSize)
      if (have < should) return { from: page * pageSize + have, count: backgroundCount }
    }
    return undefined
  }

  private store(answer: LogLines): void {
    const first = !this.loaded
    this.loaded = true
    this.error = undefined
    const before = this.total
    this.total = Math.max(this.total, answer.total)
    // An answer may stop before the end (the server bounds its size); what is missing is asked for next.
    for (let i = 0; i < answer.lines.length; ) {
      const at = answer.from + i
      const page = Math.floor(at / pageSize)
      const offset = at % pageSize
      const have = this.pages.get(page) ?? []
      const part = answer.lines.slice(i, i + pageSize - offset)
      i += part.length
      if (offset > have.length) continue // a hole: that page is loaded from its start when it is wanted
      this.rereadFrom(at, have[offset], part[0])
      have.splice(offset, part.length, ...part)
      this.pages.set(page, have)
    }
    this.advanceOutline()
    if (answer.sealed && !this.sealed) {
      this.sealed = true
      this.tailStale = answer.from + answer.lines.length < this.total
    }
    if (first || answer.lines.length > 0 || this.total !== before || answer.sealed) this.changedNow()
  }

  /** When the last line that the outline knows has changed, it is read anew. */
  private rereadFrom(line: number, old: string | undefined, now: string | undefined): void {
    if (old !== undefined && old !== now && line === this.outline.next - 1) this.outline.dropLast()
  }

  private advanceOutline(): void {
    for (;;) {
      const line = this.line(this.outline.next)
      if (line === undefined) return
      this.outline.add(line)
    }
  }

  private changedNow(): void {
    this.revision += 1
    this.listeners.forEach((listener) => listener())
  }
}
