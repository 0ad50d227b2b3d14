import { useCallback, useSyncExternalStore } from 'react'

const listeners = new Set<() => void>()

function read(key: string): string | null {
  try {
    return window.localStorage.getItem(key)
  } catch {
    return null // storage switched off by the browser: preferences last as long as the page
  }
}

/** A small preference of this browser (theme, wrapped log lines), shared by all that use the key. */
export function useStored(key: string, fallback: string): [string, (value: string) => void] {
  const value = useSyncExternalStore(
    (listener) => {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    () => read(key) ?? fallback,
  )
  const set = useCallback((next: string) => {
    try {
      window.localStorage.setItem(key, next)
    } catch {
      return // as above
    }
    listeners.forEach((listener) => listener())
  }, [key])
  return [value, set]
}
