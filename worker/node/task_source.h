#pragma once
/// Where packaged tasks come from: the server's task store, or folders of this machine. A worker
/// keeps what it fetched below `<work>/_tasks` (worker-and-tasks 5.8).

#include "worker/process/stop.h"

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace worker {

/// A task that is on this machine, ready to run.
struct FoundTask
{
    std::string id, name, version; ///< "2.1.3"
    fs::path folder;               ///< holds task.json
};

class TaskSource
{
public:
    virtual ~TaskSource() = default;

    /// The highest version that `reference` ("Name", "publisher.extension.contribution.Name" or an
    /// id) and `version` ("2", "2.1.3") ask for. `say` is told about a download. Errors: NotFound
    /// (no such task; the message names the versions there are), InvalidArgument (damaged, wrong
    /// checksum), Unavailable, Canceled, Io.
    virtual Result<FoundTask> find(std::string_view reference, std::string_view version,
                                   const std::function<void(const std::string &)> &say) = 0;
};

/// Tasks in folders: `task.json` in the folder or at most three folders below. Damaged ones are
/// left out.
std::unique_ptr<TaskSource> folderTaskSource(const std::vector<std::string> &folders);

/// Tasks of the server, fetched with the job's token. `cache` is `<work>/_tasks`; several jobs and
/// processes may use it at once. Keeps a reference to `stop`. `authorityFile`: see
/// HttpClient::create.
std::unique_ptr<TaskSource> serverTaskSource(const std::string &serverUrl,
                                             const std::string &jobToken, const std::string &jobId,
                                             const fs::path &cache, const StopSignal &stop,
                                             const std::string &authorityFile = {});

} // namespace worker
