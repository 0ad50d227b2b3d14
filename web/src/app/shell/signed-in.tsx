import { useQuery } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { ErrorPanel } from '@/components/error-panel'
import { Skeleton } from '@/components/skeleton'
import { SignIn } from '@/features/session/components/sign-in'
import { meQuery } from '@/lib/me'
import { ApiError } from '@/lib/http'

/** Lets nobody further who is not signed in, and says how to sign in instead. */
export function SignedIn({ children }: { children: ReactNode }) {
  const me = useQuery(meQuery)
  const again = () => void me.refetch()
  if (me.error instanceof ApiError && me.error.status === 401) return <SignIn onRetry={again} />
  if (me.data !== undefined) return <>{children}</>
  if (me.error !== null) return <main style={{ padding: 24 }}><ErrorPanel error={me.error} doing="reach Slipway" onRetry={again} /></main>
  return <main style={{ padding: '20px 24px' }}><Skeleton /></main>
}
