import { Button } from '@fluentui/react-components'
import { Add16Regular } from '@fluentui/react-icons'
import { useQuery } from '@tanstack/react-query'
import { lazy, Suspense, useState } from 'react'
import { Empty } from '@/components/empty'
import { Page } from '@/components/page'
import { QueryView } from '@/components/query-view'
import { poolsQuery } from '@/features/pools/api/pools'
import { WaitingJobs } from '@/features/pools/components/waiting-jobs'
import { PoolWorkers } from '@/features/pools/components/pool-workers'
import { useIsAdmin } from '@/lib/me'

const PoolDialog = lazy(() => import('@/features/pools/components/pool-dialogs').then((module) => ({ default: module.PoolDialog })))

export function PoolsRoute() {
  const pools = useQuery(poolsQuery)
  const admin = useIsAdmin()
  const [making, setMaking] = useState(false)
  return (
    <Page title="Pools" sentence="The machines that run jobs, for every project of this server." actions={admin && <Button icon={<Add16Regular />} onClick={() => setMaking(true)}>New pool</Button>}>
      <QueryView query={pools} doing="list the pools">
        {({ value }) => value.length === 0
          ? <Empty title="This server has no pool." example="pool:&#10;  vmImage: ubuntu-latest">A pool is a group of workers that a pipeline names:</Empty>
          : <><WaitingJobs />{value.map((pool) => <PoolWorkers key={pool.id} pool={pool} />)}</>}
      </QueryView>
      <Suspense fallback={null}>{making && <PoolDialog pool={undefined} onClose={() => setMaking(false)} />}</Suspense>
    </Page>
  )
}
