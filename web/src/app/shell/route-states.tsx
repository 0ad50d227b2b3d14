import { Link, type ErrorComponentProps } from '@tanstack/react-router'
import { useEffect } from 'react'
import { ErrorPanel } from '@/components/error-panel'
import { Page } from '@/components/page'
import { Skeleton } from '@/components/skeleton'
import { isLostPart, reloadWhenUp } from '@/lib/lost-part'

export function NotFound() {
  return (
    <Page title="There is no such page" sentence="The address leads nowhere: it may have a typing error, or what it named is gone.">
      <Link to="/">Go to the start page</Link>
    </Page>
  )
}

export function NoSuchProject({ name }: { name: string }) {
  return (
    <Page title={`There is no project ${name}`} sentence="It may have been deleted, or the address has a typing error.">
      <Link to="/">Go to the start page</Link>
    </Page>
  )
}

export function RouteError({ error, reset }: ErrorComponentProps) {
  const lost = isLostPart(error)
  useEffect(() => (lost ? reloadWhenUp() : undefined), [lost])
  if (lost) return <Page title="This page is not there yet"><ErrorPanel error={error} doing="fetch a part of the portal" onRetry={() => window.location.reload()} /></Page>
  return <Page title="This page failed"><ErrorPanel error={error} doing="show this page" onRetry={reset} /></Page>
}

export function RoutePending() {
  return <div style={{ padding: '20px 24px' }}><Skeleton /></div>
}
