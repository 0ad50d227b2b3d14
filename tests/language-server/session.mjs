// The language server under the protocol's own client library (vscode-jsonrpc).
// Usage: node session.mjs [--binary PATH] [--junit FILE]
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { copyFileSync, linkSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import rpc from 'vscode-jsonrpc/node.js'
import protocol from 'vscode-languageserver-protocol'

const here = dirname(fileURLToPath(import.meta.url))
const option = (name, fallback) => {
  const at = process.argv.indexOf(name)
  return at > 0 ? process.argv[at + 1] : fallback
}
const binary = resolve(option('--binary', join(here, '../../build/release/cli/slipway')))
const junit = option('--junit')
const folder = mkdtempSync(join(tmpdir(), 'slipway-editor-'))
const limit = 20_000

const files = {
  '.git/HEAD': 'ref: refs/heads/main\n',
  'steps/build.yml': 'parameters:\n- name: target\n  type: string\nsteps:\n- script: make ${{ parameters.target }}\n',
  'steps/typed.yml': 'parameters:\n- name: mode\n  displayName: How fast\n  values: [fast, slow]\n  default: fast\n' +
    '- name: deep\n  type: boolean\n  default: false\n- name: where\nsteps:\n' +
    '- script: ${{ parameters.mode }} ${{ parameters.deep }} ${{ parameters.where }}\n',
  'tools/typed.yml': 'parameters:\n- name: level\n  type: number\nsteps:\n- script: ${{ parameters.level }}\n',
  'variables/shared.yml': 'variables:\n- {name: flow, value: "a: b, c"}\n- template: deeper.yml\n',
  'variables/deeper.yml': 'variables: {deep: 1, "quoted": [x, y], last: 2}\n',
  'steps/broken.yml': 'steps:\n- scrpt: x\n',
  'tasks/Greet/task.json': JSON.stringify({
    id: '11111111-2222-3333-4444-555555555555', name: 'Greet', friendlyName: 'Greet people', description: 'Says hello',
    version: { Major: 3, Minor: 1, Patch: 4 },
    inputs: [
      { name: 'who', aliases: ['person'], type: 'string', label: 'Who', required: true, helpMarkDown: 'The one to greet' },
      { name: 'tone', type: 'pickList', options: { warm: 'Warm', cold: 'Cold' }, defaultValue: 'warm' },
    ],
  }),
  'tools/shared.yml': 'steps:\n- script: shared\n',
}

const pipeline = `trigger: none
parameters:
- name: target
  type: string
  default: all
  values: [all, none]
variables:
  greeting: grüß 😀
resources:
  repositories:
  - repository: tools
    name: org/tools
stages:
- stage: Build
  jobs:
  - job: Compile
    steps:
    - template: steps/build.yml
      parameters:
        target: \${{ parameters.target }}
    - template: shared.yml@tools
    - task: Greet@3
      inputs:
        who: world
    - script: echo $(greeting)
- stage: Deploy
  dependsOn: Build
  jobs:
  - job: Ship
    steps:
    - script: ship
`

const uriOf = (name) => pathToFileURL(join(folder, name)).href

/** Line and character of a text in a document, `|` in the text being the cursor. */
function at(text, marked) {
  const offset = text.indexOf(marked.replace('|', ''))
  assert.ok(offset >= 0, `the document holds '${marked}'`)
  const before = text.slice(0, offset + marked.indexOf('|'))
  return { line: before.split('\n').length - 1, character: before.length - before.lastIndexOf('\n') - 1 }
}

/** A running server with a client connected to it. */
class Session {
  constructor(extra = []) {
    this.child = spawn(binary, ['language-server', '--stdio', '--tasks', join(folder, 'tasks'), '--repository',
      `org/tools=${join(folder, 'tools')}`, '--repository', `tools=${join(folder, 'tools')}`, ...extra])
    this.errors = ''
    this.child.stderr.on('data', (bytes) => (this.errors += bytes))
    this.ended = new Promise((done) => this.child.on('close', (code) => done(code)))
    this.connection = rpc.createMessageConnection(
      new rpc.StreamMessageReader(this.child.stdout), new rpc.StreamMessageWriter(this.child.stdin))
    this.waiting = new Map()
    this.latest = new Map()
    this.connection.onNotification(protocol.PublishDiagnosticsNotification.type, (sent) => {
      this.latest.set(sent.uri, sent)
      for (const check of this.waiting.get(sent.uri) ?? []) check(sent)
    })
    this.connection.listen()
  }

  async start() {
    const result = await this.connection.sendRequest(protocol.InitializeRequest.type, {
      processId: process.pid, rootUri: pathToFileURL(folder).href, capabilities: {},
    })
    this.connection.sendNotification(protocol.InitializedNotification.type, {})
    return result
  }

  /** Diagnostics of exactly this version of a document. */
  diagnostics(uri, version) {
    const known = this.latest.get(uri)
    if (known?.version === version) return Promise.resolve(known.diagnostics)
    return new Promise((done, fail) => {
      const timer = setTimeout(() => fail(new Error(`no diagnostics of ${uri} version ${version}`)), limit)
      const checks = this.waiting.get(uri) ?? []
      checks.push((sent) => {
        if (sent.version !== version) return
        clearTimeout(timer)
        done(sent.diagnostics)
      })
      this.waiting.set(uri, checks)
    })
  }

  open(uri, text) {
    this.connection.sendNotification(protocol.DidOpenTextDocumentNotification.type, {
      textDocument: { uri, languageId: 'azure-pipelines', version: 1, text },
    })
    return this.diagnostics(uri, 1)
  }

  change(uri, version, contentChanges) {
    this.connection.sendNotification(protocol.DidChangeTextDocumentNotification.type, {
      textDocument: { uri, version }, contentChanges,
    })
    return this.diagnostics(uri, version)
  }

  async complete(uri, position) {
    const result = await this.connection.sendRequest(protocol.CompletionRequest.type, { textDocument: { uri }, position })
    return result.items.map((item) => item.label)
  }

  hover(uri, position) {
    return this.connection.sendRequest(protocol.HoverRequest.type, { textDocument: { uri }, position })
  }

  definition(uri, position) {
    return this.connection.sendRequest(protocol.DefinitionRequest.type, { textDocument: { uri }, position })
  }

  async stop() {
    await this.connection.sendRequest(protocol.ShutdownRequest.type)
    this.connection.sendNotification(protocol.ExitNotification.type)
    const code = await this.ended
    this.connection.dispose()
    return code
  }
}

const results = []
async function check(name, body) {
  const started = Date.now()
  try {
    await body()
    results.push({ name, seconds: (Date.now() - started) / 1000 })
    console.log(`ok    ${name}`)
  } catch (error) {
    results.push({ name, seconds: (Date.now() - started) / 1000, error })
    console.log(`FAIL  ${name}\n      ${error.message}`)
  }
}

/** Opens a document with this text and asks for completion at `|`. */
async function completionIn(session, marked, name = 'typing.yml') {
  const uri = uriOf(name)
  const position = at(marked.replace('|', ''), marked)
  await session.open(uri, marked.replace('|', ''))
  return session.complete(uri, position)
}

async function features() {
  const session = new Session()
  const main = uriOf('azure-pipelines.yml')
  await check('initialize names what the server can do', async () => {
    const { capabilities, serverInfo } = await session.start()
    assert.equal(serverInfo.name, 'slipway')
    for (const one of ['hoverProvider', 'definitionProvider', 'documentSymbolProvider', 'completionProvider'])
      assert.ok(capabilities[one], one)
  })
  await check('a valid pipeline with templates of two repositories has no diagnostics', async () => {
    assert.deepEqual(await session.open(main, pipeline), [])
  })
  await check('a misspelled key is reported with its place and the fix', async () => {
    const wrong = pipeline.replace('  dependsOn: Build', '  dependson: Build')
    const [first, ...rest] = await session.change(main, 2, [{ text: wrong }])
    assert.equal(rest.length, 0)
    assert.match(first.message, /dependsOn/)
    assert.equal(first.severity, 1)
    assert.deepEqual(first.range.start, at(wrong, '|dependson: Build'))
  })
  await check('an incremental change mends it', async () => {
    const wrong = pipeline.replace('  dependsOn: Build', '  dependson: Build')
    const start = at(wrong, 'depends|on: Build')
    const range = { start, end: { ...start, character: start.character + 1 } }
    assert.deepEqual(await session.change(main, 3, [{ range, text: 'O' }]), [])
  })
  await check('changes behind characters of two UTF-16 units hit the right place', async () => {
    const start = at(pipeline, 'grüß 😀|')
    const range = { start: { ...start, character: start.character - 2 }, end: start }
    await session.change(main, 4, [{ range, text: '' }, { range: { start: range.start, end: range.start }, text: '😀' }])
    const restored = await session.change(main, 5, [{ text: pipeline }])
    assert.deepEqual(restored, [])
  })
  await check('an error inside of a template stands at the reference and leads to the template', async () => {
    const using = 'steps:\n- template: steps/broken.yml\n'
    const [first] = await session.open(uriOf('using.yml'), using)
    assert.deepEqual(first.range.start, at(using, '|steps/broken'))
    assert.match(first.message, /broken\.yml:2/)
    assert.equal(first.relatedInformation[0].location.uri, uriOf('steps/broken.yml'))
  })
  await check('an open template counts as the editor has it, not as the disk does', async () => {
    await session.open(uriOf('steps/broken.yml'), 'steps:\n- script: mended\n')
    assert.deepEqual(await session.change(uriOf('using.yml'), 2, [{ text: 'steps:\n- template: steps/broken.yml\n' }]), [])
  })
  await check('unknown and missing inputs of a task.json are warnings', async () => {
    const found = await session.open(uriOf('inputs.yml'), 'steps:\n- task: Greet@3\n  inputs:\n    tone: loud\n    whom: x\n')
    assert.deepEqual(found.map((one) => one.code).sort(), ['missing-input', 'unknown-input', 'unknown-input-value'])
    assert.ok(found.every((one) => one.severity === 2))
  })
  await check('keys of the root, without those that are there', async () => {
    const labels = await completionIn(session, 'trigger: none\n|\nsteps:\n- script: x\n', 'root.yml')
    assert.ok(labels.includes('variables') && labels.includes('pool'))
    assert.ok(!labels.includes('trigger') && !labels.includes('stages'), labels.join())
  })
  await check('the kinds of a step, then its other keys', async () => {
    const kinds = await completionIn(session, 'steps:\n- |\n', 'kinds.yml')
    for (const kind of ['script', 'bash', 'task', 'template', 'checkout']) assert.ok(kinds.includes(kind), kind)
    const keys = await completionIn(session, 'steps:\n- script: x\n  d|\n', 'keys.yml')
    assert.ok(keys.includes('displayName') && keys.includes('workingDirectory'))
    assert.ok(!keys.includes('inputs') && !keys.includes('script'), keys.join())
  })
  await check('keys of a job below a condition', async () => {
    const text = 'jobs:\n- ${{ if true }}:\n  - job: a\n    |\n    steps: []\n'
    const labels = await completionIn(session, text, 'conditional.yml')
    assert.ok(labels.includes('dependsOn') && labels.includes('strategy'), labels.join())
    assert.ok(!labels.includes('environment'))
  })
  await check('tasks, their inputs and the values of those', async () => {
    const tasks = await completionIn(session, 'steps:\n- task: |\n', 'task.yml')
    assert.ok(tasks.includes('Greet@3') && tasks.includes('Docker@2'), tasks.join())
    const inputs = await completionIn(session, 'steps:\n- task: Greet@3\n  inputs:\n    person: x\n    |\n', 'input.yml')
    assert.deepEqual(inputs, ['tone'])
    const values = await completionIn(session, 'steps:\n- task: Greet@3\n  inputs:\n    tone: |\n', 'value.yml')
    assert.deepEqual(values, ['cold', 'warm'])
  })
  await check('parameters, variables and functions in expressions', async () => {
    const head = 'parameters:\n- name: one\n  default: x\n- name: two\n  default: y\nvariables:\n- name: first\n  value: 1\n'
    const parameters = await completionIn(session, `${head}steps:\n- script: \${{ parameters.| }}\n`, 'parameters.yml')
    assert.deepEqual(parameters, ['one', 'two'])
    const variables = await completionIn(session, `${head}steps:\n- script: \${{ variables['|'] }}\n`, 'variables.yml')
    assert.equal(variables[0], 'first')
    assert.ok(variables.includes('Build.SourceBranch') && !variables.includes('Build.BuildId'), variables.join())
    const dotted = await completionIn(session, `${head}steps:\n- script: \${{ variables['Build.So|'] }}\n`, 'dotted.yml')
    assert.ok(dotted.includes('Build.SourceBranch'))
    const functions = await completionIn(session, `${head}steps:\n- script: \${{ | }}\n`, 'functions.yml')
    assert.ok(functions.includes('startsWith') && !functions.includes('succeeded'))
    const macro = await completionIn(session, `${head}steps:\n- script: echo $(|\n`, 'macro.yml')
    assert.equal(macro[0], 'first')
    assert.ok(macro.includes('Build.BuildId') && macro.includes('Agent.TempDirectory'))
  })
  await check('variables of flow mappings and of templates', async () => {
    const head = "parameters:\n- {name: first, type: string}\nvariables:\n- {value: 'x, name: y', name: own}\n" +
      '- template: variables/shared.yml\nsteps:\n'
    const known = await completionIn(session, `${head}- script: echo \${{ variables.| }}\n`, 'flow1.yml')
    assert.deepEqual(known, ['own', 'flow', 'deep', 'quoted', 'last'])
    const macro = await completionIn(session, `${head}- script: echo $(|\n`, 'flow2.yml')
    assert.deepEqual(macro.slice(0, 5), known)
    assert.deepEqual(await completionIn(session, `${head}- script: \${{ parameters.| }}\n`, 'flow3.yml'), ['first'])
    const branch = 'variables:\n- ${{ if true }}:\n  - name: one\n    value: 1\n- ${{ else }}:\n    - {name: two, value: 2}\n' +
      'jobs:\n- job: J\n  variables:\n    ${{ if true }}:\n      three: 3\n  steps:\n  - script: echo $(|\n'
    assert.deepEqual((await completionIn(session, branch, 'flow5.yml')).slice(0, 3), ['one', 'two', 'three'])
    const mapping = 'variables: {a: 1, b: {c: 2}, d: "}, e: 1", f: 3\nsteps:\n- script: echo $(|\n'
    const four = await completionIn(session, mapping, 'flow4.yml')
    assert.deepEqual(four.slice(0, 4), ['a', 'b', 'd', 'f'])
  })
  await check('functions, contexts and names in conditions and runtime expressions', async () => {
    const stages = 'stages:\n- stage: A\n  jobs:\n  - job: one\n- stage: B\n'
    const stage = await completionIn(session, `${stages}  condition: and(|)\n`, 'stage-condition.yml')
    for (const one of ['succeeded', 'eq', 'dependencies', 'variables']) assert.ok(stage.includes(one), one)
    assert.ok(!stage.includes('parameters') && !stage.includes('counter'), stage.join())
    assert.deepEqual(await completionIn(session, `${stages}  condition: eq(dependencies.|)\n`, 'stage-names.yml'), ['A', 'B'])
    const job = await completionIn(session, `${stages}  jobs:\n  - job: two\n    condition: eq(dependencies.|)\n`, 'job-names.yml')
    assert.deepEqual(job, ['one', 'two'])
    const step = await completionIn(session, 'steps:\n- script: x\n  condition: |\n', 'step-condition.yml')
    assert.ok(step.includes('always') && step.includes('variables') && !step.includes('dependencies'), step.join())
    const variable = await completionIn(session, 'variables:\n  a: $[ | ]\nsteps: []\n', 'runtime.yml')
    assert.ok(variable.includes('counter') && !variable.includes('succeeded'), variable.join())
  })
  await check('parameters of a template where it is used, and their values', async () => {
    const using = (rest) => `steps:\n- template: steps/typed.yml\n  parameters:\n${rest}`
    assert.deepEqual(await completionIn(session, using('    |\n'), 'use1.yml'), ['mode', 'deep', 'where'])
    assert.deepEqual(await completionIn(session, using('    deep: true\n    |\n'), 'use2.yml'), ['mode', 'where'])
    assert.deepEqual(await completionIn(session, using('    mode: |\n'), 'use3.yml'), ['fast', 'slow'])
    assert.deepEqual(await completionIn(session, using('    deep: |\n'), 'use4.yml'), ['true', 'false'])
    const named = 'resources:\n  repositories:\n  - repository: other\n    name: org/tools\nsteps:\n' +
      '- template: typed.yml@other\n  parameters:\n    |\n'
    assert.deepEqual(await completionIn(session, named, 'use5.yml'), ['level'])
  })
  await check('an argument of a template is explained, and leads to its declaration', async () => {
    const using = 'steps:\n- template: steps/typed.yml\n  parameters:\n    mode: fast\n    where: x\n'
    const uri = uriOf('argument.yml')
    await session.open(uri, using)
    assert.match((await session.hover(uri, at(using, 'mo|de'))).contents.value, /How fast[\s\S]*`slow`/)
    const found = await session.definition(uri, at(using, 'whe|re: x'))
    assert.equal(found.uri, uriOf('steps/typed.yml'))
    assert.deepEqual(found.range, {
      start: at(files['steps/typed.yml'], 'name: |where'), end: at(files['steps/typed.yml'], 'name: where|') })
    assert.equal((await session.definition(uri, at(using, 'typ|ed.yml'))).uri, uriOf('steps/typed.yml'))
  })
  await check('predefined variables are explained', async () => {
    const text = "steps:\n- script: echo $(Build.SourceBranch) ${{ variables['Build.Reason'] }}\n"
    const uri = uriOf('predefined.yml')
    await session.open(uri, text)
    assert.match((await session.hover(uri, at(text, 'Build.Sour|ceBranch'))).contents.value, /Full ref/)
    assert.match((await session.hover(uri, at(text, 'Build.Rea|son'))).contents.value, /started the run/)
    const more = "steps:\n- script: echo $(System.AccessToken) $(System.OidcRequestUri) $(Agent.Id)\n"
    const other = uriOf('predefined-more.yml')
    await session.open(other, more)
    assert.match((await session.hover(other, at(more, 'System.Acc|ess'))).contents.value, /yields `\$\(System.AccessToken\)`/)
    assert.match((await session.hover(other, at(more, 'Oidc|Request'))).contents.value, /never set: no identity tokens/)
    assert.match((await session.hover(other, at(more, 'Agent.|Id'))).contents.value, /at run time only/)
    const names = await completionIn(session, 'steps:\n- script: echo $(System.|\n', 'predefined-names.yml')
    assert.ok(names.includes('System.AccessToken') && !names.includes('System.OidcRequestUri'), names)
  })
  await check('what the compiler reports of values: a template argument that is not allowed', async () => {
    const [first] = await session.open(uriOf('bad-argument.yml'),
      'steps:\n- template: steps/typed.yml\n  parameters: {mode: medium, where: x}\n')
    assert.match(first.message, /'medium' is not a valid value/)
  })
  await check('files and folders for the path of a template, which take the place of what is typed', async () => {
    const ask = async (name, text) => {
      const marked = text.replace('|', '')
      const position = at(marked, text)
      await session.open(uriOf(name), marked)
      const result = await session.connection.sendRequest(protocol.CompletionRequest.type, { textDocument: { uri: uriOf(name) }, position })
      return { items: result.items, position, isIncomplete: result.isIncomplete }
    }
    const first = await ask('path1.yml', 'steps:\n- template: |\n')
    assert.ok(first.items.some((one) => one.label === 'steps/' && one.kind === 19), JSON.stringify(first.items))
    assert.ok(first.isIncomplete)
    const inside = await ask('path2.yml', 'steps:\n- template: steps/bu|\n')
    assert.deepEqual(inside.items.map((one) => one.label), ['steps/broken.yml', 'steps/build.yml', 'steps/typed.yml'])
    const range = { start: { ...inside.position, character: inside.position.character - 'steps/bu'.length }, end: inside.position }
    assert.deepEqual(inside.items[1].textEdit, { range, newText: 'steps/build.yml' })
    const rooted = await ask('steps/path3.yml', 'steps:\n- template: /steps/|\n')
    assert.ok(rooted.items.some((one) => one.label === '/steps/typed.yml'))
    const quoted = await ask('path4.yml', "steps:\n- template: 'steps/t|'\n")
    assert.equal(quoted.items.at(-1).textEdit.range.start.character, quoted.position.character - 'steps/t'.length)
    const aliases = await ask('path5.yml', 'resources:\n  repositories:\n  - repository: tools\n    name: org/tools\nsteps:\n- template: a.yml@|\n')
    assert.deepEqual(aliases.items.map((one) => one.label), ['self', 'tools'])
  })
  await check('aliases of resources where they are named', async () => {
    const head = 'resources:\n  repositories:\n  - repository: tools\n    name: org/tools\n  containers:\n  - container: linux\n' +
      '    image: debian\n  pipelines:\n  - pipeline: up\n    source: up\njobs:\n- job: a\n'
    for (const [name, text, expected] of [
      ['checkout', '  steps:\n  - checkout: |\n', ['self', 'none', 'tools']],
      ['download', '  steps:\n  - download: |\n', ['current', 'none', 'up']],
      ['container', '  container: |\n  steps: []\n', ['linux']],
      ['target', '  steps:\n  - script: x\n    target: |\n', ['host', 'linux']],
      ['uses', '  uses:\n    repositories:\n    - |\n', ['tools']],
    ]) {
      const labels = await completionIn(session, head + text, `alias-${name}.yml`)
      assert.deepEqual(labels.filter((one) => expected.includes(one)), expected, `${name}: ${labels}`)
    }
  })
  await check('a template that is open alone gets no errors of what only its callers know', async () => {
    for (const [name, text] of [
      ['variables of a template', 'variables:\n- name: a\n  value: b\n'],
      ['parameters of the old form', 'parameters:\n  steps: []\n  image: \'\'\njobs:\n- job: a\n  container: ${{ parameters.image }}\n' +
        '  dependsOn: Elsewhere\n  steps: ${{ parameters.steps }}\n'],
      ['names of the caller', 'parameters:\n- name: environment\nstages:\n- stage: One\n' +
        '  dependsOn: Earlier\n  condition: eq(dependencies.Earlier.result, \'Succeeded\')\n  jobs:\n  - deployment: d\n' +
        '    environment: ${{ parameters.environment }}\n    strategy: {runOnce: {deploy: {steps: [{checkout: theirs}]}}}\n'],
      ['arguments that are handed on', 'parameters:\n  mode: fast\nsteps:\n- template: steps/typed.yml\n  parameters:\n' +
        '    ${{ each one in parameters }}:\n      ${{ one.key }}: ${{ one.value }}\n'],
      ['a refusal on purpose', 'parameters:\n  mode: \'\'\nsteps:\n- ${{ if eq(parameters.mode, \'\') }}:\n' +
        '  - Do not use this file directly: error\n- script: x\n'],
    ]) assert.deepEqual(await session.open(uriOf(`part/${name.replaceAll(' ', '-')}.yml`), text.replaceAll('steps/typed', '/steps/typed')), [], name)
    const [wrong] = await session.open(uriOf('part/wrong.yml'), 'parameters:\n  a: b\nsteps:\n- script: x\n  displaynam: y\n')
    assert.equal(wrong.code, 'unexpected-value')
    const pipeline = await session.open(uriOf('part/pipeline.yml'), 'trigger: none\nparameters:\n  a: b\nsteps:\n- script: x\n')
    assert.equal(pipeline[0].code, 'expected-sequence')
  })
  await check('the strategies of a deployment are not those of a job', async () => {
    const deployment = await completionIn(session, 'jobs:\n- deployment: a\n  environment: e\n  strategy:\n    |\n', 'strategy1.yml')
    assert.deepEqual(deployment, ['runOnce', 'rolling', 'canary'])
    const job = await completionIn(session, 'jobs:\n- job: a\n  strategy:\n    |\n', 'strategy2.yml')
    assert.deepEqual(job, ['matrix', 'maxParallel', 'parallel'])
  })
  await check('the outline holds what an extends gives to its template, and every branch', async () => {
    const text = 'extends:\n  template: base.yml\n  parameters:\n    stages:\n    - stage: One\n      jobs:\n      - ${{ if true }}:\n' +
      '        - job: A\n      - ${{ else }}:\n        - job: B\n'
    await session.open(uriOf('outline.yml'), text)
    const symbols = await session.connection.sendRequest(protocol.DocumentSymbolRequest.type, { textDocument: { uri: uriOf('outline.yml') } })
    assert.deepEqual(symbols.map((one) => one.name), ['One'])
    assert.deepEqual(symbols[0].children.map((one) => one.name), ['A', 'B'])
  })
  await check('stages and jobs for dependsOn, words and booleans elsewhere', async () => {
    const stages = 'stages:\n- stage: A\n  jobs: []\n- stage: B\n  dependsOn: |\n'
    assert.deepEqual(await completionIn(session, stages, 'stages.yml'), ['A']) // not itself
    const jobs = 'jobs:\n- job: a\n  steps: []\n- deployment: b\n- job: c\n  dependsOn:\n  - |\n'
    assert.deepEqual(await completionIn(session, jobs, 'jobs.yml'), ['a', 'b', 'c'])
    assert.deepEqual(await completionIn(session, 'lockBehavior: |\nsteps: []\n', 'lock.yml'), ['sequential', 'runLatest'])
    assert.deepEqual(await completionIn(session, 'steps:\n- script: x\n  enabled: |\n', 'enabled.yml'), ['true', 'false'])
  })
  await check('hover tells of a key, a task, an input, a function and a parameter', async () => {
    const text = async (marked) => (await session.hover(main, at(pipeline, marked)))?.contents.value ?? ''
    assert.match(await text('depends|On: Build'), /Stages that must be done/)
    assert.match(await text('Gre|et@3'), /Greet people[\s\S]*who/)
    assert.match(await text('wh|o: world'), /The one to greet/)
    assert.match(await text('parameters.tar|get'), /values: `\[all, none\]`/)
    const other = 'steps:\n- script: ${{ upper(\'x\') }}\n'
    await session.open(uriOf('hover.yml'), other)
    assert.match((await session.hover(uriOf('hover.yml'), at(other, 'up|per'))).contents.value, /Upper case/)
    assert.equal(await session.hover(uriOf('hover.yml'), { line: 99, character: 3 }), null)
  })
  await check('definitions of templates, parameters, variables and stages', async () => {
    const target = (marked) => session.definition(main, at(pipeline, marked))
    assert.equal((await target('steps/bu|ild.yml')).uri, uriOf('steps/build.yml'))
    assert.equal((await target('shared|.yml@tools')).uri, uriOf('tools/shared.yml'))
    assert.deepEqual((await target('parameters.tar|get')).range.start, at(pipeline, 'name: |target'))
    assert.deepEqual((await target('$(gree|ting)')).range.start, at(pipeline, '|greeting: gr'))
    assert.deepEqual((await target('dependsOn: Bu|ild')).range.start, at(pipeline, 'stage: |Build'))
    assert.equal(await target('trig|ger: none'), null)
  })
  await check('symbols: parameters, variables, stages with jobs with steps', async () => {
    const found = await session.connection.sendRequest(protocol.DocumentSymbolRequest.type, { textDocument: { uri: main } })
    assert.deepEqual(found.map((one) => one.name), ['target', 'greeting', 'Build', 'Deploy'])
    const [compile] = found[2].children
    assert.equal(compile.name, 'Compile')
    assert.deepEqual(compile.children.map((one) => one.name),
      ['steps/build.yml', 'shared.yml@tools', 'Greet@3', 'echo $(greeting)'])
    for (const one of found) assert.ok(one.range.end.line >= one.selectionRange.end.line)
  })
  await check('text that is no YAML, and positions outside of it, disturb nothing', async () => {
    const uri = uriOf('garbage.yml')
    const found = await session.open(uri, 'steps:\n- script: "open\n\t- {[\n\u0000')
    assert.ok(found.length > 0)
    for (const position of [{ line: 0, character: 9999 }, { line: 9999, character: 0 }, { line: 2, character: 3 }]) {
      await session.complete(uri, position)
      await session.hover(uri, position)
      await session.definition(uri, position)
    }
    await session.connection.sendRequest(protocol.DocumentSymbolRequest.type, { textDocument: { uri } })
  })
  await check('closing a document clears its diagnostics', async () => {
    const uri = uriOf('garbage.yml')
    const cleared = session.diagnostics(uri, undefined)
    session.connection.sendNotification(protocol.DidCloseTextDocumentNotification.type, { textDocument: { uri } })
    assert.deepEqual(await cleared, [])
  })
  await check('an unknown method gets an error response', async () => {
    await assert.rejects(session.connection.sendRequest('textDocument/nothing', {}), /no method/)
  })
  await check('shutdown and exit end the process with 0', async () => {
    assert.equal(await session.stop(), 0)
  })
}

/** Raw bytes in, exit status and output out. */
async function raw(bytes) {
  const child = spawn(binary, ['language-server'])
  let output = ''
  let errors = ''
  child.stdout.on('data', (data) => (output += data))
  child.stderr.on('data', (data) => (errors += data))
  child.stdin.on('error', () => {}) // it may be gone already: that is what is tested
  child.stdin.end(bytes)
  const code = await new Promise((done) => child.on('close', done))
  return { code, output, errors }
}

/** Runs a command to its end. */
function run(program, ...args) {
  const done = spawnSync(program, args, { encoding: 'utf8' })
  return { code: done.status, output: done.stdout, errors: done.stderr }
}

/** The two files of the program (docs/decisions/0004), each alone. */
async function programs() {
  const complete = join(dirname(binary), 'slipway-complete')
  const copy = (from, ...to) => {
    const path = join(folder, ...to)
    mkdirSync(dirname(path), { recursive: true })
    copyFileSync(from, path)
    return path
  }
  writeFileSync(join(folder, 'plain.yml'), 'steps:\n- script: x\n')
  await check('the small program alone has the commands of the language, and says what is missing', () => {
    const small = copy(binary, 'alone', 'bin', 'slipway')
    assert.equal(run(small, 'validate', join(folder, 'plain.yml')).code, 0)
    assert.match(run(small, 'preview', join(folder, 'plain.yml')).output, /CmdLine@2/)
    const { code, errors } = run(small, 'server')
    assert.equal(code, 2)
    assert.match(errors, /libexec\/slipway\/slipway/)
  })
  await check('installed beside it, the complete program is started for all other commands', () => {
    const small = copy(binary, 'installed', 'bin', 'slipway')
    copy(complete, 'installed', 'libexec', 'slipway', 'slipway')
    assert.match(run(small, '--help').output, /server[\s\S]*worker[\s\S]*validate/)
    const { code, errors } = run(small, 'server', '--listen', 'nonsense')
    assert.equal(code, 2)
    assert.match(errors, /nonsense/)
  })
  await check('the complete program alone has every command', () => {
    const all = copy(complete, 'copied', 'slipway')
    assert.equal(run(all, 'validate', join(folder, 'plain.yml')).code, 0)
    assert.match(run(all, '--help').output, /server[\s\S]*worker[\s\S]*validate/)
  })
  await check('the small program never starts itself', () => {
    const small = copy(binary, 'twice', 'bin', 'slipway')
    mkdirSync(join(folder, 'twice', 'libexec', 'slipway'), { recursive: true })
    linkSync(small, join(folder, 'twice', 'libexec', 'slipway', 'slipway'))
    assert.equal(run(small, 'server').code, 2)
  })
}

async function badInput() {
  await check('a message without a length ends the session with a reason', async () => {
    const { code, errors } = await raw('Content-Type: x\r\n\r\n{}')
    assert.equal(code, 1)
    assert.match(errors, /Content-Length/)
  })
  await check('lengths that are negative, huge or no numbers are refused', async () => {
    for (const length of ['-1', '99999999999', 'many', '40000000', '']) {
      const { code, errors } = await raw(`Content-Length: ${length}\r\n\r\n`)
      assert.equal(code, 1, length)
      assert.match(errors, /Content-Length|longer than/)
    }
  })
  await check('headers without an end are refused', async () => {
    const { code, errors } = await raw('x'.repeat(100_000))
    assert.equal(code, 1)
    assert.match(errors, /headers/)
  })
  await check('a body that is not JSON gets an answer and the session goes on', async () => {
    const frame = (text) => `Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`
    const deep = '['.repeat(50_000)
    const { output } = await raw(
      frame('{nothing') + frame('[]') + frame(deep) + frame('{"jsonrpc":"2.0","id":7,"method":"initialize","params":{}}'))
    assert.match(output, /-32700/)
    assert.match(output, /-32600/)
    assert.match(output, /"id":7,"jsonrpc":"2.0","result"/)
  })
  await check('requests before initialize are refused', async () => {
    const text = '{"jsonrpc":"2.0","id":1,"method":"textDocument/hover","params":{}}'
    const { output } = await raw(`Content-Length: ${text.length}\r\n\r\n${text}`)
    assert.match(output, /-32002/)
  })
}

try {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), text)
  }
  await features()
  await badInput()
  await programs()
} finally {
  rmSync(folder, { recursive: true, force: true })
}
const failed = results.filter((one) => one.error).length
if (junit) {
  const escape = (text) => text.replace(/[&<>"]/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[c])
  const rows = results.map((one) =>
    `  <testcase classname="language-server" name="${escape(one.name)}" time="${one.seconds}">${
      one.error ? `<failure message="${escape(String(one.error.message))}"/>` : ''}</testcase>`)
  mkdirSync(dirname(resolve(junit)), { recursive: true })
  writeFileSync(junit,
    `<?xml version="1.0" encoding="UTF-8"?>\n<testsuite name="language-server" tests="${results.length}" failures="${failed}">\n${rows.join('\n')}\n</testsuite>\n`)
}
console.log(`${results.length - failed} of ${results.length} passed`)
process.exit(failed ? 1 : 0)
