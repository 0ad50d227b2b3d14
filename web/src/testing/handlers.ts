import { http, HttpResponse } from 'msw'
import type { QueueInputs } from '@/api/types'
import { administration } from './administration'
import { mood } from './mood'
import * as scenario from './scenario'

export { mood }

const list = (value: unknown[]) => HttpResponse.json({ count: value.length, value })
const url = (request: Request) => new URL(request.url)


const longName = 'a-pipeline-with-a-name-that-somebody-thought-was-a-good-idea-because-it-says-everything-release-candidate-2026'
const longer = <T extends { name: string }>(one: T): T => (mood.current === 'long' ? { ...one, name: `${one.name}-${longName}` } : one)

const queueInputs: QueueInputs = {
  branch: 'refs/heads/main', version: scenario.waitingRun.version,
  parameters: [
    { name: 'target', displayName: 'Where to deploy', type: 'string', default: 'kubernetes', values: ['kubernetes', 'docker'], required: true },
    { name: 'replicas', displayName: 'Replicas', type: 'number', default: 2, required: true },
    { name: 'verbose', displayName: 'Verbose logs', type: 'boolean', default: false, required: false },
    { name: 'labels', displayName: 'Labels', type: 'object', default: { team: 'arcade' }, required: false },
    { name: 'regions', displayName: 'Regions', type: 'stringList', default: ['eu', 'us'], values: ['eu', 'us', 'asia'], required: false },
  ],
  stages: [
    { name: 'Build', displayName: 'Build', dependsOn: [], isSkippable: true }, { name: 'Test', displayName: 'Test', dependsOn: [], isSkippable: true },
    { name: 'Dev', displayName: 'Dev', dependsOn: ['Build', 'Test'], isSkippable: true }, { name: 'Production', displayName: 'Production', dependsOn: ['Dev'], isSkippable: false },
  ],
  diagnostics: [],
}

/** A hundred thousand lines, made once. */
let longLines: string[] | undefined
const longLog = () => (longLines ??= scenario.logLines(4, 100_000))

const signedOut = () => HttpResponse.json({ $id: '1', message: 'sign in first', typeKey: 'UnauthorizedRequestException', errorCode: 0 }, { status: 401 })

export const handlers = [
  http.all('*/_apis/*', () => (mood.current === 'signedOut' ? signedOut() : undefined)),
  http.get('*/:project/_apis/*', ({ request }) =>
    mood.current === 'error' && !/events|\/me$/.test(url(request).pathname)
      ? HttpResponse.json({ message: 'database is read-only', code: 'unavailable' }, { status: 500 }) : undefined),
  http.get('*/_apis/slipway/me', () => HttpResponse.json({ ...scenario.person, isAdmin: true })),
  http.get('*/_apis/projects', () => list([{ id: 'p1', name: scenario.projectName, description: 'Two services and how they get there' }])),
  http.get('*/_apis/pipelines', () => list(mood.current === 'empty' ? [] : scenario.pipelines.map(longer))),
  http.get('*/_apis/pipelines/:id', ({ params }) => {
    const one = scenario.pipelines.find(({ id }) => id === Number(params.id))
    return one === undefined ? HttpResponse.json({ message: `there is no pipeline ${String(params.id)}`, code: 'notFound' }, { status: 404 })
      : HttpResponse.json({ ...longer(one), configuration: { type: 'yaml', path: '/azure-pipelines.yml', repository: { id: 'r1', name: 'space-game', type: 'azureReposGit', defaultBranch: 'refs/heads/main' } } })
  }),
  http.post('*/_apis/pipelines/:id/preview', () => HttpResponse.json({ finalYaml: scenario.finalYaml })),
  http.get('*/_apis/slipway/pipelines', () => list(mood.current === 'empty' ? [] : scenario.pipelines.map((one) => ({
    ...longer(one), path: '/azure-pipelines.yml', runs: scenario.runs.filter((run) => run.pipeline.id === one.id).slice(0, 10),
  })))),
  http.get('*/_apis/slipway/runs', ({ request }) => {
    const query = url(request).searchParams
    const pipelineId = query.get('pipelineId')
    const branch = query.get('branch')
    const status = query.get('status')
    const top = Number(query.get('top') ?? 50)
    const from = Number(query.get('continuationToken') ?? 0)
    const all = mood.current === 'empty' ? [] : scenario.runs.filter((run) =>
      (pipelineId === null || run.pipeline.id === Number(pipelineId)) && (status === null || run.status === status)
      && (branch === null || run.branch === branch || run.branch === `refs/heads/${branch}`))
    const value = all.slice(from, from + top).map((run) => (mood.current === 'long' ? { ...run, commitMessage: `${run.commitMessage} ${longName}`, branch: `refs/heads/feature/${longName}`, pipeline: longer(run.pipeline) } : run))
    return HttpResponse.json({ count: value.length, value, ...(from + top < all.length ? { continuationToken: String(from + top) } : {}) })
  }),
  http.get('*/_apis/slipway/runs/:id', ({ params }) => {
    const run = scenario.runs.find((one) => one.id === Number(params.id))
    if (run === undefined) return HttpResponse.json({ message: `run ${String(params.id)} not found`, code: 'notFound' }, { status: 404 })
    return HttpResponse.json(scenario.detail(mood.current === 'long' ? { ...run, commitMessage: `${run.commitMessage} ${longName}`, branch: `refs/heads/feature/${longName}`, pipeline: longer(run.pipeline) } : run))
  }),
  http.get('*/_apis/slipway/runs/:id/explain', ({ params }) => HttpResponse.json({
    sentence: scenario.runs.find((one) => one.id === Number(params.id))?.sentence ?? '',
    waiting: Number(params.id) === scenario.waitingRun.id ? [{ kind: 'approval', stage: 'Production', sentence: 'Production waits for Ada Moreno or Jun Tanaka to approve.' }] : Number(params.id) === scenario.queuedRun.id ? [scenario.queueReason] : [],
  })),
  http.get('*/_apis/slipway/runs/:id/tests', ({ params }) => list(Number(params.id) === scenario.runningRun.id ? [] : scenario.tests)),
  http.get('*/_apis/slipway/runs/:id/tests/history', ({ params }) => list([
    { runId: Number(params.id), runNumber: '20261121.2', outcome: 'Failed', durationMs: 12 }, { runId: 1860, runNumber: '20261120.4', outcome: 'Passed', durationMs: 11 },
  ])),
  http.get('*/_apis/slipway/runs/:id/artifacts/:name/files', () => list([{ path: 'leaderboard.yml', size: 994 }, { path: 'web.yml', size: 938 }])),
  http.get('*/_apis/build/builds/:id/changes', () => list([
    { id: scenario.versions.webNew.commit, message: 'Show top ten', author: { displayName: 'Ada Moreno' }, timestamp: scenario.ago(2_000_000) },
    { id: scenario.versions.boardNew.commit, message: 'Count ties once', author: { displayName: 'Jun Tanaka' }, timestamp: scenario.ago(8_000_000) },
  ])),
  http.get('*/_apis/slipway/logs/:run/:log/lines', ({ request, params }) => {
    const query = url(request).searchParams
    const from = Number(query.get('from') ?? 0)
    const long = Number(params.run) === scenario.failedRun.id && Number(params.log) === 4
    const failed = Number(params.run) === scenario.failedRun.id && Number(params.log) === 23
    const all = failed ? scenario.failedLog : long ? longLog() : scenario.logLines(Number(params.log))
    return HttpResponse.json({ from, total: all.length, sealed: Number(params.run) !== scenario.runningRun.id, lines: all.slice(from, from + Math.min(5000, Number(query.get('count') ?? 1000))) })
  }),
  http.get('*/_apis/slipway/matrix', ({ request }) => {
    const at = url(request).searchParams.get('at')
    if (mood.current === 'empty') return HttpResponse.json({ at: scenario.ago(0), environments: [], services: [], cells: [] })
    const { matrix } = scenario
    if (at !== null) return HttpResponse.json({ ...matrix, at, cells: matrix.cells.filter((cell) => (cell.since ?? '') < at).map((cell) => ({ ...cell, state: 'ok', pending: undefined })) })
    return HttpResponse.json(mood.current === 'long'
      ? { ...matrix, services: matrix.services.map((one) => ({ ...one, key: `${one.key}-${longName}` })), environments: matrix.environments.map(longer) } : matrix)
  }),
  http.get('*/_apis/slipway/history', ({ request }) => {
    const query = url(request).searchParams
    const pick = (name: string) => (query.get(name) === null ? undefined : Number(query.get(name)))
    const [environmentId, resourceId] = [pick('environmentId'), pick('resourceId')]
    const service = query.get('service')
    return list(mood.current === 'empty' ? [] : scenario.history.filter((entry) => (service === null || entry.service?.key === service)
      && (environmentId === undefined || entry.environment.id === environmentId) && (resourceId === undefined || (entry.resource?.id ?? 0) === resourceId)))
  }),
  http.get('*/_apis/slipway/approvals', ({ request }) => list(
    mood.current === 'empty' ? [] : url(request).searchParams.get('state') === 'pending' ? [scenario.approval] : [scenario.approval, scenario.decidedApproval])),
  http.patch('*/_apis/pipelines/approvals', async ({ request }) => {
    const body = (await request.json()) as { approvalId: string; status: string }[]
    return list(body.map((one) => ({ id: one.approvalId, status: one.status })))
  }),
  http.post('*/_apis/slipway/pipelines/:id/inputs', async ({ request }) => {
    const { branch } = (await request.json()) as { branch?: string }
    if (branch?.includes('missing') === true) return HttpResponse.json({ message: `branch "${branch}" does not exist in repository space-game`, code: 'notFound' }, { status: 404 })
    return HttpResponse.json({ ...queueInputs, branch: branch ?? queueInputs.branch })
  }),
  http.post('*/_apis/pipelines/:id/runs', () => HttpResponse.json({ id: scenario.runningRun.id, name: scenario.runningRun.number })),
  http.patch('*/_apis/build/builds/:id', ({ params }) => HttpResponse.json({ id: Number(params.id) })),
  http.patch('*/_apis/build/builds/:id/stages/:ref', () => new HttpResponse(null, { status: 204 })),
  http.get('*/_apis/distributedtask/pools', () => list(mood.current === 'empty' ? [] : [{ id: 1, name: 'Default', size: 2, maxParallelism: 3, heldJobs: 1, queuedJobs: 3 }])),
  http.get('*/_apis/distributedtask/pools/:id/agents', () => list(mood.current === 'empty' ? [] : scenario.agents)),
  http.get('*/_apis/distributedtask/variablegroups', () => list(mood.current === 'empty' ? [] : scenario.groups)),
  http.get('*/_apis/serviceendpoint/endpoints', () => list(mood.current === 'empty' ? [] : scenario.endpoints)),
  ...administration,
  http.get('*/_apis/pipelines/checks/configurations', ({ request }) => list(scenario.checks.filter((one) => one.resource?.id === url(request).searchParams.get('resourceId')))),
]
