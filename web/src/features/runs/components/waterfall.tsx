import type { RunDetail, TimelineRecord } from '@/api/types'
import { StateIcon } from '@/components/state-icon'
import { useNow } from '@/lib/clock'
import { duration } from '@/lib/format'
import { stateOfRecord, type State } from '@/lib/state'
import { stageState, type StageNode } from '../model/records'
import { pausesText, ticks, timeScale, type TimeScale } from '../model/time-scale'
import styles from './waterfall.module.css'

/** Where the time went: stages, jobs and steps as bars on one time axis on which long pauses are cut short. */
export function Waterfall({ run, tree }: { run: RunDetail; tree: StageNode[] }) {
  const now = useNow(run.status !== 'completed')
  const start = new Date(run.queuedAt).getTime()
  const end = Math.max(start + 1000, run.finishedAt === undefined ? now : new Date(run.finishedAt).getTime())
  const rows = tree.flatMap((stage) => [
    { record: stage.record, level: 0, state: stageState(run, stage) },
    ...stage.jobs.flatMap((job) => [{ record: job.record, level: 1, state: undefined }, ...job.steps.map((step) => ({ record: step, level: 2, state: undefined }))]),
  ])
  const steps = run.records.filter((record) => record.type === 'Task' && record.startTime !== null && record.startTime !== undefined)
  const scale = timeScale(steps.map((step) => [new Date(step.startTime ?? 0).getTime(), step.finishTime === null || step.finishTime === undefined ? now : new Date(step.finishTime).getTime()]), start, end)
  return (
    <div className={styles.box}>
      <div className={styles.axis} aria-hidden>
        <span />
        <span className={styles.ticks}>{ticks(scale, start).map(({ part, text }) => <span key={part} style={{ left: `${part * 100}%` }}>{text}</span>)}</span>
      </div>
      {scale.pauses.length > 0 && <p className={styles.pauses}>{pausesText(scale.pauses)}</p>}
      <ul className={styles.rows}>
        {rows.filter(({ record }) => record.startTime !== null && record.startTime !== undefined && record.result !== 'skipped').map(({ record, level, state }) => (
          <Bar key={`${record.id}-${record.attempt ?? 1}`} record={record} level={level} state={state ?? stateOfRecord(record)} scale={scale} now={now} />
        ))}
      </ul>
    </div>
  )
}

interface BarProps {
  record: TimelineRecord
  level: number
  state: State
  scale: TimeScale
  now: number
}

function Bar({ record, level, state, scale, now }: BarProps) {
  const from = new Date(record.startTime ?? 0).getTime()
  const to = record.finishTime === null || record.finishTime === undefined ? now : new Date(record.finishTime).getTime()
  const percent = (time: number) => `${scale.place(time) * 100}%`
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
