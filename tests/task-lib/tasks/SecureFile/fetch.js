// The unmodified library asks for the ticket, the server's addresses and the file.
const tl = require('azure-pipelines-task-lib/task');
const { SecureFileHelpers } = require('azure-pipelines-tasks-securefiles-common/securefiles-common');

(async () => {
  try {
    const id = tl.getInput('secureFile', true);
    const path = await new SecureFileHelpers(3).downloadSecureFile(id);
    console.log('id ' + id);
    console.log('ticket ' + tl.getSecureFileTicket(id) + '.');
    tl.setTaskVariable('path', path);
    tl.setResult(tl.TaskResult.Succeeded, '');
  } catch (problem) {
    tl.setResult(tl.TaskResult.Failed, problem.message);
  }
})();
