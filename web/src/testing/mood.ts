/** How the mock server may misbehave; set by the query of the page in `dev:mock`, or by a test. */
export const mood: { current: 'usual' | 'empty' | 'error' | 'signedOut' | 'long' } = { current: 'usual' }
