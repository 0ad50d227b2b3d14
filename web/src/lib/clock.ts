import { useSyncExternalStore } from 'react'

/**
 * One clock for all ages and running durations of the page: a single timer however many of them are on it, and
 * none while nobody looks. Seconds tick only where something runs.
 */
function makeClock(periodMs: number) {
  let now = Date.now()
  let timer: ReturnType<typeof setInterval> | undefined
  const listeners = new Set<() => void>()
  const tick = () => {
    now = Date.now()
    listeners.forEach((listener) => listener())
  }
  return {
    subscribe: (listener: () => void) => {
      listeners.add(listener)
      if (timer === undefined) {
        now = Date.now()
        timer = setInterval(tick, periodMs)
      }
      return () => {
        listeners.delete(listener)
        if (listeners.size > 0) return
        clearInterval(timer)
        timer = undefined
      }
    },
    read: () => now,
  }
}

const seconds = makeClock(1000)
const halfMinutes = makeClock(30_000)

/** The present moment in milliseconds, renewed every second while `running`, else every half minute. */
export function useNow(running = false): number {
  const clock = running ? seconds : halfMinutes
  return useSyncExternalStore(clock.subscribe, clock.read)
}
