import { duration } from '@/lib/format'

/** A stretch in which nothing ran: a person decided, or no worker was free. */
export interface Pause {
  from: number
  to: number
}

export interface TimeScale {
  /** Place of a moment between 0 and 1. */
  place: (time: number) => number
  /** The moment at a place. */
  time: (place: number) => number
  /** Pauses that were drawn shorter than they were. */
  pauses: Pause[]
}

/** "Nothing ran for 8h02m: drawn shorter."; of many pauses the sum. */
export function pausesText(pauses: Pause[]): string {
  const sum = duration(pauses.reduce((total, { from, to }) => total + to - from, 0))
  return pauses.length === 1 ? `Nothing ran for ${sum}: drawn shorter.` : `In ${pauses.length} pauses nothing ran, for ${sum} in all: drawn shorter.`
}

/** "0s", "40 ms", "2.5s", "1m30s": how long after the start a mark of the time axis stands. Runs may be shorter than a second. */
export const tickText = (ms: number): string => (ms < 0.5 || ms >= 949.5 ? duration(Math.max(0, Math.round(ms))) : `${Math.round(ms)} ms`)

/** A shortened pause takes this share of the time in which something ran. */
const pauseShare = 0.06

/**
 * Lays moments out from left to right so that work can be compared although somebody took a night to approve: time in which something ran is to
 * scale, long pauses between are cut short. `busy` are [from, to] in milliseconds, in any order.
 */
export function timeScale(busy: [number, number][], start: number, end: number): TimeScale {
  const merged: [number, number][] = []
  for (const [from, to] of [...busy].sort((a, b) => a[0] - b[0])) {
    const last = merged.at(-1)
    if (last !== undefined && from <= last[1]) last[1] = Math.max(last[1], to)
    else merged.push([Math.max(from, start), Math.min(to, end)])
  }
  const worked = merged.reduce((sum, [from, to]) => sum + Math.max(0, to - from), 0)
  const longest = worked === 0 ? Infinity : worked * pauseShare
  // Points of a broken line: moment, and its distance from the left with pauses cut.
  const points: [number, number][] = [[start, 0]]
  const pauses: Pause[] = []
  const go = (to: number, most: number) => {
    const [time, at] = points.at(-1) ?? [start, 0]
    if (to <= time) return
    if (to - time > most) pauses.push({ from: time, to })
    points.push([to, at + Math.min(to - time, most)])
  }
  for (const [from, to] of merged) {
    go(from, longest)
    go(to, Infinity)
  }
  go(end, longest)
  const width = points.at(-1)?.[1] ?? 0
  const between = (value: number, from: 0 | 1, to: 0 | 1): number => {
    const next = points.findIndex((point) => point[from] >= value)
    if (next <= 0) return points[next === 0 ? 0 : points.length - 1]?.[to] ?? 0
    const a: [number, number] = points[next - 1] ?? [0, 0]
    const b: [number, number] = points[next] ?? [0, 0]
    return a[to] + ((b[to] - a[to]) * (value - a[from])) / Math.max(1, b[from] - a[from])
  }
  return {
    place: (time) => (width === 0 ? 0 : between(Math.min(end, Math.max(start, time)), 0, 1) / width),
    time: (at) => between(at * width, 1, 0),
    pauses,
  }
}

/** The marks of the time axis. Where pauses are cut, neighbours may stand for nearly the same moment: the same text is written once. */
export function ticks(scale: Pick<TimeScale, 'time'>, start: number): { part: number; text: string }[] {
  const all = [0, 0.25, 0.5, 0.75].map((part) => ({ part, text: tickText(scale.time(part) - start) }))
  return all.filter(({ text }, at) => text !== all[at - 1]?.text)
}
