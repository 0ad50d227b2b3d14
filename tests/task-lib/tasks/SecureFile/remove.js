const fs = require('node:fs');
const tl = require('azure-pipelines-task-lib/task');
const { SecureFileHelpers } = require('azure-pipelines-tasks-securefiles-common/securefiles-common');

new SecureFileHelpers().deleteSecureFile(tl.getInput('secureFile', true));
console.log('removed ' + !fs.existsSync(tl.getTaskVariable('path')));
