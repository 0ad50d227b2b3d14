import { Button } from '@fluentui/react-components'
import { Play16Regular } from '@fluentui/react-icons'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import type { Pipeline, RunSummary } from '@/api/types'
import { TwoLines } from '@/components/cells'
import { DataTable, type Column } from '@/components/data-table'
import { RunLink, reasonText } from '@/components/run-bits'
import { StateIcon } from '@/components/state-icon'
import { Time } from '@/components/time'
import { asSentence, branchName, duration, elapsed, subject } from '@/lib/format'
import { useProject } from '@/lib/project'
import { stateOfRun, states } from '@/lib/state'
import { pipelineRunsQuery } from '../api/pipelines'
import styles from './pipeline-table.module.css'

interface PipelineTableProps {
  pipelines: Pipeline[]
  onRun: (pipeline: Pipeline) => void
}

export function PipelineTable({ pipelines, onRun }: PipelineTableProps) {
  const columns: Column<Pipeline>[] = [
    { header: 'Pipeline', cell: (one) => <PipelineName pipeline={one} /> },
    { header: 'Last run', from: 'small', cell: (one) => <LastRun id={one.id} /> },
    { header: 'Last ten', from: 'wide', width: '184px', cell: (one) => <LastTen id={one.id} /> },
    { header: 'Usually takes', from: 'wide', width: '104px', align: 'right', cell: (one) => <Usual id={one.id} /> },
    { header: 'Age', from: 'medium', width: '72px', align: 'right', cell: (one) => <Age id={one.id} /> },
    {
      header: 'Run', hideHeader: true, width: '88px', align: 'right',
      cell: (one) => <Button size="small" className={styles.run} icon={<Play16Regular />} onClick={() => onRun(one)} aria-label={`Run ${one.name}`}>Run</Button>,
    },
  ]
  return <DataTable label="Pipelines" columns={columns} items={pipelines} keyOf={(one) => one.id} rowHeight={48} />
}

// Each cell reads the same cached answer; the row asks once.
const useRuns = (id: number): RunSummary[] | undefined => useQuery(pipelineRunsQuery(useProject(), id)).data?.value

function PipelineName({ pipeline }: { pipeline: Pipeline }) {
  const project = useProject()
  const last = useRuns(pipeline.id)?.[0]
  const folder = pipeline.folder.replaceAll('\\', '/').replace(/^\//, '')
  return (
    <div className={styles.name}>
      {last === undefined ? <span className={styles.blank} /> : <StateIcon state={stateOfRun(last)} />}
      <TwoLines
        title={pipeline.name} below={folder === '' ? undefined : folder}
        top={<Link to="/$project/runs" params={{ project }} search={{ pipeline: pipeline.id }} className="row-link">{pipeline.name}</Link>}
      />
    </div>
  )
}

function LastRun({ id }: { id: number }) {
  const runs = useRuns(id)
  const last = runs?.[0]
  if (runs === undefined) return null
  if (last === undefined) return <span className={styles.quiet}>Never run</span>
  return (
    <TwoLines
      title={asSentence(last.sentence)} top={<><span className={styles.above}><RunLink id={last.id}>{last.number}</RunLink></span> {subject(last.commitMessage)}</>}
      below={`${states[stateOfRun(last)].word} · ${branchName(last.branch)} · ${reasonText(last)}`}
    />
  )
}

function LastTen({ id }: { id: number }) {
  const runs = [...(useRuns(id) ?? [])].reverse()
  if (runs.length === 0) return null
  const words = runs.map((run) => `${run.number} ${states[stateOfRun(run)].word}`)
  return (
    <span className={styles.ten} role="img" aria-label={words.join(', ')} title={words.join('\n')}>
      {runs.map((run) => <StateIcon key={run.id} state={stateOfRun(run)} size={14} labelled={false} />)}
    </span>
  )
}

/** The median duration of what finished well. */
function Usual({ id }: { id: number }) {
  const times = (useRuns(id) ?? [])
    .filter((run) => run.result === 'succeeded')
    .map((run) => elapsed(run.startedAt, run.finishedAt, 0) ?? 0)
    .sort((a, b) => a - b)
  const middle = times[Math.floor(times.length / 2)]
  return <>{middle === undefined ? '' : duration(middle)}</>
}

function Age({ id }: { id: number }) {
  const last = useRuns(id)?.[0]
  return last === undefined ? null : <Time at={last.finishedAt ?? last.queuedAt} />
}
