import { Button } from '@fluentui/react-components'
import { Add16Regular } from '@fluentui/react-icons'
import { useQuery } from '@tanstack/react-query'
import { useNavigate, useParams } from '@tanstack/react-router'
import { lazy, Suspense, useState } from 'react'
import type { CheckConfiguration, MatrixCell, MatrixResource } from '@/api/types'
import { Page, Section } from '@/components/page'
import { QueryView } from '@/components/query-view'
import { RunLink, VersionName } from '@/components/run-bits'
import { StateLabel } from '@/components/state-icon'
import { Time } from '@/components/time'
import { DataTable, type Column } from '@/components/data-table'
import { Empty } from '@/components/empty'
import { RowActions } from '@/components/row-actions'
import { TwoLines } from '@/components/cells'
import { checksQuery, environmentQuery, matrixQuery, removeCheck, removeEnvironment, removeResource } from '@/features/environments/api/environments'
import { HistoryFeed } from '@/features/environments/components/history-feed'
import { checkSentence } from '@/features/environments/model/check-form'
import { note, stateOfCell, targetName, viewOf, type MatrixView, type Target } from '@/features/environments/model/matrix-view'
import { placeSentence } from '@/features/environments/model/place-sentence'
import { endpointsQuery } from '@/features/library/api/library'
import { runName, subject } from '@/lib/format'
import { useNow } from '@/lib/clock'
import { keys } from '@/lib/keys'
import { useIsAdmin } from '@/lib/me'
import { useProject } from '@/lib/project'
import styles from './environment-route.module.css'

const EnvironmentDialog = lazy(() => import('@/features/environments/components/environment-dialog').then((module) => ({ default: module.EnvironmentDialog })))
const CheckDialog = lazy(() => import('@/features/environments/components/check-dialog').then((module) => ({ default: module.CheckDialog })))
const ResourceDialog = lazy(() => import('@/features/environments/components/resource-dialog').then((module) => ({ default: module.ResourceDialog })))
const RemoveDialog = lazy(() => import('@/components/remove-dialog').then((module) => ({ default: module.RemoveDialog })))

/** What is being made, changed or taken away. */
type Editing =
  | { kind: 'environment' | 'removal' | 'resource' } | { kind: 'check'; check: CheckConfiguration | undefined }
  | { kind: 'check removal'; check: CheckConfiguration } | { kind: 'resource removal'; resource: MatrixResource }

export function EnvironmentRoute() {
  const project = useProject()
  const environmentId = Number(useParams({ from: '/$project/environments/$environmentId' }).environmentId)
  const matrix = useQuery(matrixQuery(project))
  return (
    <QueryView query={matrix} title="Environment" doing="show the environment">
      {(data) => {
        const view = viewOf(data)
        const targets = view.targets.filter((target) => target.environment.id === environmentId)
        const first = targets[0]
        if (first === undefined) return <Page title="There is no such environment" sentence="It may have been deleted, or it belongs to another project."><></></Page>
        return <EnvironmentPage view={view} targets={targets} name={first.environment.name} id={environmentId} />
      }}
    </QueryView>
  )
}

interface Here {
  service: string
  target: Target
  cell: MatrixCell
}

function EnvironmentPage({ view, targets, name, id }: { view: MatrixView; targets: Target[]; name: string; id: number }) {
  const project = useProject()
  const now = useNow()
  const admin = useIsAdmin()
  const navigate = useNavigate()
  const [editing, setEditing] = useState<Editing>()
  const checks = useQuery(checksQuery(project, id))
  const made = useQuery(environmentQuery(project, id)).data
  const about = made?.description ?? ''
  const here = view.services.flatMap((service) => targets.flatMap((target): Here[] => {
    const cell = view.cell(service, target)
    return cell === undefined ? [] : [{ service: service.key, target, cell }]
  }))
  const locked = targets[0]?.environment.locked
  return (
    <Page
      title={name} sentence={<>{about !== '' && <>{about}{/[.!?]$/.test(about) ? '' : '.'} </>}{placeSentence(name, here, now)}{locked !== undefined && <> Locked by run <RunLink id={locked.runId}>{locked.runNumber}</RunLink>.</>}</>}
      actions={admin && <><Button onClick={() => setEditing({ kind: 'environment' })}>Edit environment</Button><Button onClick={() => setEditing({ kind: 'removal' })}>Delete</Button></>}
    >
      <Section title="In place now">
        {here.length === 0 ? <Empty title="No version is in place here yet." example={`- deployment: Deploy\n  environment: ${name}\n  strategy:\n    runOnce:\n      deploy:\n        steps: []`}>A version shows when a deployment job that names this environment has put a container image in place:</Empty> : <DataTable label={`Versions in ${name}`} columns={columns} items={here} keyOf={(one) => `${one.service}-${one.cell.resourceId}`} rowHeight={48} />}
      </Section>
      <Section title="Resources" aside={admin && <Button size="small" icon={<Add16Regular />} onClick={() => setEditing({ kind: 'resource' })}>New resource</Button>}>
        <ResourceTable name={name} targets={targets} here={here} onRemove={admin ? (resource) => setEditing({ kind: 'resource removal', resource }) : undefined} />
        {made?.createdBy !== undefined && made.createdBy.displayName !== '' && made.createdOn !== undefined && <p className={styles.made}>{name} was created by {made.createdBy.displayName} <Time at={made.createdOn} form="sentence" />.</p>}
      </Section>
      <Section title="Checks" aside={admin && <Button size="small" icon={<Add16Regular />} onClick={() => setEditing({ kind: 'check', check: undefined })}>New check</Button>}>
        <QueryView query={checks} doing="read the checks">
          {({ value }) => value.length === 0 ? <p>Every run of a pipeline that may use this environment deploys to it without asking.</p> : (
            <ul className={styles.checks}>
              {value.map((check) => (
                <li key={check.id}>
                  <span>{checkSentence(check)}</span>
                  {admin && <RowActions name={`check ${check.type.name}`} onEdit={() => setEditing({ kind: 'check', check })} onRemove={() => setEditing({ kind: 'check removal', check })} removeVerb="Remove" />}
                </li>
              ))}
            </ul>
          )}
        </QueryView>
      </Section>
      <Section title="Deployments"><HistoryFeed filter={{ environmentId: id }} place /></Section>
      <Suspense fallback={null}>
        {editing?.kind === 'environment' && <EnvironmentDialog environment={{ id, name, description: about }} onClose={() => setEditing(undefined)} onSaved={() => setEditing(undefined)} />}
        {editing?.kind === 'removal' && (
          <RemoveDialog
            title={`Delete the environment ${name}?`} consequence="Its checks and resources go with it. Pipelines that name it no longer start." doing="delete the environment"
            remove={removeEnvironment(project, id)} stale={[keys.matrix(project)]} gone={environmentQuery(project, id).queryKey} onClose={() => setEditing(undefined)} onDone={() => void navigate({ to: '/$project/environments', params: { project } })}
          />
        )}
        {editing?.kind === 'check' && <CheckDialog check={editing.check} environment={{ id, name }} onClose={() => setEditing(undefined)} />}
        {editing?.kind === 'check removal' && (
          <RemoveDialog
            title={`Remove this check from ${name}?`} verb="Remove" consequence={`${checkSentence(editing.check)} Deployments to ${name} no longer wait for it.`} doing="remove the check"
            remove={removeCheck(project, editing.check.id)} stale={[keys.checks(project)]} onClose={() => setEditing(undefined)}
          />
        )}
        {editing?.kind === 'resource' && <NewResource environment={{ id, name }} onClose={() => setEditing(undefined)} />}
        {editing?.kind === 'resource removal' && (
          <RemoveDialog
            title={`Remove the resource ${editing.resource.name} from ${name}?`} verb="Remove" consequence="What runs there goes on running, but deployments can no longer be addressed to it." doing="remove the resource"
            remove={removeResource(project, id, editing.resource.type.toLowerCase() === 'kubernetes' ? 'kubernetes' : 'dockerhosts', editing.resource.id)} stale={[keys.matrix(project)]} onClose={() => setEditing(undefined)}
          />
        )}
      </Suspense>
    </Page>
  )
}

/** The connections of the library, for the resource that needs one. */
function NewResource(props: { environment: { id: number; name: string }; onClose: () => void }) {
  const connections = useQuery(endpointsQuery(useProject()))
  return connections.data === undefined ? null : <ResourceDialog {...props} connections={connections.data.value} />
}

interface ResourceRow {
  target: Target
  services: Here[]
}

const kindOf = (resource: MatrixResource): string => (resource.type.toLowerCase() === 'kubernetes' ? 'Kubernetes namespace' : 'Docker host')

const resourceColumns: Column<ResourceRow>[] = [
  { header: 'Resource', cell: ({ target }) => <TwoLines top={target.resource?.name ?? 'the environment itself'} below={target.resource === undefined ? 'deployments that name no resource' : kindOf(target.resource)} title={targetName(target)} /> },
  { header: 'Namespace', width: '160px', from: 'medium', cell: ({ target }) => <span className="mono">{target.resource?.namespace ?? ''}</span> },
  { header: 'Services', from: 'small', width: '28%', cell: ({ services }) => <TwoLines title={services.map((one) => one.service).join(', ')} top={services.length === 0 ? 'none yet' : services.map((one) => one.service).join(', ')} /> },
  { header: 'Last change', width: '112px', align: 'right', cell: ({ services }) => <LastChange services={services} /> },
]

function LastChange({ services }: { services: Here[] }) {
  const last = services.map(({ cell }) => cell.since ?? '').sort().at(-1)
  return last === undefined || last === '' ? null : <Time at={last} form="sentence" />
}

/** What deployments can be addressed to, and what is there. */
function ResourceTable({ name, targets, here, onRemove }: { name: string; targets: Target[]; here: Here[]; onRemove: ((resource: MatrixResource) => void) | undefined }) {
  const rows = targets.map((target): ResourceRow => ({ target, services: here.filter((one) => one.target === target) }))
  const columns: Column<ResourceRow>[] = onRemove === undefined ? resourceColumns : [...resourceColumns, {
    header: 'Change', hideHeader: true, width: '56px', align: 'right',
    cell: ({ target: { resource } }) => resource === undefined ? null : <RowActions name={resource.name} removeVerb="Remove" onRemove={() => onRemove(resource)} />,
  }]
  return <DataTable label={`Resources of ${name}`} columns={columns} items={rows} keyOf={({ target }) => target.resource?.id ?? 0} />
}

const columns: Column<Here>[] = [
  { header: 'Service', cell: ({ service, target }) => <TwoLines top={service} below={targetName(target)} title={service} /> },
  { header: 'State', width: '128px', from: 'medium', cell: ({ cell }) => <StateLabel state={stateOfCell(cell)} /> },
  {
    header: 'Version', width: '40%',
    cell: ({ cell }) => cell.version === undefined || cell.version === null ? 'none yet' : <TwoLines title={cell.version.commitMessage} top={<><VersionName version={cell.version} /> {subject(cell.version.commitMessage)}</>} below={note(cell) === '' ? undefined : note(cell)} />,
  },
  { header: 'Run', width: '180px', from: 'wide', align: 'right', cell: ({ cell }) => cell.runId === undefined ? '' : <RunLink id={cell.runId}>{runName(cell)}</RunLink> },
  { header: 'For', width: '72px', align: 'right', cell: ({ cell }) => cell.since === undefined ? '' : <Time at={cell.since} /> },
]
