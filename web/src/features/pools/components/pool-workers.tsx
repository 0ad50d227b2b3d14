import { useQuery } from '@tanstack/react-query'
import type { Agent, Pool } from '@/api/types'
import { Section } from '@/components/page'
import { DataTable, type Column } from '@/components/data-table'
import { Empty } from '@/components/empty'
import { QueryView } from '@/components/query-view'
import { RunLink } from '@/components/run-bits'
import { StateLabel } from '@/components/state-icon'
import { TwoLines } from '@/components/cells'
import { plural } from '@/lib/format'
import { agentsQuery } from '../api/pools'
import styles from './pools.module.css'

/** The workers of one pool and what each is doing. */
export function PoolWorkers({ pool }: { pool: Pool }) {
  const agents = useQuery(agentsQuery(pool.id))
  const online = agents.data?.value.filter((agent) => agent.status === 'online').length ?? 0
  return (
    <Section title={pool.name} aside={agents.data !== undefined && <span>{online} of {plural(agents.data.count, 'worker')} online</span>}>
      <QueryView query={agents} doing={`list the workers of ${pool.name}`}>
        {({ value }) => value.length === 0
          ? <Empty title="No worker has registered with this pool." example={`slipway worker --server ${window.location.origin} --pool ${pool.name} --token TOKEN`}>Jobs of this pool wait until one does. On the machine that is to run them:</Empty>
          : <>
            <DataTable label={`Workers of ${pool.name}`} columns={columns} items={value} keyOf={(agent) => agent.id} />
            {value.map((agent) => <Capabilities key={agent.id} agent={agent} />)}
          </>}
      </QueryView>
    </Section>
  )
}

function workerState(agent: Agent) {
  if (agent.status !== 'online') return <StateLabel state="unknown" word="Offline" />
  if (agent.enabled === false) return <StateLabel state="canceled" word="Disabled" />
  return agent.assignedRequest === undefined || agent.assignedRequest === null ? <StateLabel state="succeeded" word="Idle" /> : <StateLabel state="running" />
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

const columns: Column<Agent>[] = [
  { header: 'State', width: '112px', cell: workerState },
  { header: 'Worker', cell: (agent) => <TwoLines top={agent.name} below={agent.osDescription ?? agent.systemCapabilities?.['Agent.OS']} title={agent.name} /> },
  {
    header: 'Doing', cell: (agent) => {
      const request = agent.assignedRequest
      if (request === undefined || request === null) return <span style={{ color: 'var(--text-2)' }}>{agent.status === 'online' ? 'nothing at the moment' : ''}</span>
      return request.owner === undefined ? request.jobName : <TwoLines top={request.jobName} below={<RunLink id={request.owner.id}>run {request.owner.name}</RunLink>} />
    },
  },
  { header: 'Slots', from: 'medium', width: '72px', align: 'right', cell: (agent) => agent.maxParallelism ?? 1 },
  { header: 'Version', from: 'wide', width: '112px', align: 'right', cell: (agent) => agent.version ?? '' },
]
