import type { RunSummary } from '@/api/types'
import { TwoLines } from '@/components/cells'
import { Copyable } from '@/components/copyable'
import { DataTable, type Column } from '@/components/data-table'
import { reasonText, RunLink, StagePips } from '@/components/run-bits'
import { StateIcon } from '@/components/state-icon'
import { Duration, Time } from '@/components/time'
import { branchName, subject } from '@/lib/format'
import { stateOfRun } from '@/lib/state'
import { summarySentence } from '../model/sentence'
import { useQueuePlaces } from './use-queue-places'
import styles from './run-table.module.css'

const run = (places: ReadonlyMap<number, string>): Column<RunSummary> => ({
  header: 'Run', width: '32%',
  cell: (one) => {
    const place = places.get(one.id)
    const sentence = place === undefined ? summarySentence(one) : `${summarySentence(one)}: ${place}`
    return (
      <div className={styles.run}>
        <StateIcon state={stateOfRun(one)} />
        <TwoLines title={`${one.pipeline.name} ${one.number}\n${sentence}`} top={<RunLink id={one.id} row><span className={styles.name}><span>{one.pipeline.name}</span> <span className="num">{one.number}</span></span></RunLink>} below={sentence} />
      </div>
    )
  },
})

const columns: Column<RunSummary>[] = [
  {
    header: 'Change', from: 'medium',
    cell: (one) => <TwoLines title={`${subject(one.commitMessage)}\n${branchName(one.branch)}`} top={subject(one.commitMessage)} below={<><Copyable value={one.version} /> · {branchName(one.branch)} · {reasonText(one)}</>} />,
  },
  { header: 'Stages', from: 'medium', width: '160px', cell: (one) => <StagePips stages={one.stages} /> },
  { header: 'Took', from: 'small', width: '80px', align: 'right', cell: (one) => <Duration start={one.startedAt} finish={one.finishedAt} /> },
  { header: 'Age', width: '68px', align: 'right', cell: (one) => <Time at={one.queuedAt} /> },
]

export function RunTable({ runs, label = 'Runs' }: { runs: RunSummary[]; label?: string }) {
  const places = useQueuePlaces(runs)
  return <DataTable label={label} columns={[run(places), ...columns]} items={runs} keyOf={(one) => one.id} rowHeight={48} />
}
