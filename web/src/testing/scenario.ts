import type {
  Agent, ApprovalItem, CheckConfiguration, HistoryEntry, Matrix, MatrixCell, Pipeline, PipelineTest, RunDetail, RunResult, RunStatus, RunSummary,
  ServiceEndpoint, StageSummary, TestRun, TimelineRecord, VariableGroup, Version, WaitingReason,
} from '@/api/types'

/**
 * The space-game project at one moment: what the mock server of tests and of `npm run dev:mock` answers.
 * Everything is derived from `now`, so ages stay believable.
 */
export const projectName = 'space-game'

const minute = 60_000
const hour = 60 * minute
const day = 24 * hour
const now = Date.now()
export const ago = (ms: number): string => new Date(now - ms).toISOString()

export const person = { id: 'b1c4', displayName: 'Ada Moreno', uniqueName: 'ada' }
export const other = { id: 'c9d2', displayName: 'Jun Tanaka', uniqueName: 'jun' }

export const pipelines: Pipeline[] = [
  { id: 1, name: 'space-game', folder: '\\', revision: 3 },
  { id: 2, name: 'web', folder: '\\services', revision: 1 },
  { id: 3, name: 'leaderboard', folder: '\\services', revision: 1 },
]

const commits = {
  topTen: { id: '41c9e2f06ad1c7c1c5f1a2d9f0a63b2ff2f0e9a1', message: 'Show top ten\n\nThe page showed every player.', author: 'Ada Moreno' },
  cache: { id: '8d01b7ac3f91e0fd5a3fd6e5c7a9981b4e3afc02', message: 'Cache the leaderboard for five seconds', author: 'Jun Tanaka' },
  ties: { id: '77fe0129f0aa4be2a9d2c9c77e2b4c3ef8d8b6e4', message: 'Count ties once', author: 'Jun Tanaka' },
  header: { id: '2b6f4d8e1c3a5b7d9f0e2c4a6b8d0f1e3c5a7b92', message: 'Make the header sticky on small screens', author: 'Ada Moreno' },
}

export const versions = {
  webNew: version(11, commits.topTen, '1871', '20261121.3', 26 * minute),
  webOld: version(8, commits.cache, '1850', '20261118.1', 3 * day),
  boardNew: version(12, commits.ties, '1860', '20261116.2', 5 * day),
}

function version(id: number, commit: { id: string; message: string }, tag: string, runNumber: string, old: number): Version {
  return {
    id, tag, tags: [tag, commit.id], digest: `sha256:9f2c${commit.id.slice(4)}${commit.id.slice(0, 24)}`, commit: commit.id,
    commitMessage: commit.message, runId: Number(tag), runNumber, pipeline: { id: 1, name: 'space-game' }, createdAt: ago(old),
  }
}

const done = (name: string, displayName: string, result: StageSummary['result'] = 'succeeded'): StageSummary => ({ name, displayName, state: 'completed', result })

const scenarioStages = [
  { name: 'Build', displayName: 'Build' }, { name: 'Test', displayName: 'Test' },
  { name: 'Dev', displayName: 'Dev' }, { name: 'Production', displayName: 'Production' },
]

export const waitingRun: RunSummary = {
  id: 1871, number: '20261121.3', pipeline: { id: 1, name: 'space-game' }, status: 'inProgress', reason: 'individualCI',
  branch: 'refs/heads/main', version: commits.topTen.id, commitMessage: commits.topTen.message, commitAuthor: commits.topTen.author, requestedBy: person,
  queuedAt: ago(31 * minute), startedAt: ago(31 * minute - 800), parameters: { target: 'kubernetes' },
  stages: [done('Build', 'Build'), done('Test', 'Test'), done('Dev', 'Dev'), { name: 'Production', displayName: 'Production', state: 'waiting', waiting: 'approval of production' }],
  sentence: 'Waiting for approval of production for 26 min. Dev is deployed and healthy.',
}

export const failedRun: RunSummary = {
  ...waitingRun, id: 1869, number: '20261121.2', status: 'completed', result: 'failed', reason: 'manual', commitMessage: commits.header.message,
  version: commits.header.id, commitAuthor: commits.header.author, queuedAt: ago(2 * hour), startedAt: ago(2 * hour - 900), finishedAt: ago(2 * hour - 372_000),
  stages: [done('Build', 'Build'), done('Test', 'Test'), done('Dev', 'Dev'), done('Production', 'Production', 'failed')],
  sentence: 'Failed in Production, Deploy web, step 4 "Apply manifests", after 6 min 12 s.',
}

export const runningRun: RunSummary = {
  ...waitingRun, id: 1873, number: '20261121.1', pipeline: { id: 3, name: 'leaderboard' }, reason: 'individualCI', commitMessage: commits.ties.message,
  version: commits.ties.id, commitAuthor: commits.ties.author, requestedBy: other, queuedAt: ago(74_000), startedAt: ago(73_000), parameters: {},
  stages: [{ name: 'Build', displayName: 'Build', state: 'inProgress' }, { name: 'Deploy', displayName: 'Deploy', state: 'pending' }],
  sentence: 'Running Build, job Image of leaderboard, step 3 "Build and push" for 41 s.',
}

/** Has begun, but its one job waits for a worker. */
export const queuedRun: RunSummary = {
  ...runningRun, id: 1874, number: '20261121.2', pipeline: { id: 2, name: 'web' }, reason: 'manual', requestedBy: person, queuedAt: ago(22_000), startedAt: ago(21_900), priority: 'normal',
  stages: [{ name: 'Build', displayName: 'Build', state: 'queued' }, { name: 'Deploy', displayName: 'Deploy', state: 'pending' }], sentence: "stage 'Build' waits for a worker",
}

/** Why it does. */
export const queueReason: WaitingReason = {
  kind: 'worker', stage: 'Build', job: 'Image of web', jobId: 'j10', pool: 'Default', position: 2, queueLength: 3,
  sentence: "job 'Image of web' waits for a worker: all workers of pool 'Default' that can do it are busy; 2 of 3 in the queue of pool 'Default'",
}

function older(at: number): RunSummary {
  const results: [RunStatus, RunResult | undefined][] = [
    ['completed', 'succeeded'], ['completed', 'succeeded'], ['completed', 'partiallySucceeded'], ['completed', 'succeeded'],
    ['completed', 'failed'], ['completed', 'succeeded'], ['completed', 'canceled'],
  ]
  const [status, result] = results[at % results.length]!
  const commit = Object.values(commits)[at % 4]!
  const pipeline = pipelines[at % 3]!
  const queued = 3 * hour + at * 5 * hour
  const last = result === 'failed' ? 'failed' : result === 'canceled' ? 'canceled' : result === 'partiallySucceeded' ? 'succeededWithIssues' : 'succeeded'
  const names = pipeline.id === 1 ? scenarioStages : [{ name: 'Build', displayName: 'Build' }, { name: 'Deploy', displayName: 'Deploy' }]
  return {
    id: 1860 - at, number: `202611${String(20 - Math.floor(at / 4)).padStart(2, '0')}.${4 - (at % 4)}`, pipeline: { id: pipeline.id, name: pipeline.name },
    status, result, reason: at % 3 === 0 ? 'individualCI' : at % 3 === 1 ? 'manual' : 'schedule', branch: at % 5 === 4 ? 'refs/heads/feature/leaderboard-paging' : 'refs/heads/main',
    version: commit.id, commitMessage: commit.message, commitAuthor: commit.author, requestedBy: at % 2 === 0 ? person : other,
    queuedAt: ago(queued), startedAt: ago(queued - 1200), finishedAt: ago(queued - 190_000 - at * 7000), parameters: pipeline.id === 1 ? { target: 'kubernetes' } : {},
    stages: names.map((stage, index) => done(stage.name, stage.displayName, index === names.length - 1 ? last : 'succeeded')),
    sentence: { failed: 'Failed in Deploy, after 3 min 1 s.', canceled: 'Canceled by Jun Tanaka.', partiallySucceeded: 'Succeeded with issues.', succeeded: 'Succeeded.', none: '' }[result ?? 'none'],
  }
}

export const runs: RunSummary[] = [queuedRun, runningRun, waitingRun, failedRun, ...Array.from({ length: 60 }, (_, at) => older(at))]

let recordCount = 0
function record(type: TimelineRecord['type'], name: string, parentId: string | undefined, more: Partial<TimelineRecord> = {}): TimelineRecord {
  recordCount += 1
  return { id: `rec-${recordCount}`, parentId, type, name, state: 'completed', result: 'succeeded', order: recordCount, attempt: 1, errorCount: 0, warningCount: 0, issues: [], ...more }
}

/** Start and finish, in seconds after the run's start. */
const span = (run: RunSummary, from: number, to: number) => {
  const base = new Date(run.startedAt ?? run.queuedAt).getTime()
  return { startTime: new Date(base + from * 1000).toISOString(), finishTime: new Date(base + to * 1000).toISOString() }
}

let logCount = 0
function job(run: RunSummary, phase: TimelineRecord, name: string, from: number, steps: [string, number][], failAt = -1): TimelineRecord[] {
  let at = from
  const failed = failAt >= 0
  const parent = record('Job', name, phase.id, { ...span(run, from, from + steps.reduce((sum, step) => sum + step[1], 0)), workerName: 'local-1', result: failed ? 'failed' : 'succeeded', errorCount: failed ? 1 : 0 })
  const children = steps.map(([step, seconds], index) => {
    logCount += 1
    const result = failed && index > failAt ? 'skipped' as const : index === failAt ? 'failed' as const : 'succeeded' as const
    const one = record('Task', step, parent.id, {
      ...span(run, at, at + seconds), result, log: result === 'skipped' ? null : { id: logCount },
      ...(index === failAt ? { errorCount: 1, issues: [{ type: 'error' as const, message: 'deployment "web" exceeded its progress deadline: pod web-766d5c9f4b-x2kqv is in ImagePullBackOff, the registry answered 401 for web@sha256:9f2c41d' }] } : {}),
    })
    at += seconds
    return one
  })
  return [parent, ...children]
}

function stageRecords(run: RunSummary): TimelineRecord[] {
  recordCount = run.id * 1000
  logCount = 0
  const list: TimelineRecord[] = []
  const stage = (name: string, from: number, to: number, result: TimelineRecord['result'] = 'succeeded') => {
    const one = record('Stage', name, undefined, { ...span(run, from, to), identifier: name, result })
    list.push(one)
    return one
  }
  const phase = (parent: TimelineRecord, name: string, identifier: string) => {
    const one = record('Phase', name, parent.id, { identifier: `${parent.identifier ?? ''}.${identifier}`, result: parent.result, startTime: parent.startTime, finishTime: parent.finishTime })
    list.push(one)
    return one
  }
  const build = stage('Build', 0, 62)
  list.push(...job(run, phase(build, 'Images', 'Images'), 'Images', 0, [['Initialize job', 0.3], ['Checkout space-game@main', 1.1], ['Compile', 9.4], ['Build and push web', 21], ['Build and push leaderboard', 19.2], ['Publish manifests', 0.8], ['Finalize job', 0.2]]))
  const test = stage('Test', 0, 48)
  const tests = phase(test, 'Unit tests', 'Unit')
  list.push(...job(run, tests, 'Unit tests web', 0, [['Initialize job', 0.3], ['Checkout space-game@main', 1.1], ['Run tests', 31], ['Publish test results', 0.4]]))
  list.push(...job(run, tests, 'Unit tests leaderboard', 0, [['Initialize job', 0.3], ['Checkout space-game@main', 1.1], ['Run tests', 44], ['Publish test results', 0.4]]))
  const dev = stage('Dev', 63, 104)
  list.push(...job(run, phase(dev, 'Deploy', 'Deploy'), 'Deploy', 63, [['Initialize job', 0.2], ['Download manifests', 0.3], ['Deploy to Kubernetes', 38], ['Finalize job', 0.2]]))
  if (run.result === 'failed') {
    const production = stage('Production', 240, 372, 'failed')
    list.push(...job(run, phase(production, 'Deploy web', 'DeployWeb'), 'Deploy web', 240, [['Initialize job', 0.2], ['Download manifests', 0.1], ['Check connection', 0.6], ['Apply manifests', 124], ['Post hooks', 0], ['Finalize job', 0.2]], 3))
  } else {
    const production = record('Stage', 'Production', undefined, { identifier: 'Production', state: 'pending', result: null })
    list.push(production)
    const checkpoint = record('Checkpoint', 'Checkpoint', production.id, { state: 'inProgress', result: null, startTime: span(run, 105, 0).startTime })
    list.push(checkpoint, record('Checkpoint.Approval', 'Approval of production', checkpoint.id, { state: 'inProgress', result: null, startTime: span(run, 105, 0).startTime }))
    list.push(record('Phase', 'Deploy', production.id, { identifier: 'Production.Deploy', state: 'pending', result: null }))
  }
  return list
}

const scenarioGraph = {
  stages: [
    { name: 'Build', displayName: 'Build', dependsOn: [], jobs: [{ name: 'Images', displayName: 'Images', dependsOn: [], isDeployment: false }] },
    { name: 'Test', displayName: 'Test', dependsOn: [], jobs: [{ name: 'Unit', displayName: 'Unit tests', dependsOn: [], isDeployment: false }] },
    { name: 'Dev', displayName: 'Dev', dependsOn: ['Build', 'Test'], jobs: [{ name: 'Deploy', displayName: 'Deploy', dependsOn: [], isDeployment: true, environment: { name: 'dev', resourceName: 'default' } }] },
    { name: 'Production', displayName: 'Production', dependsOn: ['Dev'], jobs: [{ name: 'Deploy', displayName: 'Deploy', dependsOn: [], isDeployment: true, environment: { name: 'production', resourceName: 'default' } }] },
  ],
}

export const approval: ApprovalItem = {
  id: '7d0c2f6e', runId: 1871, runNumber: waitingRun.number, pipeline: waitingRun.pipeline, stage: 'Production', environment: { id: 2, name: 'production' },
  status: 'pending', instructions: 'Look at dev first: open the page and check that the top ten shows.', createdAt: ago(26 * minute), expiresAt: new Date(now + 29 * day).toISOString(),
  approvers: [person, other], steps: [], minRequiredApprovers: 1,
  versions: [{ service: 'web', from: versions.webOld, to: versions.webNew }, { service: 'leaderboard', from: versions.boardNew, to: versions.boardNew }],
  requestedBy: person, branch: waitingRun.branch, version: waitingRun.version, commitMessage: waitingRun.commitMessage, canDecide: true,
}

export const decidedApproval: ApprovalItem = {
  ...approval, id: '11aa', runId: 1850, runNumber: '20261118.1', status: 'approved', createdAt: ago(3 * day + hour), canDecide: false,
  steps: [{ displayName: other.displayName, status: 'approved', comment: '', at: ago(3 * day) }], versions: [{ service: 'web', to: versions.webOld }],
}

const resource = (id: number, namespace: string, name = namespace) => ({ id, name, type: 'kubernetes', namespace })

export const matrix: Matrix = {
  at: ago(0),
  environments: [
    { id: 1, name: 'dev', ordinal: 1, resources: [resource(10, 'space-game-dev', 'default')] },
    { id: 2, name: 'production', ordinal: 2, locked: { runId: 1871, runNumber: waitingRun.number, pipeline: waitingRun.pipeline }, resources: [resource(20, 'space-game', 'eu'), resource(21, 'space-game', 'us')] },
  ],
  services: [{ id: 1, key: 'web', imageRepository: '127.0.0.1:5000/space-game/web' }, { id: 2, key: 'leaderboard', imageRepository: '127.0.0.1:5000/space-game/leaderboard' }],
  cells: [
    cell(1, 1, 10, versions.webNew, 25 * minute, 'ok', 'space-game-dev'),
    { ...cell(1, 2, 20, versions.webOld, 3 * day, 'waiting', 'space-game'), behind: 3, pending: { runId: 1871, runNumber: waitingRun.number, pipeline: waitingRun.pipeline, version: versions.webNew, state: 'waiting', approvalId: approval.id } },
    { ...cell(1, 2, 21, versions.webOld, 3 * day, 'failed', 'space-game'), behind: 3, pending: { runId: 1869, runNumber: failedRun.number, pipeline: failedRun.pipeline, version: versions.webNew, state: 'failed' } },
    { ...cell(2, 1, 10, versions.boardNew, 5 * day, 'inProgress', 'space-game-dev'), pending: { runId: 1873, runNumber: runningRun.number, pipeline: runningRun.pipeline, version: versions.boardNew, state: 'inProgress' } },
    cell(2, 2, 20, versions.boardNew, 5 * day, 'ok', 'space-game'),
  ],
}

function cell(serviceId: number, environmentId: number, resourceId: number, current: Version, since: number, state: MatrixCell['state'], namespace: string): MatrixCell {
  return {
    serviceId, environmentId, resourceId, state, version: current, deploymentId: serviceId * 100 + resourceId, runId: current.runId, runNumber: current.runNumber, pipeline: current.pipeline,
    since: ago(since), approvedBy: environmentId === 2 ? [{ displayName: other.displayName, at: ago(since + minute), comment: 'dev looks right' }] : [], namespace,
  }
}

export const history: HistoryEntry[] = matrix.cells.flatMap((one, index) => [0, 1, 2].map((step): HistoryEntry => {
  const environment = matrix.environments.find(({ id }) => id === one.environmentId)!
  const service = matrix.services.find(({ id }) => id === one.serviceId)!
  const current = step === 0 ? one.version! : versions.webOld
  const at = new Date(one.since!).getTime() - step * 2 * day
  return {
    deploymentId: 900 - index * 3 - step, service: { id: service.id, key: service.key }, environment: { id: environment.id, name: environment.name },
    resource: environment.resources.find(({ id }) => id === one.resourceId), version: current, image: `${service.imageRepository}@${current.digest}`,
    workload: `Deployment/${service.key}`, namespace: one.namespace ?? '', runId: current.runId, runNumber: current.runNumber, pipeline: { id: 1, name: 'space-game' },
    stage: environment.id === 1 ? 'Dev' : 'Production', stageAttempt: 1, job: 'Deploy', queuedAt: new Date(at - 60_000).toISOString(), startedAt: new Date(at - 41_000).toISOString(),
    finishedAt: new Date(at).toISOString(), result: step === 1 && index === 1 ? 'failed' : 'succeeded', requestedBy: person,
    approvals: environment.id === 2 ? [{ displayName: other.displayName, status: 'approved', comment: 'dev looks right', at: new Date(at - 70_000).toISOString() }] : [],
    commits: step === 2 ? [] : Object.values(commits).slice(0, 3 - step).map((commit) => ({ ...commit, at: ago(4 * day) })), direction: step === 2 ? 'first' : index === 3 && step === 1 ? 'rollback' : 'forward',
  }
})).sort((a, b) => b.queuedAt.localeCompare(a.queuedAt))

export const tests: TestRun[] = [
  { id: 1, title: 'Unit tests web', passed: 41, failed: 1, skipped: 2, durationMs: 30_400, jobId: 'j1', results: [
    { suite: 'web', name: 'renders_top_ten_with_ties', outcome: 'failed', durationMs: 210, message: 'expected 10 rows, got 11', stackTrace: 'tests/top_ten.c:88: assertion failed\ntests/main.c:12' },
    { suite: 'web', name: 'shows_message_when_leaderboard_is_down', outcome: 'passed', durationMs: 480 },
    { suite: 'web', name: 'sets_cache_header', outcome: 'skipped', durationMs: 0 },
  ] },
  { id: 2, title: 'Unit tests leaderboard', passed: 67, failed: 0, skipped: 0, durationMs: 43_800, jobId: 'j2', results: [] },
]

export const pipelineTests: PipelineTest[] = [
  { className: 'web', name: 'renders_top_ten_with_ties', runs: 50, failures: 4, flakyCommits: 2, lastFlakyRunId: failedRun.id, lastOutcome: 'Failed', lastRunId: failedRun.id, newerMs: 210, olderMs: 204 },
  { className: 'web', name: 'shows_message_when_leaderboard_is_down', runs: 50, failures: 0, flakyCommits: 0, lastOutcome: 'Passed', lastRunId: failedRun.id, newerMs: 480, olderMs: 300 },
]

export const finalYaml = `trigger:
  branches: { include: [main] }
variables:
- group: Release
stages:
- stage: Build
  jobs:
  - job: Images
    pool: { vmImage: ubuntu-latest }
    steps:
    - task: Docker@2
      displayName: Build and push web
      inputs:
        containerRegistry: Container Registry Connection
        command: buildAndPush
        repository: space-game/web
        tags: |
          $(Build.BuildId)
          $(Build.SourceVersion)
`

export function detail(run: RunSummary): RunDetail {
  const scenario = run.pipeline.id === 1
  return {
    ...run,
    records: scenario ? stageRecords(run) : run.id === queuedRun.id ? queuedRecords(run) : runningRecords(run),
    graph: scenario ? scenarioGraph : { stages: run.stages.map((stage, at) => ({ name: stage.name, displayName: stage.displayName, dependsOn: at === 0 ? [] : [run.stages[at - 1]!.name], jobs: [{ name: 'Job', displayName: 'Image of leaderboard', dependsOn: [], isDeployment: at > 0 }] })) },
    approvals: run.id === waitingRun.id ? [approval] : run.id === failedRun.id ? [{ ...decidedApproval, runId: run.id, runNumber: run.number, createdAt: ago(2 * hour - 110_000), steps: [{ displayName: 'Jun Tanaka', status: 'approved', comment: 'dev looks right', at: ago(2 * hour - 239_000) }] }] : [],
    artifacts: [{ name: 'manifests', size: 3914, files: 4, url: '#' }, { name: 'binaries', size: 2_914_304, files: 2, url: '#' }],
    deployments: history.filter((entry) => entry.environment.id === 1).slice(0, 2),
    diagnostics: [],
    finalYaml,
  }
}

function runningRecords(run: RunSummary): TimelineRecord[] {
  recordCount = run.id * 1000
  logCount = 0
  const stage = record('Stage', 'Build', undefined, { ...span(run, 0, 0), finishTime: null, identifier: 'Build', state: 'inProgress', result: null })
  const phase = record('Phase', 'Image of leaderboard', stage.id, { ...span(run, 0, 0), finishTime: null, identifier: 'Build.Job', state: 'inProgress', result: null })
  const list = job(run, phase, 'Image of leaderboard', 0, [['Initialize job', 0.3], ['Checkout space-game@main', 1.1], ['Build and push', 30], ['Finalize job', 0.1]])
  Object.assign(list[0]!, { state: 'inProgress', result: null, finishTime: null })
  Object.assign(list[3]!, { state: 'inProgress', result: null, finishTime: null })
  Object.assign(list[4]!, { state: 'pending', result: null, startTime: null, finishTime: null, log: null })
  return [stage, phase, ...list]
}

function queuedRecords(run: RunSummary): TimelineRecord[] {
  recordCount = run.id * 1000
  const begun = { ...span(run, 0, 0), finishTime: null, state: 'inProgress' as const, result: null }
  const stage = record('Stage', 'Build', undefined, { ...begun, identifier: 'Build' })
  const phase = record('Phase', 'Image of web', stage.id, { ...begun, identifier: 'Build.Job' })
  return [stage, phase, record('Job', 'Image of web', phase.id, { state: 'pending', result: null, startTime: null })]
}

export const agents: Agent[] = [
  { id: 1, name: 'local-1', version: '0.1.0', status: 'online', enabled: true, maxParallelism: 2, jobs: [{ id: 'j9', name: 'Image of leaderboard', runId: 1873, runNumber: '20261121.1', pipeline: 'leaderboard', project: projectName }], systemCapabilities: { 'Agent.OS': 'Linux', docker: '/usr/bin/docker', kubectl: '/usr/bin/kubectl' } },
  { id: 2, name: 'build-rack-2', version: '0.1.0', status: 'offline', enabled: true, maxParallelism: 4, systemCapabilities: { 'Agent.OS': 'Linux' } },
]

export const groups: VariableGroup[] = [
  { id: 1, name: 'Release', description: 'What the release needs to know', variables: { registry: { value: '127.0.0.1:5000' }, 'production.replicas': { value: '2' }, 'smtp.password': { value: null, isSecret: true } } },
]

export const endpoints: ServiceEndpoint[] = [
  { id: 'e1', name: 'Container Registry Connection', type: 'dockerregistry', url: 'http://127.0.0.1:5000', isReady: true, authorization: { scheme: 'UsernamePassword' } },
  { id: 'e2', name: 'Kubernetes Cluster Connection', type: 'kubernetes', url: 'https://127.0.0.1:6443', isReady: true, authorization: { scheme: 'Kubernetes' } },
]

export const checks: CheckConfiguration[] = [
  { id: 1, type: { name: 'Approval' }, settings: { approvers: [{ displayName: 'Ada Moreno' }, { displayName: 'Jun Tanaka' }], minRequiredApprovers: 1, instructions: approval.instructions }, resource: { type: 'environment', id: '2', name: 'production' } },
  { id: 2, type: { name: 'ExclusiveLock' }, settings: {}, resource: { type: 'environment', id: '2', name: 'production' } },
]

/** Lines of a step that builds an image; `count` makes a long one for the viewer's sake. */
export function logLines(logId: number, count = 0): string[] {
  const base = now - 20 * minute
  const stamp = (at: number) => new Date(base + at * 137).toISOString().replace('Z', '4567Z')
  const lines = [
    '##[section]Starting: Build and push web',
    '==============================================================================',
    'Task         : Docker', 'Description  : Build or push Docker images', 'Version      : 2',
    '==============================================================================',
    '##[group]Sign in to the registry', '[command]/usr/bin/docker login 127.0.0.1:5000 --username builder --password-stdin', 'Login Succeeded', 'Credentials removed after this step', '##[endgroup]',
    '[command]/usr/bin/docker build -t 127.0.0.1:5000/space-game/web:1871 web',
    'Step 1/4 : FROM scratch', ' ---> ', 'Step 2/4 : COPY web /web', ' ---> 5f0dd0b5c1b4', '\u001b[33mwarning\u001b[0m: no .dockerignore, the whole folder is sent', '##[warning]Image web has no label org.opencontainers.image.source',
    'Step 4/4 : ENTRYPOINT ["/web"]', '\u001b[32mSuccessfully built\u001b[0m \u001b[1m5f0dd0b5c1b4\u001b[0m',
    '##[group]Push', 'The push refers to repository [127.0.0.1:5000/space-game/web]', '4c4a1f0d: Preparing', '4c4a1f0d: Pushed', '1871: digest: sha256:9f2c41d8 size: 527', '##[endgroup]',
  ]
  for (let at = lines.length; at < count; at += 1)
    lines.push(at % 997 === 0 ? `\u001b[36mchunk ${at}\u001b[0m \u001b[38;2;200;120;20mcoloured\u001b[0m text` : `line ${at + 1} of a long log, with enough words to look like one: ${(at * 2654435761 >>> 0).toString(16)}`)
  if (logId % 7 === 0 || count === 0) lines.push('##[section]Finishing: Build and push web')
  return lines.map((line, at) => `${stamp(at)} ${line}`)
}

export const failedLog: string[] = [
  '##[section]Starting: Apply manifests', '[command]/usr/bin/kubectl apply -n space-game -f deployment.yml', 'deployment.apps/web configured', 'service/web unchanged',
  '[command]/usr/bin/kubectl rollout status deployment/web -n space-game --timeout 120s', 'Waiting for deployment "web" rollout to finish: 1 out of 2 new replicas have been updated...',
  '##[error]deployment "web" exceeded its progress deadline', '  why: pod web-766d5c9f4b-x2kqv is in ImagePullBackOff: the registry answered 401 for web@sha256:9f2c41d', '  fix: check the service connection "Container Registry Connection"',
  '##[section]Finishing: Apply manifests',
].map((line, at) => `${ago(2 * hour - 240_000 - at * 9000).replace('Z', '1234Z')} ${line}`)
