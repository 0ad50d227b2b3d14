const tl = require('azure-pipelines-task-lib/task');
tl.setTaskVariable('begun', 'before');
tl.setTaskVariable('token', 'task-secret-4711', true);
console.log('before: ' + tl.getInput('text', true));
