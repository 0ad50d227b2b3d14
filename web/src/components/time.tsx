import { age, ago, clock, duration, elapsed, exact } from '@/lib/format'
import { useNow } from '@/lib/clock'

interface TimeProps {
  at: string
  /** short: "2 h"; sentence: "2 h ago"; clock: "14:01". */
  form?: 'short' | 'sentence' | 'clock'
  /** Counts the age up to this moment instead of now. */
  until?: number
}

/** A moment: short on the page, exact on hover. */
export function Time({ at, form = 'short', until }: TimeProps) {
  const clockNow = useNow()
  const now = until ?? clockNow
  const text = form === 'short' ? age(at, now) : form === 'sentence' ? ago(at, now) : clock(at, now)
  return <time dateTime={at} title={exact(at)} className="num">{text}</time>
}

interface DurationProps {
  start: string | null | undefined
  finish: string | null | undefined
}

/** How long something took, or has been running so far. Empty before it began. */
export function Duration({ start, finish }: DurationProps) {
  const running = start !== null && start !== undefined && (finish === null || finish === undefined)
  const now = useNow(running)
  const ms = elapsed(start, finish, now)
  return <span className="num">{ms === undefined ? '' : duration(running ? Math.floor(ms / 1000) * 1000 : ms)}</span>
}
