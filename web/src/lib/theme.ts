import { useEffect, useSyncExternalStore } from 'react'
import { useStored } from './stored'

const query = '(prefers-color-scheme: dark)'

function subscribe(listener: () => void): () => void {
  const list = window.matchMedia(query)
  list.addEventListener('change', listener)
  return () => list.removeEventListener('change', listener)
}

export type ThemeChoice = 'system' | 'light' | 'dark'

/** The reader's choice, kept in this browser; "system" follows the desktop. */
export function useThemeChoice(): [ThemeChoice, (choice: ThemeChoice) => void] {
  const [value, set] = useStored('slipway.theme', 'system')
  return [value === 'light' || value === 'dark' ? value : 'system', set]
}

export function useIsDark(): boolean {
  const [choice] = useThemeChoice()
  const system = useSyncExternalStore(subscribe, () => window.matchMedia(query).matches)
  return choice === 'system' ? system : choice === 'dark'
}

/** Writes the theme where the style sheets look for it. Used once, by the application. */
export function useThemeAttribute(): boolean {
  const dark = useIsDark()
  useEffect(() => {
    document.documentElement.dataset.theme = dark ? 'dark' : 'light'
  }, [dark])
  return dark
}
