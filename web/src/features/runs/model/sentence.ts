import type { RunDetail, RunSummary, TaskResult } from '@/api/types'
import { asSentence, duration, elapsed, isolated, plural } from '@/lib/format'
import { failures, isImplicit, type JobNode, type StageNode } from './records'

/** "a", "a and b", "a, b and c"; of more than four the first three, "and 47 more". */
function listed(names: string[]): string {
  if (names.length > 4) return `${names.slice(0, 3).join(', ')} and ${names.length - 3} more`
  const last = names.at(-1) ?? ''
  return names.length <= 1 ? last : `${names.slice(0, -1).join(', ')} and ${last}`
}

/** "waits for approval" whether or not the server has said the verb. */
const waits = (reason: string | undefined): string =>
  reason === undefined || reason === '' ? 'waits for its checks' : reason.startsWith('waits') ? reason : `waits for ${reason}`

const titleOf = (stage: RunSummary['stages'][number]): string => (isImplicit(stage) ? 'The run' : isolated(stage.displayName))

const failedStage = (result: TaskResult | undefined) => result === 'failed' || result === 'abandoned'

/** One line for a list: how far the run is, or how it ended. */
export function summarySentence(run: RunSummary): string {
  const names = (test: (stage: RunSummary['stages'][number]) => boolean) => run.stages.filter((stage) => !isImplicit(stage) && test(stage)).map((stage) => isolated(stage.displayName))
  const failed = names((stage) => stage.state === 'completed' && failedStage(stage.result))
  if (run.status === 'completed') {
    if (run.result === 'failed' && run.stages.some(isImplicit)) return 'Failed'
    if (run.result === 'failed' && failed.length > 0) return `Failed in ${listed(failed)}`
    return asSentence(run.sentence).replace(/\.$/, '')
  }
  if (run.status === 'cancelling') return 'Is being canceled'
  const running = names((stage) => stage.state === 'inProgress')
  const waiting = run.stages.find((stage) => stage.state === 'waiting')
  const also = failed.length === 0 ? '' : `; ${listed(failed)} failed`
  if (run.stages.some((stage) => isImplicit(stage) && stage.state === 'inProgress')) return 'Is running'
  if (running.length > 0) return `Running ${listed(running)}${also}`
  if (waiting !== undefined) return `${titleOf(waiting)} ${waits(waiting.waiting)}${also}`
  return `${queuedSentence(run) ?? 'Is about to start'}${also}`
}

/** "Build waits for a worker"; nothing when no stage does. */
function queuedSentence(run: Pick<RunSummary, 'stages'>): string | undefined {
  const queued = run.stages.filter((stage) => stage.state === 'queued')
  return queued.length === 0 ? undefined : `${listed(queued.map(titleOf))} ${queued.length === 1 ? 'waits' : 'wait'} for a worker`
}

/** What the run's own page opens with: down to the step, and for how long. */
export function runSentence(run: RunDetail, tree: StageNode[], now: number): string {
  const ms = elapsed(run.startedAt, run.finishedAt, now)
  const after = ms === undefined ? '' : ` after ${duration(ms)}`
  if (run.status !== 'completed') return ongoing(run, tree)
  switch (run.result) {
    case 'succeeded': return `Succeeded${after}${deployed(run)}.`
    case 'partiallySucceeded': return `Succeeded with issues${after}${deployed(run)}.`
    case 'canceled': return `Canceled${after}${deployed(run)}.`
    default: return failure(run, tree, after)
  }
}

function failure(run: RunDetail, tree: StageNode[], after: string): string {
  const refused = run.approvals.find((one) => one.status === 'rejected' || one.status === 'timedOut')
  if (refused?.status === 'timedOut') return `Nobody approved the deployment to ${refused.environment.name} in time.`
  if (refused !== undefined) {
    const step = refused.steps.find((one) => one.status === 'rejected')
    const reason = step?.comment === undefined || step.comment === '' ? '' : `: ${step.comment}`
    return asSentence(`${step?.displayName ?? 'Somebody'} rejected the deployment to ${refused.environment.name}${reason}`)
  }
  const [first, ...others] = failures(tree)
  if (first === undefined) {
    const errors = run.diagnostics.filter((one) => one.severity === 'error').length
    return errors > 0 ? `Could not start: the pipeline has ${plural(errors, 'error')}.` : asSentence(summarySentence(run))
  }
  const more = others.length === 0 ? '' : `; ${plural(others.length, 'more error')}`
  return `Failed in ${place(first.stage, first.job, first.step?.name)}${after === '' ? '' : `,${after}`}${more}.`
}

function ongoing(run: RunDetail, tree: StageNode[]): string {
  if (run.status === 'cancelling') return 'Is being canceled: what still runs is told to end.'
  const jobs = tree.flatMap((stage) => stage.jobs.map((job) => ({ stage, job })))
  const running = jobs.filter(({ job }) => job.record.state === 'inProgress' && job.record.type === 'Job')
  const waiting = run.stages.find((stage) => stage.state === 'waiting')
  const [first] = running
  const also = failedSoFar(tree)
  if (first !== undefined) {
    const step = first.job.steps.find((one) => one.state === 'inProgress')
    return `Running ${place(first.stage, first.job, step?.name)}${running.length > 1 ? `, and ${plural(running.length - 1, 'more job')}` : ''}${also}.`
  }
  if (waiting !== undefined) {
    const approval = run.approvals.find((one) => one.stage === waiting.name && one.status === 'pending')
    if (approval === undefined) return asSentence(`${titleOf(waiting)} ${waits(waiting.waiting)}${also}`)
    const names = approval.approvers.map((one) => one.displayName)
    return `${titleOf(waiting)} waits for approval${names.length === 0 ? '' : approval.minRequiredApprovers > 1 ? ` by ${approval.minRequiredApprovers} of ${listed(names)}` : ` by ${names.join(' or ')}`}${also}.`
  }
  return `${queuedSentence(run) ?? 'Is about to start'}${also}.`
}

/** "; Test › Unit tests has failed": a run that goes on is not fine for that. */
function failedSoFar(tree: StageNode[]): string {
  const failed = tree.flatMap((stage) => stage.jobs.filter(({ record }) => record.state === 'completed' && (record.result === 'failed' || record.result === 'abandoned')).map((job) => place(stage, job, undefined)))
  return failed.length === 0 ? '' : failed.length === 1 ? `; ${failed[0] ?? ''} has failed` : `; ${plural(failed.length, 'job')} have failed`
}

/** "Production › Deploy web › Apply manifests"; a job that is called like its stage is not said twice. */
const place = (stage: StageNode, job: JobNode | undefined, step: string | undefined): string =>
  [isImplicit(stage.record) ? undefined : stage.record.name, job?.record.name === stage.record.name ? undefined : job?.record.name, step].filter((name) => name !== undefined).map(isolated).join(' › ')

/** "; deployed leaderboard and web to dev and production". */
function deployed(run: RunDetail): string {
  const good = run.deployments.filter((one) => one.result === 'succeeded' || one.result === 'succeededWithIssues')
  if (good.length === 0) return ''
  const unique = (names: string[]) => [...new Set(names)]
  const services = unique(good.flatMap((one) => (one.service === undefined ? [] : [one.service.key]))).sort()
  const places = unique([...good].sort((a, b) => a.queuedAt.localeCompare(b.queuedAt)).map((one) => one.environment.name))
  const what = services.length === 0 ? '' : services.length > 3 ? ` ${plural(services.length, 'service')}` : ` ${listed(services)}`
  return `; deployed${what} to ${listed(places)}`
}
