import type { RunDetail, StageSummary } from '@/api/types'

export interface StageAction {
  kind: 'retryStage' | 'cancelStage' | 'startStage'
  /** Jobs that succeeded run again, too. */
  all?: boolean
  /** The verb; the stage's name follows. */
  label: string
}

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
