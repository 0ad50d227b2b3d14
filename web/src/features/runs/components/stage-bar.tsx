import { Button } from '@fluentui/react-components'
import { useQuery } from '@tanstack/react-query'
import type { Explanation, RunDetail } from '@/api/types'
import { ErrorPanel } from '@/components/error-panel'
import { asSentence } from '@/lib/format'
import { useProject } from '@/lib/project'
import { explainQuery, useRunAction } from '../api/runs'
import type { Selection } from '../model/records'
import { isImplicit, stageKey } from '../model/records'
import { stageActions } from '../model/stage-actions'
import styles from './stage-bar.module.css'

/** What the selected stage waits for or failed from, in a sentence, and what can be done about it. */
export function StageBar({ run, selection }: { run: RunDetail; selection: Selection }) {
  const project = useProject()
  const action = useRunAction(project, run.id)
  const name = stageKey(selection.stage.record)
  const summary = run.stages.find((stage) => stage.name === name)
  const explain = useQuery({ ...explainQuery(project, run.id), enabled: run.status !== 'completed' || run.result !== 'succeeded' })
  const actions = stageActions(run, summary, explain.data?.waiting.some((one) => one.stage === name && one.kind === 'person') ?? false)
  const reasons = reasonsOf(explain.data, name, selection, summary?.result === 'skipped' ? summary.waiting : undefined)
  if (reasons.length === 0 && actions.length === 0) return null
  return (
    <div className={styles.bar}>
      {reasons.map((reason) => <p key={reason}>{reason}</p>)}
      <div className={styles.actions}>
        {actions.map((one) => (
          <Button key={one.label} size="small" disabled={action.isPending} onClick={() => action.mutate({ kind: one.kind, stage: name, ...(one.all === undefined ? {} : { all: one.all }) })}>
            {one.label} {isImplicit(selection.stage.record) ? 'the jobs' : selection.stage.record.name}
          </Button>
        ))}
      </div>
      {action.error !== null && <ErrorPanel error={action.error} doing="change the stage" />}
    </div>
  )
}

/** Sentences about this stage, and about the selected job of it. */
function reasonsOf(explanation: Explanation | undefined, stage: string, { job }: Selection, skipped: string | undefined): string[] {
  const waiting = (explanation?.waiting ?? []).filter((one) => one.stage === stage && (one.job === undefined || job === undefined || one.job === job.record.name || one.job === job.record.refName || one.job === job.record.identifier))
  const jobs = (explanation?.jobs ?? []).filter((one) => one.stage === stage && job !== undefined && (one.id === job.record.id || one.identifier === job.record.identifier) && one.state !== 'running')
  return [...new Set([...(skipped === undefined ? [] : [asSentence(skipped)]), ...waiting.map((one) => asSentence(one.sentence)), ...jobs.map((one) => asSentence(one.sentence))])].slice(0, 4)
}
