import { useQuery } from '@tanstack/react-query'
import { useParams } from '@tanstack/react-router'
import type { CheckConfiguration, MatrixCell } from '@/api/types'
import { Page, Section } from '@/components/page'
import { QueryView } from '@/components/query-view'
import { RunLink, VersionName } from '@/components/run-bits'
import { StateLabel } from '@/components/state-icon'
import { Time } from '@/components/time'
import { DataTable, type Column } from '@/components/data-table'
import { Empty } from '@/components/empty'
import { TwoLines } from '@/components/cells'
import { checksQuery, matrixQuery } from '@/features/environments/api/environments'
import { HistoryFeed } from '@/features/environments/components/history-feed'
import { note, stateOfCell, targetName, versionText, viewOf, type MatrixView, type Target } from '@/features/environments/model/matrix-view'
import { clock, subject } from '@/lib/format'
import { useNow } from '@/lib/clock'
import { useProject } from '@/lib/project'

export function EnvironmentRoute() {
  const project = useProject()
  const environmentId = Number(useParams({ from: '/$project/environments/$environmentId' }).environmentId)
  const matrix = useQuery(matrixQuery(project))
  return (
    <QueryView query={matrix} doing="show the environment">
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
  const checks = useQuery(checksQuery(project, id))
  const here = view.services.flatMap((service) => targets.flatMap((target): Here[] => {
    const cell = view.cell(service, target)
    return cell === undefined ? [] : [{ service: service.key, target, cell }]
  }))
  const locked = targets[0]?.environment.locked
  return (
    <Page title={name} sentence={<>{sentenceOf(name, here, now)}{locked !== undefined && <> Locked by run <RunLink id={locked.runId}>{locked.runNumber}</RunLink>.</>}</>}>
      <Section title="In place now">
        {here.length === 0 ? <Empty title="Nothing has been deployed here yet." /> : <DataTable label={`Versions in ${name}`} columns={columns} items={here} keyOf={(one) => `${one.service}-${one.cell.resourceId}`} rowHeight={48} />}
      </Section>
      <Section title="Resources">
        <ResourceTable name={name} targets={targets} here={here} />
      </Section>
      <Section title="Checks">
        <QueryView query={checks} doing="read the checks">
          {({ value }) => value.length === 0 ? <p>Every run of a pipeline that may use this environment deploys to it without asking.</p> : (
            <ul style={{ margin: 0, paddingLeft: 20 }}>{value.map((check) => <li key={check.id}>{checkSentence(check)}</li>)}</ul>
          )}
        </QueryView>
      </Section>
      <Section title="Deployments"><HistoryFeed filter={{ environmentId: id }} place /></Section>
    </Page>
  )
}

interface ResourceRow {
  target: Target
  services: Here[]
}

const resourceColumns: Column<ResourceRow>[] = [
  { header: 'Resource', cell: ({ target }) => <TwoLines top={target.resource?.name ?? 'the environment itself'} below={target.resource === undefined ? 'deployments that name no resource' : undefined} title={targetName(target)} /> },
  { header: 'Kind', width: '176px', cell: ({ target }) => (target.resource === undefined ? '' : target.resource.type.toLowerCase() === 'kubernetes' ? 'Kubernetes namespace' : 'Docker host') },
  { header: 'Namespace', width: '160px', from: 'medium', cell: ({ target }) => <span className="mono">{target.resource?.namespace ?? ''}</span> },
  { header: 'Services', from: 'small', width: '28%', cell: ({ services }) => <TwoLines title={services.map((one) => one.service).join(', ')} top={services.length === 0 ? 'none yet' : services.map((one) => one.service).join(', ')} /> },
  { header: 'Last change', width: '112px', align: 'right', cell: ({ services }) => <LastChange services={services} /> },
]

function LastChange({ services }: { services: Here[] }) {
  const last = services.map(({ cell }) => cell.since ?? '').sort().at(-1)
  return last === undefined || last === '' ? null : <Time at={last} form="sentence" />
}

/** What deployments can be addressed to, and what is there. */
function ResourceTable({ name, targets, here }: { name: string; targets: Target[]; here: Here[] }) {
  const rows = targets.map((target): ResourceRow => ({ target, services: here.filter((one) => one.target === target) }))
  return <DataTable label={`Resources of ${name}`} columns={resourceColumns} items={rows} keyOf={({ target }) => target.resource?.id ?? 0} />
}

const columns: Column<Here>[] = [
  { header: 'Service', cell: ({ service, target }) => <TwoLines top={service} below={targetName(target)} title={service} /> },
  { header: 'State', width: '128px', from: 'medium', cell: ({ cell }) => <StateLabel state={stateOfCell(cell)} /> },
  {
    header: 'Version', width: '40%',
    cell: ({ cell }) => cell.version === undefined || cell.version === null ? 'none yet' : <TwoLines title={cell.version.commitMessage} top={<><VersionName version={cell.version} /> {subject(cell.version.commitMessage)}</>} below={note(cell) === '' ? undefined : note(cell)} />,
  },
  { header: 'Run', width: '120px', from: 'wide', align: 'right', cell: ({ cell }) => cell.runId === undefined ? '' : <RunLink id={cell.runId}>{cell.runNumber}</RunLink> },
  { header: 'For', width: '72px', align: 'right', cell: ({ cell }) => cell.since === undefined ? '' : <Time at={cell.since} /> },
]

/** "web 8d01b7a has been in production since Tue 18 Nov 14:02, 3 commits behind." */
function sentenceOf(name: string, here: Here[], now: number): string {
  const newest = here.filter(({ cell }) => cell.since !== undefined).sort((a, b) => (b.cell.since ?? '').localeCompare(a.cell.since ?? ''))[0]
  if (newest?.cell.version === undefined || newest.cell.version === null) return `Nothing is in ${name} yet.`
  const behind = newest.cell.behind !== undefined && newest.cell.behind > 0 ? `, ${newest.cell.behind} commits behind` : ''
  const others = here.length - 1
  return `${newest.service} ${versionText(newest.cell.version)} has been in ${name} since ${clock(newest.cell.since ?? '', now)}${behind}${others > 0 ? `; ${others === 1 ? 'one other is' : `${others} others are`} older` : ''}.`
}

function checkSentence(check: CheckConfiguration): string {
  const kind = check.type.name.toLowerCase().replace(/[\s_-]/g, '')
  if (kind === 'approval') {
    const approvers = Array.isArray(check.settings?.approvers) ? (check.settings.approvers as { displayName?: string }[]).map((one) => one.displayName ?? '').filter((one) => one !== '') : []
    const instructions = typeof check.settings?.instructions === 'string' && check.settings.instructions !== '' ? ` "${check.settings.instructions}"` : ''
    return `Approval${approvers.length === 0 ? '' : ` by ${approvers.join(' or ')}`}.${instructions}`
  }
  if (kind === 'exclusivelock') return 'Exclusive lock: one run at a time.'
  return `${check.type.name}.`
}
