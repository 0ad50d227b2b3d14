// Contract test: Microsoft's unmodified `azure-devops-node-api` against a real server and worker.
// Usage: node contract.mjs [--binary PATH] [--junit FILE]
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as azdev from 'azure-devops-node-api'
import * as build from 'azure-devops-node-api/interfaces/BuildInterfaces.js'
import * as pipelines from 'azure-devops-node-api/interfaces/PipelinesInterfaces.js'

const here = dirname(fileURLToPath(import.meta.url))
const option = (name, fallback) => {
  const at = process.argv.indexOf(name)
  return at > 0 ? process.argv[at + 1] : fallback
}
const binary = resolve(
  option('--binary', process.env.SLIPWAY_BINARY ?? join(here, '../../build/release/cli/slipway')),
)
const junit = option('--junit')
const folder = mkdtempSync(join(tmpdir(), 'slipway-contract-'))
const data = join(folder, 'data')

const { BuildStatus, BuildResult, BuildReason, QueryDeletedOption, StageUpdateType, TaskResult, TimelineRecordState } =
  build.default ?? build
const { RunState, RunResult } = pipelines.default ?? pipelines

const pipelineText = `
trigger: none
parameters:
- name: word
  default: hello
stages:
- stage: Build
  jobs:
  - job: Say
    steps:
    - checkout: self
    - script: |
        echo "\${{ parameters.word }} from line one"
        echo "two"
        mkdir out && echo data > out/file.txt
      displayName: Say it
    - publish: out
      artifact: drop
- stage: Deploy
  dependsOn: Build
  jobs:
  - deployment: Place
    environment: dev
    strategy:
      runOnce:
        deploy:
          steps:
          - script: echo deployed
`
const slowText = `
trigger: none
steps:
- script: sleep 300
  displayName: Long
`
const failingText = `
trigger: none
stages:
- stage: Only
  jobs:
  - job: Fails
    steps:
    - script: exit 3
`

const children = []

function start(args, env, ready) {
  const child = spawn(binary, args, {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
  })
  child.text = ''
  child.stdout.on('data', (chunk) => (child.text += chunk))
  child.stderr.on('data', (chunk) => (child.text += chunk))
  children.push(child)
  if (!ready) return Promise.resolve({ child })
  return new Promise((done, fail) => {
    let text = ''
    child.stdio[3].on('data', (chunk) => {
      text += chunk
      if (text.endsWith('\n')) done({ child, line: text.trim() })
    })
    child.on('exit', (code) => fail(new Error(`slipway ${args[0]} ended with ${code}: ${child.text}`)))
  })
}

async function until(what, condition, seconds = 60) {
  const end = Date.now() + seconds * 1000
  for (;;) {
    const value = await condition()
    if (value) return value
    if (Date.now() > end) throw new Error(`${what}: not within ${seconds} s`)
    await new Promise((done) => setTimeout(done, 50))
  }
}

function git(cwd, ...args) {
  const done = spawnSync('git', ['-c', 'user.name=Ann', '-c', 'user.email=ann@example', ...args], {
    cwd,
    encoding: 'utf8',
    env: { ...process.env, GIT_TERMINAL_PROMPT: '0' },
  })
  assert.equal(done.status, 0, done.stderr)
  return done.stdout.trim()
}

async function textOf(stream) {
  let text = ''
  for await (const chunk of stream) text += chunk
  return text
}

let url = ''
let token = ''
let connection
const made = {}

async function post(path, body, method = 'POST') {
  const answer = await fetch(url + path, {
    method,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  const text = await answer.text()
  assert.ok(answer.ok, `${method} ${path}: ${answer.status} ${text}`)
  return text ? JSON.parse(text) : null
}

async function setUp() {
  const server = await start(
    ['server', '--data', data, '--listen', '127.0.0.1:0', '--ready-fd', '3'],
    {},
    true,
  )
  url = `http://127.0.0.1:${server.line}`
  token = readFileSync(join(data, 'operator-token'), 'utf8').trim()
  await post('/_apis/projects', { name: 'space game', description: 'with a blank' })
  const base = '/space%20game/_apis'
  const repository = await post(`${base}/git/repositories`, { name: 'code' })
  const tree = join(folder, 'tree')
  mkdirSync(tree)
  git(tree, 'init', '--quiet', '--initial-branch=main')
  writeFileSync(join(tree, 'azure-pipelines.yml'), pipelineText)
  writeFileSync(join(tree, 'slow.yml'), slowText)
  writeFileSync(join(tree, 'failing.yml'), failingText)
  writeFileSync(join(tree, 'broken.yml'), 'stages:\n- stage: A\n  jobs: 7\n')
  git(tree, 'add', '--all')
  git(tree, 'commit', '--quiet', '-m', 'the first commit')
  made.commit = git(tree, 'rev-parse', 'HEAD')
  git(tree, 'push', '--quiet', repository.remoteUrl.replace('http://', `http://x:${token}@`), 'main')
  for (const [name, path] of [
    ['whole', 'azure-pipelines.yml'],
    ['slow', 'slow.yml'],
    ['failing', 'failing.yml'],
    ['broken', 'broken.yml'],
  ]) {
    made[name] = await post(`${base}/pipelines`, {
      name,
      folder: '\\',
      configuration: { type: 'yaml', path, repository: { id: repository.id, type: 'azureReposGit' } },
    })
  }
  made.repository = repository
  await post(`${base}/pipelines/environments`, { name: 'dev' })
  const pools = (await (await fetch(`${url}/_apis/distributedtask/pools`, {
    headers: { authorization: `Bearer ${token}` },
  })).json()).value
  made.pool = pools[0]
  const registration = await post(`/_apis/slipway/pools/${pools[0].id}/registrationtokens`, {})
  await start(
    ['worker', '--url', url, '--name', 'contract', '--pool', pools[0].name, '--work', join(folder, 'work')],
    { SLIPWAY_WORKER_TOKEN: registration.token },
  )
  connection = new azdev.WebApi(url, azdev.getPersonalAccessTokenHandler(token))
}

const P = 'space game'
const cases = []
const test = (name, body) => cases.push({ name, body })

test('connects', async () => {
  const answer = await connection.connect()
  assert.equal(answer.authenticatedUser.providerDisplayName, 'Operator')
})

test('refuses a wrong token with the server\'s words', async () => {
  const other = new azdev.WebApi(url, azdev.getPersonalAccessTokenHandler('x'.repeat(52)))
  const core = await other.getCoreApi()
  await assert.rejects(core.getProjects(), (error) => error.statusCode === 401 && /token/.test(error.message))
})

test('lists and reads projects', async () => {
  const core = await connection.getCoreApi()
  const projects = await core.getProjects()
  assert.deepEqual(projects.map((p) => p.name), [P])
  assert.equal((await core.getProject(P)).id, projects[0].id)
  assert.equal(await core.getProject('absent'), null)
  made.project = projects[0]
})

test('lists and reads pipelines', async () => {
  const api = await connection.getPipelinesApi()
  const all = await api.listPipelines(P)
  assert.deepEqual(all.map((p) => p.name), ['broken', 'failing', 'slow', 'whole'])
  const one = await api.getPipeline(P, made.whole.id)
  assert.equal(one.configuration.path, '/azure-pipelines.yml')
  assert.equal(await api.getPipeline(P, 4711), null)
})

test('previews without creating a run', async () => {
  const api = await connection.getPipelinesApi()
  const preview = await api.preview({ templateParameters: { word: 'moin' } }, P, made.whole.id)
  assert.match(preview.finalYaml, /moin from line one/)
  assert.equal((await api.listRuns(P, made.whole.id)).length, 0)
})

test('says what is wrong with a broken pipeline', async () => {
  const api = await connection.getPipelinesApi()
  await assert.rejects(
    api.runPipeline({}, P, made.broken.id),
    (error) =>
      error.statusCode === 400 &&
      error.result.typeKey === 'PipelineValidationException' &&
      /\/broken\.yml \(Line: 3, Col: \d+\)/.test(error.message),
  )
  assert.equal((await api.listRuns(P, made.broken.id)).length, 0)
})

test('queues a run and follows it to its end', async () => {
  const api = await connection.getPipelinesApi()
  const run = await api.runPipeline({ templateParameters: { word: 'moin' } }, P, made.whole.id)
  assert.ok(run.id > 0)
  assert.match(run.name, /^\d{8}\.1$/)
  made.run = run
  const builds = await connection.getBuildApi()
  const finished = await until('the run ends', async () => {
    const now = await builds.getBuild(P, run.id)
    return now.status === BuildStatus.Completed && now
  })
  const timeline = await builds.getBuildTimeline(P, run.id)
  assert.equal(finished.result, BuildResult.Succeeded, JSON.stringify(timeline.records.filter((r) => r.issues)))
  assert.equal(finished.reason, BuildReason.Manual)
  assert.equal(finished.sourceVersion, made.commit)
  assert.equal(finished.definition.name, 'whole')
  assert.ok(finished.finishTime > finished.startTime)
  const state = await api.getRun(P, made.whole.id, run.id)
  assert.equal(state.state, RunState.Completed)
  assert.equal(state.result, RunResult.Succeeded)
  assert.deepEqual(state.templateParameters, { word: 'moin' })
})

test('reads the timeline', async () => {
  const builds = await connection.getBuildApi()
  const { records } = await builds.getBuildTimeline(P, made.run.id)
  const types = new Set(records.map((r) => r.type))
  for (const type of ['Stage', 'Phase', 'Job', 'Task']) assert.ok(types.has(type), type)
  const ids = new Set(records.map((r) => r.id))
  for (const record of records) {
    assert.ok(record.parentId === null || record.parentId === undefined || ids.has(record.parentId))
    assert.equal(record.state, TimelineRecordState.Completed, record.name)
  }
  const step = records.find((r) => r.name === 'Say it')
  assert.equal(step.result, TaskResult.Succeeded)
  assert.ok(step.log.id > 0)
  made.logId = step.log.id
})

test('reads logs as text and as lines', async () => {
  const builds = await connection.getBuildApi()
  const logs = await builds.getBuildLogs(P, made.run.id)
  assert.ok(logs.some((log) => log.id === made.logId && log.lineCount > 1))
  const text = await textOf(await builds.getBuildLog(P, made.run.id, made.logId))
  assert.match(text, /moin from line one/)
  const lines = await builds.getBuildLogLines(P, made.run.id, made.logId)
  assert.equal(lines.length, text.trimEnd().split('\n').length)
  const at = lines.findIndex((line) => /from line one$/.test(line))
  const part = await builds.getBuildLogLines(P, made.run.id, made.logId, at, at + 1)
  assert.equal(part.length, 2)
  assert.match(part[1], /two$/)
})

test('reads artifacts', async () => {
  const builds = await connection.getBuildApi()
  const artifacts = await builds.getArtifacts(P, made.run.id)
  assert.deepEqual(artifacts.map((a) => a.name), ['drop'])
  assert.equal((await builds.getArtifact(P, made.run.id, 'drop')).resource.type, 'PipelineArtifact')
  const chunks = []
  for await (const chunk of await builds.getArtifactContentZip(P, made.run.id, 'drop')) chunks.push(chunk)
  const zip = Buffer.concat(chunks)
  assert.equal(zip.subarray(0, 2).toString(), 'PK')
  assert.ok(zip.includes('drop/file.txt'))
})

test('reads environments and deployment records', async () => {
  const tasks = await connection.getTaskAgentApi()
  const environments = await tasks.getEnvironments(P)
  assert.deepEqual(environments.map((e) => e.name), ['dev'])
  const records = await tasks.getEnvironmentDeploymentExecutionRecords(P, environments[0].id)
  assert.equal(records.length, 1)
  assert.equal(records[0].owner.id, made.run.id)
  assert.equal(records[0].stageName, 'Deploy')
  assert.equal(records[0].result, 0)
})

test('reads what changed', async () => {
  const builds = await connection.getBuildApi()
  const changes = await builds.getBuildChanges(P, made.run.id)
  assert.equal(changes[0].id, made.commit)
  assert.equal(changes[0].message, 'the first commit')
})

test('lists builds with filters', async () => {
  const builds = await connection.getBuildApi()
  const all = await builds.getBuilds(P)
  assert.equal(all.length, 1)
  const of = (...filters) => builds.getBuilds(P, ...filters)
  assert.equal((await of([made.whole.id])).length, 1)
  assert.equal((await of([made.slow.id])).length, 0)
  assert.equal((await of(undefined, undefined, '*')).length, 1)
  assert.equal((await of(undefined, undefined, undefined, new Date(Date.now() + 3600e3))).length, 0)
  assert.equal((await of(undefined, undefined, undefined, undefined, undefined, undefined, BuildReason.Manual)).length, 1)
  assert.equal((await of(undefined, undefined, undefined, undefined, undefined, undefined, BuildReason.Schedule)).length, 0)
  const pools = await (await connection.getTaskAgentApi()).getAgentPools()
  assert.equal((await of([made.whole.id], pools.map((pool) => pool.id))).length, 1)
  assert.equal((await of([made.whole.id], [999])).length, 0)
  const more = (...last) => of([made.whole.id], ...Array(13).fill(undefined), ...last)
  assert.equal((await more(QueryDeletedOption.ExcludeDeleted)).length, 1)
  assert.equal((await more(QueryDeletedOption.OnlyDeleted)).length, 0)
  const [one] = await more(undefined, undefined, undefined, undefined, made.repository.id, 'TfsGit')
  assert.equal(one.repository.id, made.repository.id)
  assert.match(one._links.badge.href, /status/)
  await builds.addBuildTag(P, one.id, 'seen')
  assert.deepEqual((await of([made.whole.id]))[0].tags, ['seen'])
  assert.deepEqual((await builds.getBuild(P, one.id)).tags, ['seen'])
  await builds.deleteBuildTag(P, one.id, 'seen')
  // The badge of the run, of one stage of it, and of a stage that it does not have.
  for (const [query, status, holds] of [['', 200, 'succeeded'], ['?stageName=deploy', 200, 'succeeded'], ['?stageName=Nope', 404, "no stage 'Nope'"]]) {
    const badge = await fetch(one._links.badge.href + query, { headers: { authorization: `Bearer ${token}` } })
    assert.equal(badge.status, status)
    assert.ok((await badge.text()).includes(holds), query)
  }
})

test('cancels a run', async () => {
  const builds = await connection.getBuildApi()
  const run = await builds.queueBuild({ definition: { id: made.slow.id } }, P)
  await until('the step runs', async () => {
    const { records } = await builds.getBuildTimeline(P, run.id)
    return records.some((r) => r.name === 'Long' && r.state === TimelineRecordState.InProgress)
  })
  await builds.updateBuild({ status: BuildStatus.Cancelling }, P, run.id)
  const ended = await until('the run is cancelled', async () => {
    const now = await builds.getBuild(P, run.id)
    return now.status === BuildStatus.Completed && now
  })
  assert.equal(ended.result, BuildResult.Canceled)
})

test('retries a failed stage', async () => {
  const builds = await connection.getBuildApi()
  const run = await builds.queueBuild({ definition: { id: made.failing.id } }, P)
  const completed = async () => (await builds.getBuild(P, run.id)).status === BuildStatus.Completed
  await until('the run fails', completed)
  assert.equal((await builds.getBuild(P, run.id)).result, BuildResult.Failed)
  await builds.updateStage({ state: StageUpdateType.Retry, forceRetryAllJobs: true }, run.id, 'Only', P)
  await until('the second attempt fails', async () => {
    const { records } = await builds.getBuildTimeline(P, run.id)
    return (await completed()) && records.find((r) => r.type === 'Stage').attempt === 2
  })
  // The timeline has the newest attempts, each with the way to those before it.
  const { id, records } = await builds.getBuildTimeline(P, run.id)
  const steps = records.filter((r) => r.type === 'Task')
  assert.ok(steps.length > 0 && steps.every((r) => r.attempt === 2))
  const job = records.find((r) => r.type === 'Job')
  assert.deepEqual(job.previousAttempts.map((p) => [p.attempt, p.recordId]), [[1, job.id]])
  const [{ timelineId }] = job.previousAttempts
  assert.notEqual(timelineId, id)
  const before = await builds.getBuildTimeline(P, run.id, timelineId)
  assert.equal(before.id, timelineId)
  assert.equal(before.records.length, records.length)
  assert.ok(before.records.every((r) => r.attempt === 1 && r.previousAttempts.length === 0))
  const logOf = (list) => list.find((r) => r.type === 'Job').log.id
  assert.notEqual(logOf(before.records), logOf(records))
  assert.equal((await builds.getBuildTimeline(P, run.id, id)).id, id)
  // The client gives null for what the server does not have.
  assert.equal(await builds.getBuildTimeline(P, run.id, made.project.id), null)
})

test('reads definitions', async () => {
  const builds = await connection.getBuildApi()
  const definitions = await builds.getDefinitions(P)
  assert.equal(definitions.length, 4)
  const one = await builds.getDefinition(P, made.whole.id)
  assert.equal(one.process.yamlFilename, 'azure-pipelines.yml')
})

test('keeps secrets of variable groups and service connections', async () => {
  const tasks = await connection.getTaskAgentApi()
  const group = await tasks.addVariableGroup({
    name: 'Release',
    type: 'Vsts',
    variables: { plain: { value: 'p' }, hidden: { value: 'hunter2', isSecret: true } },
    variableGroupProjectReferences: [{ name: 'Release', projectReference: { id: made.project.id, name: P } }],
  })
  const read = await tasks.getVariableGroup(P, group.id)
  assert.equal(read.variables.plain.value, 'p')
  assert.equal(read.variables.hidden.value, null)
  const raw = await (await fetch(`${url}/space%20game/_apis/distributedtask/variablegroups`, {
    headers: { authorization: `Bearer ${token}` },
  })).text()
  assert.ok(!raw.includes('hunter2'))
  const endpoints = await connection.rest.create(`${url}/space%20game/_apis/serviceendpoint/endpoints`, {
    name: 'registry',
    type: 'dockerregistry',
    url: 'http://localhost:5000',
    authorization: { scheme: 'UsernamePassword', parameters: { username: 'a', password: 'hunter2' } },
  })
  assert.equal(endpoints.result.authorization.parameters.password, null)
})

test('reads repositories, refs, commits and files', async () => {
  const api = await connection.getGitApi()
  const repositories = await api.getRepositories(P)
  assert.deepEqual(repositories.map((r) => r.name), ['code'])
  const refs = await api.getRefs(made.repository.id, P)
  assert.deepEqual(refs.map((r) => r.name), ['refs/heads/main'])
  const text = await textOf(await api.getItemText(made.repository.id, 'slow.yml', P))
  assert.equal(text, slowText)
})

test('reads pools and workers', async () => {
  const tasks = await connection.getTaskAgentApi()
  const pools = await tasks.getAgentPools()
  assert.deepEqual(pools.map((p) => p.name), ['Default'])
  const agents = await tasks.getAgents(pools[0].id)
  assert.deepEqual(agents.map((a) => a.name), ['contract'])
  assert.equal(agents[0].status, 2)
})

test('keeps a run by leases and deletes it without', async () => {
  const builds = await connection.getBuildApi()
  const leases = await builds.addRetentionLeases(
    [{ daysValid: 5, definitionId: made.whole.id, ownerId: 'User:me', protectPipeline: true, runId: made.run.id }],
    P,
  )
  assert.equal(leases.length, 1)
  const id = leases[0].leaseId
  assert.equal((await builds.getRetentionLease(P, id)).runId, made.run.id)
  assert.equal((await builds.getRetentionLeasesByOwnerId(P, 'User:me')).length, 1)
  assert.equal((await builds.getRetentionLeasesForBuild(P, made.run.id)).length, 1)
  const changed = await builds.updateRetentionLease({ daysValid: 36500, protectPipeline: false }, P, id)
  assert.equal(new Date(changed.validUntil).getUTCFullYear(), 9999)
  assert.equal((await builds.getBuild(P, made.run.id)).keepForever, true)
  await assert.rejects(builds.deleteBuild(P, made.run.id), (error) => error.statusCode === 409)
  await builds.deleteRetentionLeasesById(P, [id])
  assert.equal((await builds.getRetentionLeasesForBuild(P, made.run.id)).length, 0)
  await builds.updateBuild({ keepForever: true }, P, made.run.id)
  assert.equal((await builds.getRetentionLeasesForBuild(P, made.run.id)).length, 1)
  await builds.updateBuild({ keepForever: false }, P, made.run.id)
  const old = (await builds.getBuilds(P, [made.failing.id]))[0]
  await builds.deleteBuild(P, old.id)
  assert.equal(await builds.getBuild(P, old.id), null)
  assert.equal((await builds.getBuilds(P, [made.failing.id])).length, 0)
})

test('changes and deletes a definition', async () => {
  const builds = await connection.getBuildApi()
  const one = await builds.getDefinition(P, made.failing.id)
  one.name = 'renamed'
  one.queueStatus = 1
  const changed = await builds.updateDefinition(one, P, made.failing.id)
  assert.equal(changed.name, 'renamed')
  assert.equal(changed.queueStatus, 1)
  assert.equal(changed.revision, one.revision + 1)
  await builds.deleteDefinition(P, made.failing.id)
  assert.equal(await builds.getDefinition(P, made.failing.id), null)
  assert.equal((await builds.getDefinitions(P)).length, 3)
})

test('opens, reads and completes a pull request', async () => {
  const api = await connection.getGitApi()
  const tree = join(folder, 'tree')
  git(tree, 'checkout', '--quiet', '-b', 'topic')
  writeFileSync(join(tree, 'more.txt'), 'more')
  git(tree, 'add', '--all')
  git(tree, 'commit', '--quiet', '-m', 'more\n\n[skip ci]')
  git(tree, 'push', '--quiet', made.repository.remoteUrl.replace('http://', `http://x:${token}@`), 'topic')
  const request = await api.createPullRequest(
    { title: 'More', sourceRefName: 'refs/heads/topic', targetRefName: 'refs/heads/main' },
    made.repository.id,
    P,
  )
  assert.equal(request.status, 1)
  assert.equal((await api.getPullRequests(made.repository.id, { status: 1 }, P)).length, 1)
  assert.equal((await api.getPullRequestById(request.pullRequestId, P)).title, 'More')
  await until('it is merged for trial', async () => {
    const now = await api.getPullRequest(made.repository.id, request.pullRequestId, P)
    return now.mergeStatus === 3
  })
  const done = await api.updatePullRequest(
    { status: 3, completionOptions: { deleteSourceBranch: true } },
    made.repository.id,
    request.pullRequestId,
    P,
  )
  assert.equal(done.status, 3)
  const refs = await api.getRefs(made.repository.id, P)
  assert.deepEqual(refs.map((r) => [r.name, r.objectId]), [['refs/heads/main', done.lastMergeCommit.commitId]])
})

test('switches a worker off and on', async () => {
  const tasks = await connection.getTaskAgentApi()
  const [agent] = await tasks.getAgents(made.pool.id)
  assert.equal((await tasks.updateAgent({ id: agent.id, enabled: false }, made.pool.id, agent.id)).enabled, false)
  assert.equal((await tasks.updateAgent({ id: agent.id, enabled: true }, made.pool.id, agent.id)).enabled, true)
})

const escaped = (text) =>
  String(text).replace(/[<>&"\u0000-\u0008\u000b\u000c\u000e-\u001f]/g, (c) => `&#${c.codePointAt(0) < 32 ? 63 : c.codePointAt(0)};`)

async function main() {
  const results = []
  let broken
  try {
    await setUp()
  } catch (error) {
    broken = error
  }
  for (const { name, body } of cases) {
    const begin = Date.now()
    let failure = broken
    if (!broken) {
      try {
        await body()
      } catch (error) {
        failure = error
      }
    }
    results.push({ name, failure, seconds: (Date.now() - begin) / 1000 })
    console.log(`${failure ? 'FAIL' : 'ok  '} ${name}${failure ? `\n     ${failure.stack}` : ''}`)
  }
  const failed = results.filter((r) => r.failure).length
  if (failed > 0) for (const child of children) console.log(child.text)
  for (const child of children.reverse()) {
    if (child.exitCode !== null) continue
    const ended = new Promise((done) => child.on('exit', done))
    child.kill('SIGTERM')
    const timer = setTimeout(() => child.kill('SIGKILL'), 10000)
    await ended
    clearTimeout(timer)
  }
  // Job processes outlive a worker on purpose; those of this test carry its folder in their arguments.
  for (const entry of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      if (Number(entry) !== process.pid && readFileSync(`/proc/${entry}/cmdline`, 'utf8').includes(folder))
        process.kill(Number(entry), 'SIGKILL')
    } catch {
      // ended meanwhile
    }
  }
  rmSync(folder, { recursive: true, force: true })
  if (junit) {
    const rows = results.map(
      (r) =>
        `<testcase classname="api-client" name="${escaped(r.name)}" time="${r.seconds}">` +
        (r.failure ? `<failure message="${escaped(r.failure.message)}">${escaped(r.failure.stack)}</failure>` : '') +
        '</testcase>',
    )
    writeFileSync(
      junit,
      `<?xml version="1.0" encoding="UTF-8"?>\n<testsuite name="api-client" tests="${results.length}" failures="${failed}">\n${rows.join('\n')}\n</testsuite>\n`,
    )
  }
  console.log(`${results.length - failed} passed, ${failed} failed`)
  process.exitCode = failed > 0 ? 1 : 0
}

await main()
