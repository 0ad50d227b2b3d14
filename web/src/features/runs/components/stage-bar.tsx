import { Button } from '@fluentui/react-components'
import { useQuery } from '@tanstack/react-query'
import type { RunDetail } from '@/api/types'
import { ErrorPanel } from '@/components/error-panel'
import { useProject } from '@/lib/project'
import { explainQuery, useRunAction } from '../api/runs'
import { isInPanel, jobOf, reasonsOf } from '../model/reasons'
import type { Selection } from '../model/records'
import { isIdle, isImplicit, stageKey } from '../model/records'
import { jobActions, stageActions, stageActionText } from '../model/stage-actions'
import { Reasons } from './reasons'
import styles from './stage-bar.module.css'

/** What the selected stage and job wait for or failed from, in a sentence, and what can be done about it. */
export function StageBar({ run, selection }: { run: RunDetail; selection: Selection }) {
  const project = useProject()
  const action = useRunAction(project, run.id)
  const name = stageKey(selection.stage.record)
  const summary = run.stages.find((stage) => stage.name === name)
  const explain = useQuery({ ...explainQuery(project, run.id), enabled: run.status !== 'completed' || run.result !== 'succeeded' })
  const job = jobOf(explain.data, selection)
  const ofStage = stageActions(run, summary, explain.data?.waiting.some((one) => one.stage === name && one.kind === 'person') ?? false)
  const ofJob = jobActions(run, summary, job)
  const all = reasonsOf(explain.data, selection, summary?.result === 'skipped' ? summary.waiting : undefined)
  const reasons = isIdle(run) ? all.filter((one) => one.kind === undefined || !isInPanel(one.kind)) : all
  if (reasons.length === 0 && ofStage.length === 0 && ofJob.length === 0) return null
  return (
    <div className={styles.bar}>
      <Reasons reasons={reasons} />
      <div className={styles.actions}>
        {job !== undefined && ofJob.map((one) => (
          <Button key={one.label} size="small" disabled={action.isPending} onClick={() => action.mutate({ kind: one.kind, job: job.id })}><span className={styles.label} title={job.name}>{one.label} {job.name}</span></Button>
        ))}
        {ofStage.map((one) => (
          <Button key={one.label} size="small" disabled={action.isPending} onClick={() => action.mutate({ kind: one.kind, stage: name, ...(one.all === undefined ? {} : { all: one.all }) })}>
            <span className={styles.label} title={selection.stage.record.name}>{stageActionText(one, isImplicit(selection.stage.record) ? undefined : selection.stage.record.name)}</span>
          </Button>
        ))}
      </div>
      {action.error !== null && <ErrorPanel error={action.error} doing={'job' in action.variables ? 'change the job' : 'change the stage'} />}
    </div>
  )
}
