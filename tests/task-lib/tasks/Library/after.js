const tl = require('azure-pipelines-task-lib/task');
console.log('after: ' + tl.getTaskVariable('begun') + ' ' + tl.getTaskVariable('ended') + ' ' + tl.getInput('text', true));
