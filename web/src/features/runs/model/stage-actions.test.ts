import { describe, expect, it } from 'vitest'
import type { RunStatus, StageSummary } from '@/api/types'
import { stageActions } from './stage-actions'

const stage = (state: StageSummary['state'], result?: StageSummary['result']): StageSummary => ({ name: 'A', displayName: 'A', state, ...(result === undefined ? {} : { result }) })

describe('what can be done with a stage', () => {
  it.each<[string, RunStatus, StageSummary, boolean, string[]]>([
    ['a failed one', 'completed', stage('completed', 'failed'), false, ['retryStage', 'retryStage all']],
    ['a failed one of a run that goes on', 'inProgress', stage('completed', 'failed'), false, ['retryStage', 'retryStage all']],
    ['one that succeeded', 'completed', stage('completed', 'succeeded'), false, ['retryStage all']],
    ['a skipped one', 'completed', stage('completed', 'skipped'), false, []],
    ['a running one', 'inProgress', stage('inProgress'), false, ['cancelStage']],
    ['one that waits for a person', 'inProgress', stage('waiting'), true, ['startStage', 'cancelStage']],
    ['one of a run that is being canceled', 'cancelling', stage('inProgress'), false, []],
  ])('%s', (_, status, one, person, kinds) => expect(stageActions({ status }, one, person).map((action) => `${action.kind}${action.all === true ? ' all' : ''}`)).toEqual(kinds))
})
