import { render } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { App } from '@/app/app'

/** Opens the whole portal at an address, as a browser would, against the mock server. */
export function open(path: string) {
  window.history.pushState({}, '', path)
  return { user: userEvent.setup(), ...render(<App />) }
}

export const address = (): string => window.location.pathname + window.location.search
