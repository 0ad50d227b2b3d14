import { QueryCache, QueryClient } from '@tanstack/react-query'
import { ApiError } from './http'
import { keys } from './keys'

/** Retrying helps against a server that is away, never against an answer such as 404. */
const worthRetrying = (error: Error) => error instanceof ApiError && (error.status === 0 || error.status >= 502)

export function makeQueryClient(): QueryClient {
  const client: QueryClient = new QueryClient({
    queryCache: new QueryCache({
      // A session that ended while the page was open: asking who we are shows the sign-in page.
      onError: (error, query) => {
        if (error instanceof ApiError && error.status === 401 && query.queryKey[0] !== keys.me[0])
          void client.invalidateQueries({ queryKey: keys.me })
      },
    }),
    defaultOptions: {
      queries: {
        staleTime: 30_000, // events say when something changed; this is for the time without them
        retry: (count, error) => count < 3 && worthRetrying(error),
        refetchOnWindowFocus: true,
      },
    },
  })
  return client
}
