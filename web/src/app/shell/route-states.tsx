import { Link, type ErrorComponentProps } from '@tanstack/react-router'
import { ErrorPanel } from '@/components/error-panel'
import { Page } from '@/components/page'
import { Skeleton } from '@/components/skeleton'

export function NotFound() {
  return (
    <Page title="There is no such page" sentence="The address leads nowhere: it may have a typing error, or what it named is gone.">
      <Link to="/">Go to the start page</Link>
    </Page>
  )
}

export function RouteError({ error, reset }: ErrorComponentProps) {
  return <Page title="This page failed"><ErrorPanel error={error} doing="show this page" onRetry={reset} /></Page>
}

export function RoutePending() {
  return <div style={{ padding: '20px 24px' }}><Skeleton /></div>
}
