import type { JobExplanation, RunDetail, StageSummary } from '@/api/types'

export interface StageAction {
  kind: 'retryStage' | 'cancelStage' | 'startStage'
  /** Jobs that succeeded run again, too. */
  all?: boolean
  /** The verb; the stage's name follows. */
  label: string
}

/** "Retry Build"; what stands for a file without stages has no name that anybody gave it. */
export const stageActionText = ({ label, all }: StageAction, stage: string | undefined): string =>
  stage !== undefined ? `${label} ${stage}` : all === true ? 'Rerun all jobs' : label === 'Retry' ? 'Retry failed jobs' : `${label} the jobs`

/** What can be done with a stage as it stands now. A stage is retried once the run it belongs to has nothing left to do, or when itself has ended. */
export function stageActions(run: Pick<RunDetail, 'status'>, stage: StageSummary | undefined, waitsForPerson: boolean): StageAction[] {
  if (stage === undefined || run.status === 'cancelling') return []
  if (stage.state === 'completed') {
    if (stage.result === 'skipped') return []
    const bad = stage.result === 'failed' || stage.result === 'canceled' || stage.result === 'abandoned'
    return bad
      ? [{ kind: 'retryStage', label: 'Retry' }, { kind: 'retryStage', all: true, label: 'Rerun all jobs of' }]
      : [{ kind: 'retryStage', all: true, label: 'Rerun' }]
  }
  return [...(waitsForPerson ? [{ kind: 'startStage' as const, label: 'Start' }] : []), ...(run.status === 'completed' ? [] : [{ kind: 'cancelStage' as const, label: 'Cancel' }])]
}

export interface JobAction {
  kind: 'retryJob' | 'cancelJob'
  label: string
}

/**
 * What can be done with one job alone. It is retried while its stage goes on; once the stage has ended, a retry of the stage
 * does the same, and is offered there.
 */
export function jobActions(run: Pick<RunDetail, 'status'>, stage: StageSummary | undefined, job: Pick<JobExplanation, 'state' | 'result'> | undefined): JobAction[] {
  if (job === undefined || stage === undefined || run.status === 'cancelling' || stage.state === 'completed') return []
  if (job.state !== 'completed') return [{ kind: 'cancelJob', label: 'Cancel job' }]
  const bad = job.result === 'failed' || job.result === 'canceled' || job.result === 'abandoned'
  return bad ? [{ kind: 'retryJob', label: 'Retry job' }] : []
}
