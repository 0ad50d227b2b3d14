import { Button } from '@fluentui/react-components'
import { Play16Regular } from '@fluentui/react-icons'
import { Link } from '@tanstack/react-router'
import type { PipelineOverview, RunSummary } from '@/api/types'
import { TwoLines } from '@/components/cells'
import { DataTable, type Column } from '@/components/data-table'
import { RunLink, reasonText } from '@/components/run-bits'
import { StateIcon } from '@/components/state-icon'
import { Time } from '@/components/time'
import { useQueuePlaces } from '@/features/runs/components/use-queue-places'
import { summarySentence } from '@/features/runs/model/sentence'
import { branchName, duration, subject } from '@/lib/format'
import { useProject } from '@/lib/project'
import { stateOfRun, states } from '@/lib/state'
import { usualDuration } from '../model/usual'
import styles from './pipeline-table.module.css'

interface PipelineTableProps {
  pipelines: PipelineOverview[]
  onRun: (pipeline: PipelineOverview) => void
}

export function PipelineTable({ pipelines, onRun }: PipelineTableProps) {
  const places = useQueuePlaces(pipelines.flatMap((one) => one.runs.slice(0, 1)))
  const columns: Column<PipelineOverview>[] = [
    { header: 'Pipeline', width: '30%', cell: (one) => <PipelineName pipeline={one} place={places.get(one.runs[0]?.id ?? 0)} /> },
    { header: 'Last run', from: 'small', cell: (one) => <LastRun last={one.runs[0]} place={places.get(one.runs[0]?.id ?? 0)} /> },
    { header: 'Last ten', from: 'wide', width: '184px', cell: (one) => <LastTen runs={one.runs} /> },
    { header: 'Usually takes', from: 'wide', width: '104px', align: 'right', cell: (one) => <Usual runs={one.runs} /> },
    { header: 'Age', from: 'medium', width: '72px', align: 'right', cell: (one) => <Age last={one.runs[0]} /> },
    {
      header: 'Run', hideHeader: true, width: '88px', align: 'right',
      cell: (one) => <Button size="small" className={styles.run} icon={<Play16Regular />} onClick={() => onRun(one)} aria-label={`Run ${one.name}`}>Run</Button>,
    },
  ]
  return <DataTable label="Pipelines" columns={columns} items={pipelines} keyOf={(one) => one.id} rowHeight={48} />
}

function PipelineName({ pipeline, place }: { pipeline: PipelineOverview; place: string | undefined }) {
  const project = useProject()
  const last = pipeline.runs[0]
  const folder = pipeline.folder.replaceAll('\\', '/').replace(/^\//, '')
  return (
    <div className={styles.name}>
      {last === undefined ? <span className={styles.blank} /> : <StateIcon state={stateOfRun(last)} />}
      <TwoLines
        title={`${pipeline.name}\n${pipeline.path}`} below={<>
          {folder !== '' && <span className={styles.folder}>{folder}</span>}
          <span className={styles.narrow}>{last === undefined ? 'Never run' : `${states[stateOfRun(last)].word}${place === undefined ? '' : `, ${place}`}`}</span>
        </>}
        top={<Link to="/$project/pipelines/$pipelineId" params={{ project, pipelineId: String(pipeline.id) }} className="row-link">{pipeline.name}</Link>}
      />
    </div>
  )
}

function LastRun({ last, place }: { last: RunSummary | undefined; place: string | undefined }) {
  if (last === undefined) return <span className={styles.quiet}>Never run</span>
  return (
    <TwoLines
      title={`${subject(last.commitMessage)}\n${summarySentence(last)}${place === undefined ? '' : `: ${place}`}`} top={<><span className={styles.above}><RunLink id={last.id}>{last.number}</RunLink></span> {subject(last.commitMessage)}</>}
      below={`${states[stateOfRun(last)].word}${place === undefined ? '' : `, ${place}`} · ${branchName(last.branch)}${place === undefined ? ` · ${reasonText(last)}` : ''}`}
    />
  )
}

function LastTen({ runs }: { runs: RunSummary[] }) {
  if (runs.length === 0) return null
  const oldestFirst = [...runs].reverse()
  const words = oldestFirst.map((run) => `${run.number} ${states[stateOfRun(run)].word}`)
  return (
    <span className={styles.ten} role="img" aria-label={words.join(', ')} title={words.join('\n')}>
      {oldestFirst.map((run) => <StateIcon key={run.id} state={stateOfRun(run)} size={14} labelled={false} />)}
    </span>
  )
}

function Usual({ runs }: { runs: RunSummary[] }) {
  const middle = usualDuration(runs)
  return <>{middle === undefined ? '' : duration(middle)}</>
}

function Age({ last }: { last: RunSummary | undefined }) {
  return last === undefined ? null : <Time at={last.finishedAt ?? last.queuedAt} />
}
