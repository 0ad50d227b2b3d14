#include "cli/command.h"

namespace cli {

// Declarations of the commands' registration functions; one line per command file.
void registerApprove(CLI::App &app, int &exitCode);
void registerBackup(CLI::App &app, int &exitCode);
void registerExplain(CLI::App &app, int &exitCode);
void registerJob(CLI::App &app, int &exitCode);
void registerLogs(CLI::App &app, int &exitCode);
void registerPipeline(CLI::App &app, int &exitCode);
void registerPool(CLI::App &app, int &exitCode);
void registerQueue(CLI::App &app, int &exitCode);
void registerRetention(CLI::App &app, int &exitCode);
void registerServer(CLI::App &app, int &exitCode);
void registerRun(CLI::App &app, int &exitCode);
void registerSignIn(CLI::App &app, int &exitCode);
void registerStage(CLI::App &app, int &exitCode);
void registerStatus(CLI::App &app, int &exitCode);
void registerTask(CLI::App &app, int &exitCode);
void registerUp(CLI::App &app, int &exitCode);
void registerWhere(CLI::App &app, int &exitCode);
void registerWorker(CLI::App &app, int &exitCode);

const std::vector<RegisterCommand> &commands()
{
    static const std::vector<RegisterCommand> all{
        registerUp,        registerServer,   registerQueue,   registerStatus,
        registerStage,     registerExplain,  registerLogs,    registerApprove,
        registerWhere,     registerPool,     registerSignIn,  registerWorker,
        registerRun,       registerValidate, registerPreview, registerLanguageServer,
        registerBackup,    registerJob,      registerTask,    registerPipeline,
        registerRetention,
    };
    return all;
}

} // namespace cli
