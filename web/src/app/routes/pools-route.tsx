import { useQuery } from '@tanstack/react-query'
import { Empty } from '@/components/empty'
import { Page } from '@/components/page'
import { QueryView } from '@/components/query-view'
import { poolsQuery } from '@/features/pools/api/pools'
import { WaitingJobs } from '@/features/pools/components/waiting-jobs'
import { PoolWorkers } from '@/features/pools/components/pool-workers'

export function PoolsRoute() {
  const pools = useQuery(poolsQuery)
  return (
    <Page title="Pools" sentence="The machines that run jobs, for every project of this server.">
      <QueryView query={pools} doing="list the pools">
        {({ value }) => value.length === 0
          ? <Empty title="This server has no pool." example="pool:&#10;  vmImage: ubuntu-latest">A pool is a group of workers that a pipeline names:</Empty>
          : <><WaitingJobs />{value.map((pool) => <PoolWorkers key={pool.id} pool={pool} />)}</>}
      </QueryView>
    </Page>
  )
}
