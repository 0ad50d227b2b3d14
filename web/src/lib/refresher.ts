import type { QueryClient, QueryFilters } from '@tanstack/react-query'

/** Events that come together are answered together: this long after the first, in milliseconds. */
const gatherMs = 200

interface Mark {
  filters: QueryFilters
  due: number
  pauseMs: number
}

/**
 * Asks for anew what events made stale, so that the number of requests depends on time and never on the number of events: what is marked is asked for
 * once after `gatherMs`, again no sooner than its pause after the last time, and never while an answer is still on its way. That answer may be older than
 * the event, so it is asked for once more when it has come; it is not given up, or events without end would leave the page without any answer.
 */
export class Refresher {
  private readonly marks = new Map<string, Mark>()
  private readonly asked = new Map<string, Mark & { at: number }>()
  private timer: ReturnType<typeof setTimeout> | undefined

  constructor(private readonly client: QueryClient) {}

  /** `name` tells marks apart: what is marked already needs no second mark. */
  mark(name: string, filters: QueryFilters, pauseMs: number): void {
    if (this.marks.has(name)) return
    const now = Date.now()
    const before = this.asked.get(name)
    this.marks.set(name, { filters, pauseMs, due: Math.max(now + gatherMs, before === undefined ? 0 : before.at + pauseMs) })
    this.arm(now)
  }

  stop(): void {
    clearTimeout(this.timer)
    this.timer = undefined
    this.marks.clear()
  }

  private arm(now: number): void {
    clearTimeout(this.timer)
    this.timer = undefined
    if (this.marks.size === 0) return
    const due = Math.min(...[...this.marks.values()].map((mark) => mark.due))
    this.timer = setTimeout(() => this.flush(), Math.max(0, due - now))
  }

  private flush(): void {
    const now = Date.now()
    for (const [name, one] of this.asked) if (now - one.at > one.pauseMs) this.asked.delete(name)
    for (const [name, mark] of this.marks) {
      if (mark.due > now) continue
      if (this.client.isFetching(mark.filters) > 0) {
        mark.due = now + gatherMs
        continue
      }
      this.marks.delete(name)
      this.asked.set(name, { ...mark, at: now })
      void this.client.invalidateQueries(mark.filters)
    }
    this.arm(now)
  }
}
