import { http, HttpResponse } from 'msw'
import { mood } from './mood'
import * as scenario from './scenario'

const list = (value: unknown[]) => HttpResponse.json({ count: value.length, value })
const done = () => new HttpResponse(null, { status: 204 })
const echo = (more: object) => async ({ request }: { request: Request }) => HttpResponse.json({ ...(await request.json()) as object, ...more })

const file = `trigger:
- main
pool:
  vmImage: ubuntu-latest
steps:
- scrpt: make
  displayName: Build
- task: Docker@2
  inputs:
    command: buildAndPush
`

/** Answers to what only administrators do: nothing is kept, each answer is what the server would say. */
export const administration = [
  http.get('*/_apis/slipway/identities', () => list([{ ...scenario.person, isAdmin: true }, { ...scenario.other, isAdmin: false }])),
  http.post('*/_apis/slipway/identities', echo({ id: 'new' })),
  http.get('*/_apis/slipway/identities/:id/tokens', () => list([{ id: 1, name: 'git on my laptop', createdAt: scenario.ago(86_400_000 * 3), expiresAt: scenario.ago(-86_400_000 * 87) }])),
  http.post('*/_apis/slipway/identities/:id/tokens', () => HttpResponse.json({ token: 'shown-once-4711', expiresAt: scenario.ago(-86_400_000 * 90) }, { status: 201 })),
  http.delete('*/_apis/slipway/identities/:id/tokens/:token', done),
  http.get('*/_apis/slipway/images', () => list([{ vmImage: '*', poolId: 1 }, { vmImage: 'ubuntu-latest', poolId: 1 }])),
  http.put('*/_apis/slipway/images', echo({})),
  http.delete('*/_apis/slipway/images/:image', done),
  http.get('*/_apis/slipway/about', () => HttpResponse.json({ version: '0.1.0' })),
  http.get('*/_apis/build/retention', () => HttpResponse.json({
    purgeRuns: { min: 1, max: 36_500, value: 30 }, purgeArtifacts: { min: 1, max: 36_500, value: 30 }, purgePullRequestRuns: { min: 1, max: 36_500, value: 10 }, retainRunsPerProtectedBranch: { min: 0, max: 1000, value: 10 },
  })),
  http.patch('*/_apis/build/retention', echo({})),
  http.post('*/_apis/slipway/pools/:id/registrationtokens', () => HttpResponse.json({ token: 'registration-4711', expiresAt: scenario.ago(-3_600_000) })),
  http.post('*/_apis/distributedtask/pools', echo({ id: 2 })),
  http.patch('*/_apis/distributedtask/pools/:id', echo({ id: 1 })),
  http.patch('*/_apis/distributedtask/pools/:id/agents/:agent', echo({})),
  http.post('*/_apis/distributedtask/variablegroups', echo({ id: 2 })),
  http.put('*/_apis/distributedtask/variablegroups/:id', echo({})),
  http.delete('*/_apis/distributedtask/variablegroups/:id', done),
  http.post('*/_apis/serviceendpoint/endpoints', echo({ id: 'e3' })),
  http.put('*/_apis/serviceendpoint/endpoints/:id', echo({})),
  http.delete('*/_apis/serviceendpoint/endpoints/:id', done),
  http.get('*/_apis/distributedtask/securefiles', () => list(mood.current === 'empty' ? [] : [{ id: 'f1', name: 'signing.pfx', size: 2914, createdOn: scenario.ago(86_400_000 * 3), createdBy: scenario.person }])),
  http.post('*/_apis/distributedtask/securefiles', ({ request }) => HttpResponse.json({ id: 'f2', name: new URL(request.url).searchParams.get('name'), size: 6, createdOn: scenario.ago(0) })),
  http.delete('*/_apis/distributedtask/securefiles/:id', done),
  http.get('*/_apis/slipway/pipelines/:id/tests', () => list(mood.current === 'empty' ? [] : scenario.pipelineTests)),
  http.patch('*/_apis/slipway/runs/:id/jobs/:job', done),
  http.patch('*/_apis/pipelines/environments/:id', echo({})),
  http.get('*/_apis/pipelines/environments/:id', ({ params }) => HttpResponse.json({ id: Number(params.id), name: 'production', description: 'What everybody sees', createdOn: scenario.ago(86_400_000 * 40), createdBy: scenario.person })),
  http.post('*/_apis/pipelines/environments', echo({ id: 2 })),
  http.post('*/_apis/pipelines/environments/:id/providers/:kind', echo({ id: 30 })),
  http.post('*/_apis/pipelines/checks/configurations', echo({ id: 9 })),
  http.delete('*/_apis/pipelines/checks/configurations/:id', done),
  http.get('*/_apis/git/repositories', () => list([{ id: 'r1', name: 'space-game', defaultBranch: 'refs/heads/main' }, { id: 'r2', name: 'tools', defaultBranch: 'refs/heads/main' }])),
  http.post('*/_apis/git/repositories', echo({ id: 'r3' })),
  http.get('*/_apis/git/repositories/:id/items', ({ params }) => params.id === 'r1'
    ? list([{ path: '/web', isFolder: true }, { path: '/web/azure-pipelines.yml' }, { path: '/azure-pipelines.yml' }, { path: '/manifests/web.yml' }, { path: '/web/main.c' }])
    : HttpResponse.json({ message: 'repository "tools" has no branch "main"', code: 'notFound' }, { status: 404 })),
  http.post('*/_apis/slipway/validate', async ({ request }) => {
    const { path } = (await request.json()) as { path: string }
    const bad = path === '/azure-pipelines.yml'
    return HttpResponse.json({
      path, branch: 'refs/heads/main', version: scenario.waitingRun.version, valid: !bad, text: bad ? file : file.replace('scrpt', 'script'), finalYaml: '',
      diagnostics: bad ? [{ severity: 'error', code: 'unknown-key', message: "'scrpt' is no kind of step", file: path, line: 6, column: 3, hint: "did you mean 'script'?" }] : [],
    })
  }),
  http.post('*/_apis/pipelines', echo({ id: 1 })),
  http.get('*/_apis/build/definitions/:id', ({ params }) => HttpResponse.json({
    id: Number(params.id), name: 'space-game', path: '\\', revision: 3, queueStatus: 'enabled', process: { yamlFilename: 'azure-pipelines.yml' }, repository: { id: 'r1', name: 'space-game', defaultBranch: 'refs/heads/main' },
  })),
  http.put('*/_apis/build/definitions/:id', echo({})),
  http.delete('*/_apis/build/definitions/:id', done),
  http.get('*/_apis/build/generalSettings', () => HttpResponse.json({ statusBadgesArePrivate: true })),
  http.patch('*/_apis/build/generalSettings', echo({})),
  http.get('*/_apis/slipway/runs/:id/records/:record/attempts', () => list([])),
]
