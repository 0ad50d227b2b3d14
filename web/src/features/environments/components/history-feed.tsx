import { Button } from '@fluentui/react-components'
import { useInfiniteQuery } from '@tanstack/react-query'
import { Empty } from '@/components/empty'
import { QueryView } from '@/components/query-view'
import { Skeleton } from '@/components/skeleton'
import { useProject } from '@/lib/project'
import { historyQuery, type HistoryFilter } from '../api/environments'
import { HistoryList } from './history-list'

/** The history of one cell or of a whole environment, a page at a time. */
export function HistoryFeed({ filter, place }: { filter: HistoryFilter; place?: boolean }) {
  const history = useInfiniteQuery(historyQuery(useProject(), filter))
  return (
    <QueryView query={history} doing="read the history" loading={<Skeleton rows={4} height={72} />}>
      {({ pages }) => {
        const entries = pages.flatMap((page) => page.value)
        if (entries.length === 0) return <Empty title="No version has come here yet." />
        return (
          <>
            <HistoryList entries={entries} place={place} />
            {history.hasNextPage && <div style={{ padding: 12 }}><Button size="small" disabled={history.isFetchingNextPage} onClick={() => void history.fetchNextPage()}>Show older deployments</Button></div>}
          </>
        )
      }}
    </QueryView>
  )
}
