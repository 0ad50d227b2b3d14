import type { UseQueryResult } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { ErrorPanel } from './error-panel'
import { Skeleton } from './skeleton'

interface QueryViewProps<T> {
  query: Pick<UseQueryResult<T>, 'data' | 'error' | 'refetch'>
  /** Completes "Could not ..." when it fails. */
  doing: string
  loading?: ReactNode
  children: (data: T) => ReactNode
}

/** Loading, failed or there: the same three faces for everything that comes from the server. Old data stays on screen while a refetch fails. */
export function QueryView<T>({ query, doing, loading, children }: QueryViewProps<T>) {
  if (query.data !== undefined) return <>{children(query.data)}</>
  if (query.error !== null) return <ErrorPanel error={query.error} doing={doing} onRetry={() => void query.refetch()} />
  return <>{loading ?? <Skeleton />}</>
}
