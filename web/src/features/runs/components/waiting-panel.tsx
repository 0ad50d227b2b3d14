import { Label, Select } from '@fluentui/react-components'
import { useQuery } from '@tanstack/react-query'
import type { RunDetail, RunPriority, WaitingReason } from '@/api/types'
import { ErrorPanel } from '@/components/error-panel'
import { StateIcon } from '@/components/state-icon'
import { PriorityOptions } from '@/features/pipelines/components/priority-options'
import { plural } from '@/lib/format'
import { useProject } from '@/lib/project'
import { explainQuery, queueInterval, useRunAction } from '../api/runs'
import { isIdle } from '../model/records'
import { isInQueue } from '../model/queue-place'
import { isInPanel, reasonOf } from '../model/reasons'
import { Reasons } from './reasons'
import styles from './waiting-panel.module.css'

/** Reasons that are shown; the others are counted. */
const mostReasons = 4

/** Why nothing moves, when nothing moves: a worker, a lock, a limit. What waits in a queue can be made more urgent. */
export function WaitingPanel({ run }: { run: RunDetail }) {
  const project = useProject()
  const action = useRunAction(project, run.id)
  const idle = isIdle(run)
  const explain = useQuery({ ...explainQuery(project, run.id), enabled: idle, refetchInterval: queueInterval })
  const reasons = idle ? explain.data?.waiting.filter((one) => isInPanel(one.kind)) ?? [] : []
  if (reasons.length === 0) return null
  const hidden = reasons.length - mostReasons
  // Jobs of different stages may have the same name.
  const several = new Set(reasons.map((one) => one.stage)).size > 1
  const stageOf = (one: WaitingReason) => (several && one.job !== undefined ? run.stages.find((stage) => stage.name === one.stage)?.displayName ?? one.stage : undefined)
  return (
    <section className={styles.panel} aria-label="What it waits for">
      <ul>
        {reasons.slice(0, mostReasons).map((one) => (
          <li key={`${one.kind}${one.stage}${one.job ?? ''}${one.jobId ?? ''}`}>
            <StateIcon state={isInQueue(one) ? 'queued' : 'waiting'} />
            <div><Reasons reasons={[reasonOf(one, stageOf(one))]} /></div>
          </li>
        ))}
        {hidden > 0 && <li className={styles.more}>{plural(hidden, 'more job waits', 'more jobs wait')}.</li>}
      </ul>
      {reasons.some(isInQueue) && run.status !== 'cancelling' && (
        <div className={styles.priority}>
          <Label htmlFor="run-priority">Priority</Label>
          <Select id="run-priority" size="small" value={run.priority ?? 'normal'} disabled={action.isPending} onChange={(_, { value }) => action.mutate({ kind: 'priority', priority: value as RunPriority })}>
            <PriorityOptions />
          </Select>
        </div>
      )}
      {action.error !== null && <ErrorPanel error={action.error} doing="change the priority" />}
    </section>
  )
}
