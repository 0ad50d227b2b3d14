import { describe, expect, it } from 'vitest'
import type { JobExplanation, RunStatus, StageSummary } from '@/api/types'
import { jobActions, stageActions, stageActionText } from './stage-actions'

const stage = (state: StageSummary['state'], result?: StageSummary['result']): StageSummary => ({ name: 'A', displayName: 'A', state, ...(result === undefined ? {} : { result }) })

describe('what can be done with a stage', () => {
  it.each<[string, RunStatus, StageSummary, boolean, string[]]>([
    ['a failed one', 'completed', stage('completed', 'failed'), false, ['retryStage', 'retryStage all']],
    ['a failed one of a run that goes on', 'inProgress', stage('completed', 'failed'), false, ['retryStage', 'retryStage all']],
    ['one that succeeded', 'completed', stage('completed', 'succeeded'), false, ['retryStage all']],
    ['a skipped one', 'completed', stage('completed', 'skipped'), false, []],
    ['a running one', 'inProgress', stage('inProgress'), false, ['cancelStage']],
    ['one that waits for a worker', 'inProgress', stage('queued'), false, ['cancelStage']],
    ['one that waits for a person', 'inProgress', stage('waiting'), true, ['startStage', 'cancelStage']],
    ['one of a run that is being canceled', 'cancelling', stage('inProgress'), false, []],
  ])('%s', (_, status, one, person, kinds) => expect(stageActions({ status }, one, person).map((action) => `${action.kind}${action.all === true ? ' all' : ''}`)).toEqual(kinds))
})

describe('what can be done with a job', () => {
  it.each<[string, RunStatus, StageSummary | undefined, Pick<JobExplanation, 'state' | 'result'> | undefined, string[]]>([
    ['a queued one', 'inProgress', stage('inProgress'), { state: 'queued' }, ['cancelJob']],
    ['a running one', 'inProgress', stage('inProgress'), { state: 'running' }, ['cancelJob']],
    ['one that failed while its stage goes on', 'inProgress', stage('inProgress'), { state: 'completed', result: 'failed' }, ['retryJob']],
    ['one that was canceled', 'inProgress', stage('inProgress'), { state: 'completed', result: 'canceled' }, ['retryJob']],
    ['one that was skipped', 'inProgress', stage('inProgress'), { state: 'completed', result: 'skipped' }, []],
    ['one whose stage has ended', 'inProgress', stage('completed', 'failed'), { state: 'completed', result: 'failed' }, []],
    ['one of a run that is being canceled', 'cancelling', stage('inProgress'), { state: 'running' }, []],
    ['one that succeeded: nothing is told of it', 'inProgress', stage('inProgress'), undefined, []],
    ['one of a stage that is not there', 'inProgress', undefined, { state: 'running' }, []],
  ])('%s', (_, status, one, job, kinds) => expect(jobActions({ status }, one, job).map((action) => action.kind)).toEqual(kinds))
})

describe("the words on a stage's button", () => {
  it.each<[StageSummary, string | undefined, string[]]>([
    [stage('completed', 'failed'), 'Build', ['Retry Build', 'Rerun all jobs of Build']],
    [stage('completed', 'failed'), undefined, ['Retry failed jobs', 'Rerun all jobs']],
    [stage('completed', 'succeeded'), undefined, ['Rerun all jobs']],
    [stage('inProgress'), undefined, ['Cancel the jobs']],
  ])('%#', (one, name, texts) => expect(stageActions({ status: one.state === 'completed' ? 'completed' : 'inProgress' }, one, false).map((action) => stageActionText(action, name))).toEqual(texts))
})
