#pragma once
/// Packages of tasks that pipelines use besides the built-in ones (worker-and-tasks 5.8). Each lies
/// at `<root>/<id>/<version>/` as `package.zip` (task.json at its root), `task.json` and
/// `info.json`, put there by one rename: a package is there whole or not at all.

#include "schema/base/result.h"
#include "schema/base/time.h"
#include "schema/tasks/task_execution.h"

#include <cstdint>
#include <filesystem>
#include <iosfwd>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace server::tasks {

/// Largest upload, bytes.
inline constexpr std::uint64_t kMaxPackageBytes = 512ULL << 20U;

struct StoredTask
{
    std::string id;      ///< GUID, lower case
    std::string name;    ///< "CopyFiles"
    std::string version; ///< "2.1.3"
    std::string title, description;
    std::string contribution;         ///< "publisher.extension.contribution"; empty: no extension
    std::vector<std::string> demands; ///< of a worker; see TaskExecution::demands
    std::string sha256;               ///< of the package, lower-case hex
    std::uint64_t size = 0;           ///< of the package, bytes
    schema::TimePoint installedAt;
};

/// All methods are thread-safe.
class TaskStore
{
public:
    /// Makes `root` when missing, removes remains of interrupted uploads, reads what is there;
    /// damaged entries are left out and said in the log.
    static schema::Result<std::unique_ptr<TaskStore>> open(const std::filesystem::path &root);

    /// Takes a zip archive: a task (task.json at the root or one or two folders below) or an
    /// extension (.vsix). `sha256`: expected checksum of the upload, or empty. Installing the same
    /// package again is harmless. Errors: InvalidArgument (no archive, no task, a field of
    /// task.json, a wrong checksum, a path that leaves the archive), AlreadyExists (that version
    /// with other content, or another task of that name and major), LimitExceeded, Io.
    schema::Result<std::vector<StoredTask>> install(std::istream &body, const std::string &sha256);

    [[nodiscard]] std::vector<StoredTask> list() const;

    /// The highest version that answers to `reference` (name, contribution + "." + name, or id) and
    /// `version` ("2", "2.1.3", empty). Errors: NotFound naming the versions there are.
    [[nodiscard]] schema::Result<StoredTask> find(std::string_view reference,
                                                  std::string_view version) const;

    /// File of a package; immutable. Errors: NotFound.
    [[nodiscard]] schema::Result<std::filesystem::path> package(const std::string &id,
                                                                const std::string &version) const;

    /// Removes every version that answers to reference and version. Errors: NotFound, Io.
    schema::Result<std::vector<StoredTask>> remove(std::string_view reference,
                                                   std::string_view version);

private:
    explicit TaskStore(std::filesystem::path root)
        : m_root(std::move(root))
    {}

    schema::Status load();
    schema::Result<StoredTask> add(const std::filesystem::path &upload, const std::string &folder,
                                   const std::string &contribution);

    std::filesystem::path m_root;
    mutable std::mutex m_mutex;
    std::vector<StoredTask> m_tasks; ///< protected by m_mutex
    std::uint64_t m_next = 0;        ///< names of temporary folders; protected by m_mutex
};

} // namespace server::tasks
