import { useQueryClient, type QueryKey } from '@tanstack/react-query'
import { useCallback, useSyncExternalStore } from 'react'

/** What the page has loaded anyway, kept up to date; asks for nothing itself. */
export function useCached(key: QueryKey): unknown {
  const client = useQueryClient()
  const subscribe = useCallback((listener: () => void) => client.getQueryCache().subscribe(listener), [client])
  return useSyncExternalStore(subscribe, () => client.getQueryData(key))
}
