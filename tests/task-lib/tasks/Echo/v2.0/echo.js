// Without the library: the bare contract of a handler.
const say = (line) => process.stdout.write(line + '\n');
say('Echo 2.0');
const actions = {
  '': () => {},
  completeFailed: () => say('##vso[task.complete result=Failed;]no'),
  completeSucceededExit1: () => { say('##vso[task.complete result=Succeeded;]'); process.exitCode = 1; },
  upload: () => say('##vso[task.uploadfile]/etc/hostname'),
  variables: () => { say('##vso[task.setvariable variable=ALLOWED_ONE]1'); say('##vso[task.setvariable variable=OTHER]2'); },
  afterComplete: () => { say('##vso[task.complete result=Succeeded;]'); say('still talking'); },
  done: () => { say('##vso[task.complete result=SucceededWithIssues;done=true;]'); setInterval(() => {}, 1000); },
  crash: () => { throw new Error('crashed'); },
};
actions[process.env.INPUT_DO]();
