import { useEffect } from 'react'
import { states, type State } from './state'

/** The browser tab says what the page is, and shows its state in the same shape as the page does. */
export function useTitle(title: string, state?: State): void {
  useEffect(() => {
    document.title = title === '' ? 'Slipway' : `${state === undefined ? '' : `${states[state].word}: `}${title} - Slipway`
    const icon = document.querySelector<HTMLLinkElement>('link[rel=icon]')
    if (icon !== null) icon.href = state === undefined ? '/favicon.svg' : `/favicon-${state}.svg`
    return () => {
      if (icon !== null) icon.href = '/favicon.svg'
    }
  }, [title, state])
}
