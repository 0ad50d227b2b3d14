import type { UseQueryResult } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { ErrorPanel } from './error-panel'
import { Page } from './page'
import { Skeleton } from './skeleton'

interface QueryViewProps<T> {
  query: Pick<UseQueryResult<T>, 'data' | 'error' | 'refetch'>
  /** Completes "Could not ..." when it fails. */
  doing: string
  loading?: ReactNode
  /** What the page is about: given when the query is the whole page, which then says even in failure what it is. */
  title?: string
  children: (data: T) => ReactNode
}

/** Loading, failed or there: the same three faces for everything that comes from the server. Old data stays on screen while a refetch fails. */
export function QueryView<T>({ query, doing, loading, title, children }: QueryViewProps<T>) {
  if (query.data !== undefined) return <>{children(query.data)}</>
  if (query.error !== null) {
    const panel = <ErrorPanel error={query.error} doing={doing} onRetry={() => void query.refetch()} />
    return title === undefined ? panel : <Page title={title}>{panel}</Page>
  }
  return <>{loading ?? <Skeleton />}</>
}
