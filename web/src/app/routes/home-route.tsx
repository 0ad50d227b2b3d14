import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import type { RunSummary } from '@/api/types'
import { Empty } from '@/components/empty'
import { Page, Section } from '@/components/page'
import { QueryView } from '@/components/query-view'
import { Skeleton } from '@/components/skeleton'
import { pendingApprovalsQuery } from '@/features/approvals/api/approvals'
import { ApprovalCard } from '@/features/approvals/components/approval-card'
import { matrixQuery } from '@/features/environments/api/environments'
import { MatrixGrid } from '@/features/environments/components/matrix-grid'
import { viewOf } from '@/features/environments/model/matrix-view'
import { pipelinesQuery } from '@/features/pipelines/api/pipelines'
import { recentRunsQuery } from '@/features/runs/api/runs'
import { activity } from '@/features/runs/model/activity'
import { RunTable } from '@/features/runs/components/run-table'
import { useProject } from '@/lib/project'
import { stateOfRun } from '@/lib/state'
import { useNavigate } from '@tanstack/react-router'

/** What one wants to know first: does anything wait for me, what is where, what ran last. */
export function HomeRoute() {
  const project = useProject()
  const navigate = useNavigate()
  const approvals = useQuery(pendingApprovalsQuery(project))
  const runs = useQuery(recentRunsQuery(project))
  const matrix = useQuery(matrixQuery(project))
  const pipelines = useQuery(pipelinesQuery(project)).data?.value
  const waiting = approvals.data?.value ?? []
  return (
    <Page title={project} sentence={sentenceOf(runs.data?.value, waiting.length)}>
      {waiting.length > 0 && <Section title="Waiting for a decision">{waiting.slice(0, 3).map((item) => <ApprovalCard key={item.id} item={item} only={waiting.length === 1} />)}</Section>}
      <Section title="What is where" aside={<Link to="/$project/environments" params={{ project }}>All environments</Link>}>
        <QueryView query={matrix} doing="read what is where" loading={<Skeleton rows={3} height={52} />}>
          {(data) => {
            const view = viewOf(data)
            if (view.services.length === 0) return <Empty title="No version is in any environment yet.">Versions show here once a deployment job has put container images in place.</Empty>
            return (
              <MatrixGrid
                view={{ ...view, services: view.services.slice(0, 8) }} selected={undefined}
                onSelect={(key) => void navigate({ to: '/$project/environments', params: { project }, search: { cell: key } })}
              />
            )
          }}
        </QueryView>
      </Section>
      <Section title="Last runs" aside={<Link to="/$project/runs" params={{ project }}>All runs</Link>}>
        <QueryView query={runs} doing="list the runs" loading={<Skeleton rows={5} height={48} />}>
          {({ value }) => value.length === 0 ? <Empty title="Nothing has run yet.">{pipelines?.length === 0 ? 'This project has no pipeline that could: begin with' : 'Push a commit, or start one from'} <Link to="/$project/pipelines" params={{ project }}>Pipelines</Link>.</Empty> : <RunTable runs={value} label="Last runs" />}
        </QueryView>
      </Section>
    </Page>
  )
}

function sentenceOf(runs: RunSummary[] | undefined, waiting: number): string | undefined {
  if (runs === undefined) return undefined
  const first = waiting === 0 ? 'Nothing waits for a decision' : `${waiting === 1 ? '1 deployment waits' : `${waiting} deployments wait`} for a decision`
  return `${first}; ${activity(runs.filter((run) => stateOfRun(run) !== 'waiting'))}.`
}
