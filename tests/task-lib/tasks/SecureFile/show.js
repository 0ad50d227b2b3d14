const fs = require('node:fs');
const tl = require('azure-pipelines-task-lib/task');

const path = tl.getTaskVariable('path');
console.log('name ' + tl.getSecureFileName(tl.getInput('secureFile', true)));
console.log('content ' + fs.readFileSync(path, 'utf8'));
tl.setVariable('pathOfSecureFile', path);
