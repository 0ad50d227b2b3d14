import { Button } from '@fluentui/react-components'
import { Add16Regular } from '@fluentui/react-icons'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { lazy, Suspense, useState } from 'react'
import type { Agent, Pool } from '@/api/types'
import { TwoLines } from '@/components/cells'
import { DataTable, type Column } from '@/components/data-table'
import { Empty } from '@/components/empty'
import { ErrorPanel } from '@/components/error-panel'
import { Section } from '@/components/page'
import { QueryView } from '@/components/query-view'
import { RowActions } from '@/components/row-actions'
import { StateIcon } from '@/components/state-icon'
import { plural } from '@/lib/format'
import { keys } from '@/lib/keys'
import { useIsAdmin } from '@/lib/me'
import { useSend } from '@/lib/send'
import { agentsQuery, enableWorker, removePool, removeWorker } from '../api/pools'
import { joinCommand, workerState } from '../model/worker'
import styles from './pools.module.css'

const PoolDialog = lazy(() => import('./pool-dialogs').then((module) => ({ default: module.PoolDialog })))
const JoinDialog = lazy(() => import('./pool-dialogs').then((module) => ({ default: module.JoinDialog })))
const RemoveDialog = lazy(() => import('@/components/remove-dialog').then((module) => ({ default: module.RemoveDialog })))

type Doing = { kind: 'join' | 'rename' | 'removal' } | { kind: 'worker removal'; agent: Agent }

/** The workers of one pool and what each is doing. */
export function PoolWorkers({ pool }: { pool: Pool }) {
  const admin = useIsAdmin()
  const agents = useQuery(agentsQuery(pool.id))
  const enable = useSend(enableWorker(pool.id), [keys.pools])
  const [doing, setDoing] = useState<Doing>()
  const online = agents.data?.value.filter((agent) => agent.status === 'online').length ?? 0
  const columns: Column<Agent>[] = [
    {
      header: 'Worker', cell: (agent) => {
        const { state, word } = workerState(agent)
        const system = agent.osDescription ?? agent.systemCapabilities?.['Agent.OS']
        return (
          <div className={styles.worker}>
            <StateIcon state={state} labelled={false} />
            <TwoLines top={agent.name} below={agent.unavailable ?? (system === undefined ? word : `${word} · ${system}`)} title={agent.unavailable ?? agent.name} />
          </div>
        )
      },
    },
    { header: 'Doing', from: 'small', cell: (agent) => <DoingNow agent={agent} /> },
    { header: 'Slots', from: 'medium', width: '72px', align: 'right', cell: (agent) => `${agent.jobs?.length ?? 0}/${agent.maxParallelism ?? 1}` },
    { header: 'Version', from: 'wide', width: '112px', align: 'right', cell: (agent) => agent.version ?? '' },
    ...(admin ? [{
      header: 'Change', hideHeader: true, width: '144px', align: 'right' as const,
      cell: (agent: Agent) => (
        <span className={styles.change}>
          <Button
            size="small" disabled={enable.isPending} aria-label={`${agent.enabled === false ? 'Enable' : 'Disable'} ${agent.name}`} title={agent.enabled === false ? 'Gets jobs again' : 'Ends what it has and gets nothing new'}
            onClick={() => enable.mutate({ id: agent.id, enabled: agent.enabled === false })}
          >
            {agent.enabled === false ? 'Enable' : 'Disable'}
          </Button>
          <RowActions name={agent.name} removeVerb="Remove" onRemove={() => setDoing({ kind: 'worker removal', agent })} />
        </span>
      ),
    }] : []),
  ]
  return (
    <Section
      title={pool.name}
      aside={<>
        {agents.data !== undefined && <span>{online} of {plural(agents.data.count, 'worker')} online</span>}
        {(pool.maxParallelism ?? 0) > 0 && <span className={styles.about}>{pool.heldJobs ?? 0} of at most {plural(pool.maxParallelism ?? 0, 'job')} at once</span>}
        {(pool.queuedJobs ?? 0) > 0 && <span className={styles.about}>{plural(pool.queuedJobs ?? 0, 'job')} in its queue</span>}
        {(pool.vmImages?.length ?? 0) > 0 && <span className={styles.about}>takes vmImage {pool.vmImages?.map((one) => (one === '*' ? 'of every other name' : one)).join(', ')}</span>}
        {admin && <Button size="small" icon={<Add16Regular />} onClick={() => setDoing({ kind: 'join' })}>New worker</Button>}
        {admin && <RowActions name={`pool ${pool.name}`} onEdit={() => setDoing({ kind: 'rename' })} onRemove={() => setDoing({ kind: 'removal' })} />}
      </>}
    >
      {enable.error !== null && <ErrorPanel error={enable.error} doing="change the worker" />}
      <QueryView query={agents} doing={`list the workers of ${pool.name}`}>
        {({ value }) => value.length === 0
          ? <Empty title="No worker has registered with this pool." example={joinCommand(window.location.origin, pool.name, 'TOKEN')}>Jobs of this pool wait until one does. {admin ? 'New worker makes this command with a token in it, for the machine that is to run them:' : 'An administrator makes the token; then, on the machine that is to run them:'}</Empty>
          : <>
            <DataTable label={`Workers of ${pool.name}`} columns={columns} items={value} keyOf={(agent) => agent.id} rowHeight={48} />
            {value.map((agent) => <Capabilities key={agent.id} agent={agent} />)}
          </>}
      </QueryView>
      <Suspense fallback={null}>
        {doing?.kind === 'join' && <JoinDialog pool={pool} onClose={() => setDoing(undefined)} />}
        {doing?.kind === 'rename' && <PoolDialog pool={pool} onClose={() => setDoing(undefined)} />}
        {doing?.kind === 'removal' && (
          <RemoveDialog
            title={`Delete the pool ${pool.name}?`} consequence="A pool can go once it has no worker and no waiting job. Pipelines that name it no longer find a worker." doing="delete the pool"
            remove={removePool(pool.id)} stale={[keys.pools]} gone={agentsQuery(pool.id).queryKey} onClose={() => setDoing(undefined)}
          />
        )}
        {doing?.kind === 'worker removal' && (
          <RemoveDialog
            title={`Remove the worker ${doing.agent.name}?`} verb="Remove" consequence="It is signed out and gets no more jobs. To come back it registers anew." doing="remove the worker"
            remove={removeWorker(pool.id, doing.agent.id)} stale={[keys.pools]} onClose={() => setDoing(undefined)}
          />
        )}
      </Suspense>
    </Section>
  )
}

/** The jobs of a worker, each with its run, which may be another project's. */
function DoingNow({ agent }: { agent: Agent }) {
  const jobs = agent.jobs ?? []
  const [first] = jobs
  if (first === undefined) return <span style={{ color: 'var(--text-2)' }}>{agent.status === 'online' ? 'nothing at the moment' : ''}</span>
  return (
    <TwoLines
      title={jobs.map((job) => `${job.name}: ${job.pipeline} ${job.runNumber}`).join('\n')} top={jobs.length === 1 ? first.name : `${first.name} and ${plural(jobs.length - 1, 'more job')}`}
      below={<Link to="/$project/runs/$runId" params={{ project: first.project, runId: String(first.runId) }}>{first.pipeline} {first.runNumber}</Link>}
    />
  )
}

const capabilities = (agent: Agent): [string, string][] =>
  Object.entries({ ...agent.systemCapabilities, ...agent.userCapabilities }).sort(([a], [b]) => a.localeCompare(b))

/** What the demands of a job are held against. */
function Capabilities({ agent }: { agent: Agent }) {
  const list = capabilities(agent)
  if (list.length === 0) return null
  return (
    <details className={styles.capabilities}>
      <summary>What {agent.name} can do: {plural(list.length, 'capability', 'capabilities')}</summary>
      <dl>{list.map(([name, value]) => <div key={name}><dt>{name}</dt><dd title={value}>{value}</dd></div>)}</dl>
    </details>
  )
}
