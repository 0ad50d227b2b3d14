import { Tab, TabList } from '@fluentui/react-components'
import { useQuery } from '@tanstack/react-query'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { Empty } from '@/components/empty'
import { Page } from '@/components/page'
import { QueryView } from '@/components/query-view'
import { Skeleton } from '@/components/skeleton'
import { allApprovalsQuery, pendingApprovalsQuery } from '@/features/approvals/api/approvals'
import { ApprovalCard } from '@/features/approvals/components/approval-card'
import { useProject } from '@/lib/project'

export function ApprovalsRoute() {
  const project = useProject()
  const navigate = useNavigate()
  const { show } = useSearch({ from: '/$project/approvals' })
  const pending = useQuery(pendingApprovalsQuery(project))
  const all = useQuery({ ...allApprovalsQuery(project), enabled: show === 'all' })
  const query = show === 'all' ? all : pending
  const mine = pending.data?.value.filter((item) => item.canDecide).length ?? 0
  const waiting = pending.data?.count ?? 0
  const sentence = pending.data === undefined ? undefined
    : waiting === 0 ? 'Nothing waits for a decision.'
      : `${waiting === 1 ? '1 deployment waits' : `${waiting} deployments wait`} for ${mine === waiting ? 'your decision' : mine === 0 ? 'a decision of others' : `a decision, ${mine} of them for yours`}.`
  return (
    <Page title="Approvals" sentence={sentence}>
      <TabList
        size="small" selectedValue={show === 'all' ? 'all' : 'pending'}
        onTabSelect={(_, { value }) => void navigate({ to: '/$project/approvals', params: { project }, search: value === 'all' ? { show: 'all' } : {} })}
      >
        <Tab value="pending">Waiting</Tab>
        <Tab value="all">All</Tab>
      </TabList>
      <QueryView query={query} doing="list the approvals" loading={<Skeleton rows={2} height={104} />}>
        {({ value }) => value.length === 0 ? (
          <Empty title="Nothing waits for a decision.">
            A stage waits here when its environment carries an approval check. Checks belong to the environment, never to the pipeline file, so nobody can remove one by editing YAML.
          </Empty>
        ) : <div>{value.map((item) => <ApprovalCard key={item.id} item={item} only={value.filter((one) => one.status === 'pending').length === 1} />)}</div>}
      </QueryView>
    </Page>
  )
}
