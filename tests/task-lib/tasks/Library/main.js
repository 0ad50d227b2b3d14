// One case per function of the library; a function without a case fails the task.
const assert = require('node:assert');
const fs = require('node:fs');
const path = require('node:path');
const childProcess = require('node:child_process');
const tl = require('azure-pipelines-task-lib/task');

const temp = tl.getVariable('Agent.TempDirectory');
const folder = path.join(temp, 'library');
fs.mkdirSync(folder);
const at = (name) => path.join(folder, name);
const server = 'systemvssconnection'.toUpperCase();
const connection = tl.getInput('connection', true);

const cases = {
  getVariable() {
    assert.strictEqual(tl.getVariable('my.plain'), 'plain value');
    assert.strictEqual(tl.getVariable('mySecret'), 'hunter2-secret');
    assert.strictEqual(process.env.SECRET_MYSECRET, undefined);
    assert.strictEqual(process.env.MYSECRET, undefined);
    assert.ok(tl.getVariable('System.DefaultWorkingDirectory'));
  },
  getVariables() {
    const named = new Map(tl.getVariables().map((variable) => [variable.name, variable]));
    assert.strictEqual(named.get('my.plain').value, 'plain value');
    assert.strictEqual(named.get('mySecret').secret, true);
  },
  setVariable() {
    tl.setVariable('fromTask', 'set; by ] task%');
    tl.setVariable('outOfTask', 'output value', false, true);
    tl.setVariable('declared', 'declared value');
    tl.setVariable('secretOfTask', 'late-secret-value', true);
  },
  setSecret() {
    tl.setSecret('made-up-secret');
    console.log('masked: made-up-secret.');
  },
  assertAgent: () => tl.assertAgent('2.115.0'),
  getInput() {
    assert.strictEqual(tl.getInput('text', true), 'from 42');
    assert.strictEqual(tl.getInput('canonical'), 'by alias');
    assert.strictEqual(tl.getInput('hidden'), 'still there');
    assert.strictEqual(process.env.INPUT_TEXT, undefined);
  },
  getInputRequired: () => assert.strictEqual(tl.getInputRequired('canonical'), 'by alias'),
  getBoolInput: () => assert.strictEqual(tl.getBoolInput('flag', true), true),
  getBoolFeatureFlag: () => assert.strictEqual(tl.getBoolFeatureFlag('NO_SUCH_FLAG', true), true),
  getPipelineFeature: () => assert.strictEqual(tl.getPipelineFeature('Fast'), true),
  getDelimitedInput: () => assert.deepStrictEqual(tl.getDelimitedInput('items', '\n'), ['one', 'two']),
  filePathSupplied() {
    assert.strictEqual(tl.filePathSupplied('file'), true);
    assert.strictEqual(tl.filePathSupplied('folder'), false);
  },
  getPathInput() {
    const sources = tl.getVariable('Build.SourcesDirectory');
    assert.strictEqual(tl.getPathInput('file'), path.join(sources, 'some', 'file.txt'));
    assert.strictEqual(tl.getPathInput('folder', true, true), sources);
  },
  getPathInputRequired: () => assert.ok(tl.getPathInputRequired('folder', true)),
  getEndpointUrl() {
    assert.strictEqual(tl.getEndpointUrl(connection, false), 'https://service.example.com/');
    assert.strictEqual(tl.getEndpointUrl(server, false), 'http://127.0.0.1:1/');
  },
  getEndpointUrlRequired: () => assert.ok(tl.getEndpointUrlRequired(connection)),
  getEndpointDataParameter: () =>
    assert.strictEqual(tl.getEndpointDataParameter(connection, 'registryType', false), 'Others'),
  getEndpointDataParameterRequired: () => assert.ok(tl.getEndpointDataParameterRequired(connection, 'dotted.name')),
  getEndpointAuthorizationScheme: () =>
    assert.strictEqual(tl.getEndpointAuthorizationScheme(connection, false), 'UsernamePassword'),
  getEndpointAuthorizationSchemeRequired: () =>
    assert.strictEqual(tl.getEndpointAuthorizationSchemeRequired(server), 'OAuth'),
  getEndpointAuthorizationParameter() {
    assert.strictEqual(tl.getEndpointAuthorizationParameter(connection, 'username', false), 'me');
    assert.strictEqual(tl.getEndpointAuthorizationParameter(server, 'AccessToken', false), 'job-token-0815');
  },
  getEndpointAuthorizationParameterRequired: () =>
    assert.strictEqual(tl.getEndpointAuthorizationParameterRequired(connection, 'password'), 'endpoint-password'),
  getEndpointAuthorization() {
    const found = tl.getEndpointAuthorization(connection, false);
    assert.deepStrictEqual(found, { parameters: { username: 'me', password: 'endpoint-password' }, scheme: 'UsernamePassword' });
    assert.ok(!Object.keys(process.env).some((name) => name.startsWith('ENDPOINT_AUTH')));
  },
  getSecureFileName() {
    assert.strictEqual(tl.getSecureFileName('none'), undefined);
    assert.strictEqual(tl.getSecureFileName(tl.getInput('certificate', true)), 'signing.pem');
  },
  getSecureFileTicket() {
    assert.strictEqual(tl.getSecureFileTicket('none'), undefined);
    const id = tl.getInput('certificate', true);
    assert.match(id, /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    assert.strictEqual(tl.getSecureFileTicket(id), 'ticket-for-signing.pem');
    console.log('the ticket is ' + tl.getSecureFileTicket(id)); // masked
    assert.strictEqual(process.env['SECUREFILE_TICKET_' + id], undefined);
  },
  getTaskVariable() {
    assert.strictEqual(tl.getTaskVariable('begun'), 'before');
    assert.strictEqual(tl.getTaskVariable('token'), 'task-secret-4711');
  },
  setTaskVariable: () => tl.setTaskVariable('ended', 'main'),
  command: () => tl.command('task.debug', {}, 'a command'),
  warning: () => tl.warning('a warning of mySecret hunter2-secret'),
  error: () => tl.error('an error that does not fail'),
  debug: () => tl.debug('a debug line'),
  setResourcePath: () => tl.setResourcePath(path.join(__dirname, 'task.json'), true),
  loc: () => assert.strictEqual(tl.loc('Greeting', 'you'), 'Hello you from Strings'),
  stats: () => assert.ok(tl.stats(folder).isDirectory()),
  exist: () => assert.ok(tl.exist(folder)),
  checkPath: () => tl.checkPath(folder, 'folder'),
  writeFile() {
    tl.writeFile(at('written.txt'), 'text');
    assert.strictEqual(fs.readFileSync(at('written.txt'), 'utf8'), 'text');
  },
  osType: () => assert.strictEqual(tl.osType(), 'Linux'),
  getPlatform: () => assert.strictEqual(tl.getPlatform(), tl.Platform.Linux),
  getNodeMajorVersion: () => assert.ok(tl.getNodeMajorVersion() >= 18),
  getAgentMode: () => assert.strictEqual(tl.getAgentMode(), tl.AgentHostedMode.SelfHosted),
  getSprint: () => assert.ok(tl.getSprint(new Date(0))),
  cwd: () => assert.strictEqual(tl.cwd(), tl.getVariable('System.DefaultWorkingDirectory')),
  cd() {
    const before = tl.cwd();
    tl.cd(folder);
    assert.strictEqual(tl.cwd(), folder);
    tl.cd(before);
  },
  pushd: () => tl.pushd(folder),
  popd: () => tl.popd(),
  mkdirP() {
    tl.mkdirP(at('a/b/c'));
    assert.ok(fs.existsSync(at('a/b/c')));
  },
  resolve: () => assert.strictEqual(tl.resolve('/a', 'b'), '/a/b'),
  which: () => assert.ok(tl.which('sh', true).endsWith('/sh')),
  cp() {
    tl.writeFile(at('from.txt'), 'x');
    tl.cp(at('from.txt'), at('to.txt'));
    assert.ok(fs.existsSync(at('to.txt')));
  },
  ls: () => assert.ok(tl.ls(folder).includes('written.txt')),
  mv() {
    tl.mv(at('to.txt'), at('moved.txt'));
    assert.ok(fs.existsSync(at('moved.txt')) && !fs.existsSync(at('to.txt')));
  },
  retry() {
    let tries = 0;
    tl.retry(() => { if (++tries < 3) throw new Error('again'); }, [], { continueOnError: false, retryCount: 3 });
    assert.strictEqual(tries, 3);
  },
  find: () => assert.ok(tl.find(folder).includes(at('written.txt'))),
  legacyFindFiles: () => assert.ok(tl.legacyFindFiles(folder, '**/written.txt').length === 1),
  rmRF() {
    tl.rmRF(at('a'));
    assert.ok(!fs.existsSync(at('a')));
  },
  execAsync: async () => assert.strictEqual(await tl.execAsync('sh', ['-c', 'exit 0']), 0),
  exec: async () => assert.strictEqual(await tl.exec('sh', ['-c', 'echo by exec']), 0),
  execSync() {
    const result = tl.execSync('sh', ['-c', 'env | grep -c "^INPUT_\\|^SECRET_\\|^ENDPOINT_AUTH" ; exit 3']);
    assert.strictEqual(result.code, 3);
    assert.strictEqual(result.stdout.trim(), '0');
  },
  tool: () => assert.strictEqual(tl.tool('sh').arg(['-c', 'echo by tool']).execSync().stdout.trim(), 'by tool'),
  match: () => assert.deepStrictEqual(tl.match(['a.txt', 'b.md'], '*.txt'), ['a.txt']),
  filter: () => assert.deepStrictEqual(['a.txt', 'b.md'].filter(tl.filter('*.md')), ['b.md']),
  findMatch: () => assert.deepStrictEqual(tl.findMatch(folder, 'writ*'), [at('written.txt')]),
  getHttpProxyConfiguration: () => assert.strictEqual(tl.getHttpProxyConfiguration(), null),
  getHttpCertConfiguration: () => assert.strictEqual(tl.getHttpCertConfiguration(), null),
  TestPublisher() {
    fs.writeFileSync(at('TEST-x.xml'), '<testsuite name="s"><testcase name="c" classname="k" time="0.1"/></testsuite>');
    new tl.TestPublisher('JUnit').publish(at('TEST-x.xml'), 'false', '', '', 'Title; with ]', 'true');
  },
  CodeCoveragePublisher() {
    fs.writeFileSync(at('coverage.xml'), '<coverage lines-covered="1" lines-valid="2" branches-covered="0" branches-valid="0"/>');
    new tl.CodeCoveragePublisher().publish('Cobertura', at('coverage.xml'), '', '');
  },
  CodeCoverageEnabler: () => assert.ok(tl.CodeCoverageEnabler), // its command is a relic without a receiver
  uploadFile: () => tl.uploadFile(at('written.txt')),
  prependPath() {
    tl.prependPath('/first');
    tl.prependPath('/second'); // for the next steps: the C++ test looks there
  },
  uploadSummary() {
    fs.writeFileSync(at('summary.md'), '# Summary');
    tl.uploadSummary(at('summary.md'));
  },
  addAttachment: () => tl.addAttachment('kind', 'attached', at('written.txt')),
  setEndpoint: () => tl.setEndpoint(connection, tl.FieldType.Url, '', 'https://changed.example.com/'),
  setProgress: () => tl.setProgress(50, 'half'),
  logDetail: () => tl.logDetail('5b1c9c53-7c6e-4f3a-9c54-0d8a1f0c3a12', 'detail', '', 'kind', 'name', 1),
  logIssue: () => tl.logIssue(tl.IssueType.Warning, 'in a file', 'some/file.txt', 3, 7, 'W1'),
  uploadArtifact: () => tl.uploadArtifact('drop', at('written.txt'), 'drop'),
  associateArtifact: () => tl.associateArtifact('link', '#/1/drop', tl.ArtifactType.Container),
  uploadBuildLog() {
    fs.writeFileSync(at('custom.log'), 'log');
    tl.uploadBuildLog(at('custom.log'));
  },
  updateBuildNumber: () => tl.updateBuildNumber('7.0'),
  addBuildTag: () => tl.addBuildTag('tagged'),
  updateReleaseName: () => tl.updateReleaseName('release'),
  setStdStream: () => tl.setStdStream(process.stdout),
  setErrStream: () => tl.setErrStream(process.stderr),
  createExternalOutputStream: () => assert.strictEqual(typeof tl.createExternalOutputStream, 'function'),
  writeExternalOutput: () => assert.strictEqual(typeof tl.writeExternalOutput, 'function'),
  debugExternalOutput: () => assert.strictEqual(typeof tl.debugExternalOutput, 'function'),
  warningExternalOutput: () => assert.strictEqual(typeof tl.warningExternalOutput, 'function'),
  errorExternalOutput: () => assert.strictEqual(typeof tl.errorExternalOutput, 'function'),
  TaskCommand: () => assert.strictEqual(new tl.TaskCommand('a.b', { c: 'd' }, 'e').toString(), '##vso[a.b c=d;]e'),
  commandFromString: () => assert.strictEqual(tl.commandFromString('##vso[a.b c=d;]e').message, 'e'),
  ToolRunner: () => assert.ok(tl.tool('sh') instanceof tl.ToolRunner),
  setSanitizedResult: () => tl.setSanitizedResult(tl.TaskResult.SucceededWithIssues, 'nearly'),
  setResult: () => tl.setResult(tl.TaskResult.SucceededWithIssues, 'with issues'),
};

(async () => {
  const untested = Object.keys(tl).filter((name) => typeof tl[name] === 'function' && !(name in cases));
  assert.deepStrictEqual(untested, []);
  for (const [name, run] of Object.entries(cases)) {
    try {
      await run();
      console.log('ok ' + name);
    } catch (problem) {
      console.log('NOT ok ' + name + ': ' + problem.message);
      tl.setResult(tl.TaskResult.Failed, name + ': ' + problem.message);
    }
  }
  assert.ok(childProcess.spawnSync('true').status === 0);
  console.log('all ' + Object.keys(cases).length + ' functions were called');
})();
