import { Button, Switch } from '@fluentui/react-components'
import { Play16Regular } from '@fluentui/react-icons'
import { useQuery } from '@tanstack/react-query'
import { Link, useNavigate, useParams } from '@tanstack/react-router'
import { lazy, Suspense, useState } from 'react'
import type { Pipeline, RunSummary } from '@/api/types'
import { Copyable } from '@/components/copyable'
import { DiagnosticSummary } from '@/components/diagnostics'
import { Empty } from '@/components/empty'
import { ErrorPanel } from '@/components/error-panel'
import { Page, Section } from '@/components/page'
import { QueryView } from '@/components/query-view'
import { Skeleton } from '@/components/skeleton'
import { YamlView } from '@/components/yaml-view'
import { badgesQuery, changeBadges, definitionQuery, removePipeline, validationQuery } from '@/features/pipelines/api/definitions'
import { pipelineOverviewsQuery, pipelineQuery, previewQuery } from '@/features/pipelines/api/pipelines'
import { triggersOf, type TriggerText } from '@/features/pipelines/model/triggers'
import { usualDuration } from '@/features/pipelines/model/usual'
import { recentRunsQuery } from '@/features/runs/api/runs'
import { RunTable } from '@/features/runs/components/run-table'
import { summarySentence } from '@/features/runs/model/sentence'
import { ago, branchName, duration } from '@/lib/format'
import { apiPath } from '@/lib/http'
import { limitText } from '@/lib/job-limit'
import { useNow } from '@/lib/clock'
import { keys } from '@/lib/keys'
import { useIsAdmin } from '@/lib/me'
import { useProject } from '@/lib/project'
import { useSend } from '@/lib/send'
import { stateOfRun } from '@/lib/state'
import styles from './pipeline-route.module.css'

const PipelineDialog = lazy(() => import('@/features/pipelines/components/pipeline-dialog').then((module) => ({ default: module.PipelineDialog })))
const RemoveDialog = lazy(() => import('@/components/remove-dialog').then((module) => ({ default: module.RemoveDialog })))

/** One pipeline: how it has been doing, what starts it, and where its file is. */
export function PipelineRoute() {
  const project = useProject()
  const { pipelineId } = useParams({ from: '/$project/pipelines/$pipelineId' })
  const id = Number(pipelineId)
  const isNumber = Number.isInteger(id)
  const pipeline = useQuery({ ...pipelineQuery(project, id), enabled: isNumber })
  if (!isNumber) return <Page title={`There is no pipeline ${pipelineId}`} sentence="Pipelines have numbers; the address has a typing error."><></></Page>
  return (
    <QueryView query={pipeline} title="Pipeline" doing="show the pipeline" loading={<div style={{ padding: '20px 24px' }}><Skeleton rows={8} /></div>}>
      {(data) => <PipelinePage pipeline={data} />}
    </QueryView>
  )
}

function PipelinePage({ pipeline }: { pipeline: Pipeline }) {
  const project = useProject()
  const navigate = useNavigate()
  const now = useNow()
  const runs = useQuery(recentRunsQuery(project, { pipelineId: pipeline.id }, 10))
  // Its name in the breadcrumb comes from the list.
  useQuery(pipelineOverviewsQuery(project))
  const preview = useQuery(previewQuery(project, pipeline.id))
  const admin = useIsAdmin()
  const definition = useQuery(definitionQuery(project, pipeline.id))
  const [editing, setEditing] = useState<'settings' | 'removal'>()
  const last = runs.data?.value[0]
  const { configuration } = pipeline
  const status = definition.data?.queueStatus
  return (
    <Page
      title={pipeline.name} state={last === undefined ? undefined : stateOfRun(last)} sentence={runs.data === undefined ? undefined : `${status === 'paused' ? 'Paused: only people start it. ' : status === 'disabled' ? 'Disabled: nothing starts it. ' : ''}${sentenceOf(runs.data.value, now)}`}
      actions={<>
        {admin && <Button onClick={() => setEditing('settings')}>Edit pipeline</Button>}
        {admin && <Button onClick={() => setEditing('removal')}>Delete</Button>}
        <Button appearance="primary" icon={<Play16Regular />} onClick={() => void navigate({ to: '/$project/pipelines', params: { project }, search: { run: pipeline.id } })}>Run pipeline</Button>
      </>}
    >
      <Section title="Last runs" aside={<Link to="/$project/runs" params={{ project }} search={{ pipeline: pipeline.id }}>All its runs</Link>}>
        <QueryView query={runs} doing="list the runs" loading={<Skeleton rows={4} height={48} />}>
          {({ value }) => value.length === 0 ? <Empty title="This pipeline has not run yet.">Run it, or push what its triggers name.</Empty> : <RunTable runs={value} label="Last runs" />}
        </QueryView>
      </Section>
      <Section title="What starts it">
        <QueryView query={preview} doing="read the pipeline's file" loading={<Skeleton rows={2} />}>
          {({ finalYaml }) => <Triggers list={triggersOf(finalYaml)} />}
        </QueryView>
      </Section>
      <Section title="Settings">
        <dl className={styles.facts}>
          {configuration !== undefined && <>
            <div><dt>File</dt><dd><code>{configuration.path}</code> in the repository {configuration.repository.name}</dd></div>
            <div><dt>Default branch</dt><dd>{branchName(configuration.repository.defaultBranch)}</dd></div>
          </>}
          <div><dt>Folder</dt><dd>{pipeline.folder.replaceAll('\\', '/')}</dd></div>
          {limitText(definition.data?.maxParallelism) !== '' && <div><dt>Jobs at once</dt><dd>at most {definition.data?.maxParallelism}, of all its runs together</dd></div>}
          <Badge name={pipeline.name} />
        </dl>
      </Section>
      {configuration !== undefined && <Section title={configuration.path}><File repository={configuration.repository.id} path={configuration.path} branch={configuration.repository.defaultBranch} /></Section>}
      <Suspense fallback={null}>
        {editing === 'settings' && definition.data !== undefined && <PipelineDialog definition={definition.data} onClose={() => setEditing(undefined)} />}
        {editing === 'removal' && (
          <RemoveDialog
            title={`Delete the pipeline ${pipeline.name}?`} consequence="Its runs go with it, their logs and artifacts too. The file stays in its repository, and the history of deployments stays." doing="delete the pipeline"
            remove={removePipeline(project, pipeline.id)} stale={[keys.runs(project)]} onClose={() => setEditing(undefined)} onDone={() => void navigate({ to: '/$project/pipelines', params: { project } })}
          />
        )}
      </Suspense>
    </Page>
  )
}

/** The file as it stands on the default branch, with what is wrong at its lines. */
function File({ repository, path, branch }: { repository: string; path: string; branch: string }) {
  const file = useQuery(validationQuery(useProject(), { repository, path, branch }))
  return (
    <QueryView query={file} doing="read the pipeline's file" loading={<Skeleton rows={8} height={20} />}>
      {(data) => (
        <>
          <DiagnosticSummary list={data.diagnostics} />
          {data.text !== '' && <YamlView text={data.text} noun="file" diagnostics={data.diagnostics.filter((one) => one.file === undefined || one.file === data.path || `/${one.file}` === data.path)} />}
        </>
      )}
    </QueryView>
  )
}

function Triggers({ list }: { list: TriggerText[] }) {
  if (list.length === 0) return <p className={styles.none}>Nothing: it runs when somebody asks for it.</p>
  return (
    <ul className={styles.triggers}>
      {list.map((one) => (
        <li key={one.when}>
          <span>{one.when}</span>
          {one.only.map((text) => <span key={text} className={styles.only}>{text}</span>)}
        </li>
      ))}
    </ul>
  )
}

/** The picture that other pages show, with what one writes into a README, and who sees it there. */
function Badge({ name }: { name: string }) {
  const project = useProject()
  const admin = useIsAdmin()
  const settings = useQuery(badgesQuery(project))
  const send = useSend(changeBadges(project), [keys.badges(project)])
  const path = apiPath([project, '_apis', 'build', 'status', name])
  const open = settings.data?.statusBadgesArePrivate === false
  return (
    <div>
      <dt>Badge</dt>
      <dd className={styles.badge}>
        <img src={path} alt={`State of ${name}`} height={20} />
        <Copyable value={`![${name}](${new URL(path, window.location.origin).href})`} label="Copy as Markdown" noun="badge" />
        {settings.data !== undefined && (admin
          ? <Switch checked={open} disabled={send.isPending} label="Everybody may see the badges of this project" onChange={(_, { checked }) => send.mutate({ statusBadgesArePrivate: !checked })} />
          : <span className={styles.only}>{open ? 'Everybody may see it.' : 'Only people who are signed in see it; an administrator can change that.'}</span>)}
        {send.error !== null && <ErrorPanel error={send.error} doing="change who sees the badges" />}
      </dd>
    </div>
  )
}

/** "Failed in Build 5 min ago; 8 of the last 10 succeeded; usually takes 24s." */
function sentenceOf(runs: RunSummary[], now: number): string {
  const [last] = runs
  if (last === undefined) return 'It has not run yet.'
  const finished = runs.filter((run) => run.status === 'completed')
  const good = finished.filter((run) => run.result === 'succeeded').length
  const usual = usualDuration(runs)
  return [
    `${summarySentence(last)}${last.status === 'completed' ? ` ${ago(last.finishedAt ?? last.queuedAt, now)}` : ''}`,
    ...(finished.length > 1 ? [`${good} of the last ${finished.length} succeeded`] : []),
    ...(usual === undefined ? [] : [`usually takes ${duration(usual)}`]),
  ].join('; ') + '.'
}
