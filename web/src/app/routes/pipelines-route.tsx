import { Button, SearchBox } from '@fluentui/react-components'
import { Add16Regular } from '@fluentui/react-icons'
import { useQuery } from '@tanstack/react-query'
import { Link, useNavigate, useSearch } from '@tanstack/react-router'
import { lazy, Suspense } from 'react'
import { Empty } from '@/components/empty'
import { Page } from '@/components/page'
import { QueryView } from '@/components/query-view'
import { Skeleton } from '@/components/skeleton'
import { pipelineOverviewsQuery } from '@/features/pipelines/api/pipelines'
import { PipelineTable } from '@/features/pipelines/components/pipeline-table'
import { activity } from '@/features/runs/model/activity'
import { plural } from '@/lib/format'
import { useIsAdmin } from '@/lib/me'
import { useProject } from '@/lib/project'

const QueueDialog = lazy(() => import('@/features/pipelines/components/queue-dialog').then((module) => ({ default: module.QueueDialog })))

const firstPipeline = `trigger:
- main
pool:
  vmImage: ubuntu-latest
steps:
- script: echo it works`

export function PipelinesRoute() {
  const project = useProject()
  const navigate = useNavigate({ from: '/$project/pipelines' })
  const { q = '', run } = useSearch({ from: '/$project/pipelines' })
  const pipelines = useQuery(pipelineOverviewsQuery(project))
  const runs = pipelines.data?.value.flatMap((one) => one.runs) ?? []
  const queueing = pipelines.data?.value.find((one) => one.id === run)
  const sentence = pipelines.data === undefined || pipelines.data.count === 0 ? undefined : `${plural(pipelines.data.count, 'pipeline')}; ${activity(runs)}.`
  const admin = useIsAdmin()
  return (
    <Page
      title="Pipelines" sentence={sentence}
      actions={admin && <Button appearance="primary" icon={<Add16Regular />} onClick={() => void navigate({ to: '/$project/pipelines/new', params: { project }, search: {} })}>New pipeline</Button>}
    >
      <QueryView query={pipelines} doing="list the pipelines" loading={<Skeleton rows={5} height={48} />}>
        {({ value }) => {
          if (value.length === 0)
            return <Empty title="This project has no pipeline yet." example={firstPipeline}>A pipeline is a file azure-pipelines.yml in a repository of the project. {admin ? <><Link to="/$project/pipelines/new" params={{ project }}>New pipeline</Link> takes you through both.</> : 'An administrator creates the pipeline for it.'} The smallest one:</Empty>
          const shown = value.filter((one) => `${one.folder}\\${one.name}`.toLowerCase().includes(q.toLowerCase()))
          return (
            <>
              {(value.length > 8 || q !== '') && (
                <SearchBox
                  size="small" placeholder="Filter by name" aria-label="Filter pipelines" value={q} style={{ marginBottom: 8, width: 280, maxWidth: '100%' }}
                  onChange={(_, data) => void navigate({ search: { q: data.value === '' ? undefined : data.value }, replace: true })}
                />
              )}
              {shown.length === 0 ? <Empty title={`No pipeline is called "${q}".`} /> : (
                <PipelineTable pipelines={shown} onRun={(pipeline) => void navigate({ search: (before) => ({ ...before, run: pipeline.id }) })} />
              )}
            </>
          )
        }}
      </QueryView>
      <Suspense fallback={null}>
        {queueing !== undefined && <QueueDialog pipeline={queueing} onClose={() => void navigate({ search: (before) => ({ ...before, run: undefined }), replace: true })} />}
      </Suspense>
    </Page>
  )
}
