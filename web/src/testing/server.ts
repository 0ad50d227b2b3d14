import { setupServer } from 'msw/node'
import { handlers } from './handlers'

/** The mock server of unit tests: the same answers as `npm run dev:mock` gives. */
export const server = setupServer(...handlers)
