import type { RunDetail, TimelineRecord } from '@/api/types'
import { stateOfStage, type State } from '@/lib/state'

/** One stage with its jobs and their steps, in order: the timeline as people read it. */
export interface StageNode {
  record: TimelineRecord
  jobs: JobNode[]
}

export interface JobNode {
  record: TimelineRecord
  steps: TimelineRecord[]
}

const byOrder = (a: TimelineRecord, b: TimelineRecord) => (a.order ?? 0) - (b.order ?? 0)

/** Stages, jobs and steps out of the flat list of records. A YAML job that has not been expanded yet stands for its jobs. */
export function buildTree(records: TimelineRecord[]): StageNode[] {
  const children = new Map<string, TimelineRecord[]>()
  for (const record of records) {
    const key = record.parentId ?? ''
    children.set(key, [...(children.get(key) ?? []), record])
  }
  const childrenOf = (id: string, type: string) => (children.get(id) ?? []).filter((record) => record.type === type).sort(byOrder)
  const jobNode = (record: TimelineRecord): JobNode => ({ record, steps: childrenOf(record.id, 'Task') })
  return records.filter((record) => record.type === 'Stage').sort(byOrder).map((stage) => ({
    record: isImplicit(stage) ? { ...stage, name: 'Jobs' } : stage,
    jobs: childrenOf(stage.id, 'Phase').flatMap((phase) => {
      const jobs = childrenOf(phase.id, 'Job')
      return jobs.length === 0 ? [{ record: phase, steps: [] }] : jobs.map(jobNode)
    }),
  }))
}

export interface Selection {
  stage: StageNode
  job: JobNode | undefined
  step: TimelineRecord | undefined
}

/**
 * What the log shows: the record of the address; else the first failed step, else the one that runs, else the longest of the
 * last job with a log (setting up and tearing down are short). With a stage in the address, the same within that stage.
 */
export function select(tree: StageNode[], recordId: string | undefined, stageName: string | undefined): Selection | undefined {
  const all = tree.flatMap((stage) => stage.jobs.flatMap((job) => job.steps.map((step): Selection => ({ stage, job, step }))))
  if (recordId !== undefined) {
    const found = all.find(({ step }) => step?.id === recordId)
    if (found !== undefined) return found
    for (const stage of tree) for (const job of stage.jobs) if (job.record.id === recordId) return { stage, job, step: job.steps.find((step) => step.state !== 'pending') }
  }
  const chosen = tree.find(({ record }) => stageKey(record) === stageName)
  const steps = chosen === undefined ? all : all.filter(({ stage }) => stage === chosen)
  const best = steps.find(({ step }) => step?.result === 'failed')
    ?? steps.find(({ step }) => step?.state === 'inProgress')
    ?? longest(steps.filter(({ job }) => job === steps.findLast(({ step }) => hasLog(step))?.job))
  if (best !== undefined) return best
  const stage = chosen ?? tree[0]
  return stage === undefined ? undefined : { stage, job: stage.jobs[0], step: undefined }
}

const hasLog = (step: TimelineRecord | undefined) => step?.log !== null && step?.log !== undefined

const lengthOf = (step: TimelineRecord | undefined) => new Date(step?.finishTime ?? 0).getTime() - new Date(step?.startTime ?? 0).getTime()

const longest = (list: Selection[]): Selection | undefined =>
  list.filter(({ step }) => hasLog(step)).reduce<Selection | undefined>((best, one) => (best === undefined || lengthOf(one.step) > lengthOf(best.step) ? one : best), undefined)

/** The stage that stands for a file without stages. */
export const isImplicit = (stage: { name: string; identifier?: string }): boolean => (stage.identifier ?? stage.name) === implicitStage || stage.name === implicitStage

const implicitStage = '__default'

/** A stage's name in YAML; its record shows the display name. */
export const stageKey = (record: TimelineRecord): string => record.identifier !== undefined && record.identifier !== '' ? record.identifier : record.name

/** What the summary of the run knows better than the record: that a stage waits, for a worker or for a person. */
export function stageState(run: Pick<RunDetail, 'stages'>, node: StageNode): State | undefined {
  const summary = run.stages.find((stage) => stage.name === stageKey(node.record))
  return summary === undefined ? undefined : stateOfStage(summary)
}

/** Goes on, but no step runs: its page says above everything why. */
export const isIdle = (run: Pick<RunDetail, 'status' | 'records'>): boolean =>
  run.status !== 'completed' && !run.records.some((record) => record.type === 'Task' && record.state === 'inProgress')

export interface FailedStep extends Selection {
  messages: string[]
}

/** The errors of the run, where each happened; the same text twice is shown once. */
export function failures(tree: StageNode[]): FailedStep[] {
  const seen = new Set<string>()
  return tree.flatMap((stage) => stage.jobs.flatMap((job) => [undefined, ...job.steps].flatMap((step): FailedStep[] => {
    const record = step ?? job.record
    const messages = (record.issues ?? []).filter((issue) => issue.type === 'error' && !seen.has(issue.message)).map((issue) => issue.message)
    messages.forEach((message) => seen.add(message))
    return messages.length === 0 ? [] : [{ stage, job, step, messages }]
  })))
}

export interface Gate {
  kind: 'open' | 'waiting' | 'closed'
  lines: [string, string?]
  at?: string
}

/** The gate before a stage, when it has checks: what it waits for, or who let it through. */
export function gateOf(run: RunDetail, stage: string): Gate | undefined {
  const approval = run.approvals.find((one) => one.stage === stage && one.status === 'pending') ?? run.approvals.findLast((one) => one.stage === stage)
  const waiting = run.stages.find((one) => one.name === stage && one.state === 'waiting')
  if (approval === undefined) return waiting === undefined ? undefined : { kind: 'waiting', lines: ['waits for', waiting.waiting?.replace(/^waits for (the )?/, '') ?? 'a check'] }
  if (approval.status === 'pending') return { kind: 'waiting', lines: ['waits for', 'approval'] }
  const step = approval.steps.findLast((one) => one.status === approval.status)
  const kind = approval.status === 'approved' ? 'open' : 'closed'
  const word = approval.status === 'timedOut' ? 'timed out' : approval.status
  return { kind, lines: [word, step?.displayName], at: step?.at }
}
