import type { RunDetail, TimelineRecord } from '@/api/types'
import { StateIcon } from '@/components/state-icon'
import { useNow } from '@/lib/clock'
import { duration } from '@/lib/format'
import { stateOfRecord } from '@/lib/state'
import type { StageNode } from '../model/records'
import styles from './waterfall.module.css'

/** Where the time went: stages, jobs and steps as bars on one time axis, waiting included as the gaps. */
export function Waterfall({ run, tree }: { run: RunDetail; tree: StageNode[] }) {
  const now = useNow(run.status !== 'completed')
  const start = new Date(run.queuedAt).getTime()
  const end = Math.max(start + 1000, run.finishedAt === undefined ? now : new Date(run.finishedAt).getTime())
  const rows = tree.flatMap((stage) => [
    { record: stage.record, level: 0 },
    ...stage.jobs.flatMap((job) => [{ record: job.record, level: 1 }, ...job.steps.map((step) => ({ record: step, level: 2 }))]),
  ])
  return (
    <div className={styles.box}>
      <div className={styles.axis} aria-hidden>
        <span />
        <span className={styles.ticks}>{[0, 0.25, 0.5, 0.75].map((part) => <span key={part} style={{ left: `${part * 100}%` }}>{duration(Math.round((end - start) * part / 1000) * 1000)}</span>)}</span>
      </div>
      <ul className={styles.rows}>
        {rows.filter(({ record }) => record.startTime !== null && record.startTime !== undefined && record.result !== 'skipped').map(({ record, level }) => (
          <Bar key={`${record.id}-${record.attempt ?? 1}`} record={record} level={level} start={start} end={end} now={now} />
        ))}
      </ul>
    </div>
  )
}

function Bar({ record, level, start, end, now }: { record: TimelineRecord; level: number; start: number; end: number; now: number }) {
  const from = new Date(record.startTime ?? 0).getTime()
  const to = record.finishTime === null || record.finishTime === undefined ? now : new Date(record.finishTime).getTime()
  const percent = (value: number) => `${Math.min(100, Math.max(0, ((value - start) / (end - start)) * 100))}%`
  const state = stateOfRecord(record)
  return (
    <li className={styles.row} data-level={level}>
      <span className={styles.name} title={record.name}><StateIcon state={state} size={14} /><span>{record.name}</span></span>
      <span className={styles.track}>
        <span className={styles.bar} data-state={state} style={{ left: percent(from), right: `calc(100% - ${percent(to)})` }} />
      </span>
      <span className={styles.time}>{duration(to - from)}</span>
    </li>
  )
}
