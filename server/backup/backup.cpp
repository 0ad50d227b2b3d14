#include "server/backup/backup.h"

#include "schema/base/time.h"
#include "server/store/database_copy.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fcntl.h>
#include <optional>
#include <set>
#include <sys/file.h>
#include <unistd.h>

namespace server::backup {
namespace {

namespace fs = std::filesystem;
using schema::Error;
using schema::ErrorCode;
using schema::Result;
using schema::Status;

/// Removes a file or folder at the end of its scope.
class Temporary
{
public:
    explicit Temporary(fs::path path)
        : m_path(std::move(path))
    {
        remove();
    }

    ~Temporary() { remove(); }

    Temporary(const Temporary &) = delete;
    Temporary &operator=(const Temporary &) = delete;

    [[nodiscard]] const fs::path &path() const { return m_path; }

private:
    void remove() const
    {
        std::error_code ignored;
        fs::remove_all(m_path, ignored);
    }

    fs::path m_path;
};

/// Regular files below a folder, relative; empty when there is no such folder. Files that vanish
/// meanwhile are left out.
std::vector<fs::path> filesBelow(const fs::path &folder)
{
    std::vector<fs::path> out;
    std::error_code code;
    for (auto it = fs::recursive_directory_iterator(
             folder, fs::directory_options::skip_permission_denied, code);
         !code && it != fs::recursive_directory_iterator(); it.increment(code)) {
        std::error_code kind;
        if (it->is_regular_file(kind) && !it->is_symlink(kind))
            out.push_back(fs::relative(it->path(), folder, kind));
    }
    std::sort(out.begin(), out.end());
    return out;
}

/// Logs of a run lie in <thousands>/<run>/; nothing for other paths.
std::optional<std::int64_t> runOf(const fs::path &log)
{
    auto part = log.begin();
    if (part == log.end() || ++part == log.end())
        return std::nullopt;
    const std::string text = part->string();
    std::int64_t run = 0;
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), run);
    if (code != std::errc{} || end != text.data() + text.size())
        return std::nullopt;
    return run;
}

Status addLogs(BackupWriter &writer, const fs::path &folder,
               const std::set<std::int64_t> &runsWithLogs)
{
    for (const auto &path : filesBelow(folder)) {
        const auto run = runOf(path);
        // A log of a run that the snapshot does not know would meet a run of the same id later.
        if (run && runsWithLogs.contains(*run))
            RETURN_IF_ERROR(writer.add(folder / path, "logs/" + path.generic_string()));
    }
    return {};
}

Status addArtifacts(BackupWriter &writer, const fs::path &folder,
                    const std::set<std::string> &blobs)
{
    for (const auto &blob : blobs) {
        const std::string path = "blobs/" + blob.substr(0, 2) + "/" + blob;
        RETURN_IF_ERROR(writer.add(folder / path, "artifacts/" + path));
    }
    return {};
}

/// Refs first: what they name is there already, and objects are never changed. A second round
/// over the objects finds those that a repacking moved while the first one was under way.
Status addRepository(BackupWriter &writer, const fs::path &root, const std::string &name)
{
    const fs::path folder = root / name;
    std::set<fs::path> done;
    const auto copy = [&](bool objects) -> Status {
        for (const auto &path : filesBelow(folder)) {
            const bool isObject = path.begin()->string() == "objects";
            const std::string file = path.filename().string();
            if (isObject != objects || file.ends_with(".lock") || file.starts_with("tmp_") ||
                !done.insert(path).second)
                continue;
            const Status added =
                writer.add(folder / path, "repositories/" + name + "/" + path.generic_string());
            if (!added && added.error().code != ErrorCode::NotFound)
                return added;
        }
        return {};
    };
    RETURN_IF_ERROR(copy(false));
    RETURN_IF_ERROR(copy(true));
    return copy(true);
}

/// Each package lies there whole or not at all; one that is removed meanwhile is left out.
Status addTasks(BackupWriter &writer, const fs::path &folder)
{
    for (const auto &path : filesBelow(folder)) {
        if (path.begin()->string().starts_with('.'))
            continue; // on its way in
        const Status added = writer.add(folder / path, "tasks/" + path.generic_string());
        if (!added && added.error().code != ErrorCode::NotFound)
            return added;
    }
    return {};
}

Status checkContent(const fs::path &data, Manifest &manifest)
{
    const Places places = placesIn(data);
    RETURN_IF_ERROR(store::checkDatabase(places.database));
    ASSIGN_OR_RETURN(const auto content, store::databaseContent(places.database));
    manifest.dataVersion = content.version;
    manifest.runs = content.runs;
    std::error_code code;
    for (const auto &blob : content.blobs)
        if (!fs::exists(places.artifacts / "blobs" / blob.substr(0, 2) / blob, code))
            return {ErrorCode::Internal,
                    fmt::format("the backup lacks the content {} of an artifact", blob)};
    for (const auto &folder : content.hostedRepositories)
        if (!fs::is_directory(places.repositories / folder, code))
            return {ErrorCode::Internal, fmt::format("the backup lacks repository {}", folder)};
    if (!fs::exists(places.sealingKey, code))
        return {ErrorCode::Internal,
                "the backup lacks the sealing key: the secrets in it could not be read"};
    return {};
}

/// True when nothing but what an empty data folder has lies there.
bool isVacant(const fs::path &data)
{
    std::error_code code;
    if (!fs::exists(data, code))
        return true;
    for (const auto &entry : fs::directory_iterator(data, code))
        if (entry.path().filename() != "lock")
            return false;
    return !code;
}

} // namespace

Places placesIn(const fs::path &data)
{
    return {data / "slipway.db", data / "sealing-key",  data / "operator-token", data / "logs",
            data / "artifacts",  data / "repositories", data / "deletion-lock"};
}

Result<Manifest> create(const fs::path &data, const fs::path &destination)
{
    const Places places = placesIn(data);
    std::error_code code;
    if (!fs::exists(places.database, code))
        return {ErrorCode::NotFound,
                fmt::format("there is no data of a server in {}; name its data directory with "
                            "--data",
                            data.string())};
    ASSIGN_OR_RETURN(const auto lock, DeletionLock::shared(places.deletionLock));
    ASSIGN_OR_RETURN(const auto writer, BackupWriter::create(destination));
    const Temporary database(destination.string() + ".database");
    RETURN_IF_ERROR(store::copyDatabase(places.database, database.path()));
    ASSIGN_OR_RETURN(const auto content, store::databaseContent(database.path()));
    RETURN_IF_ERROR(writer->add(database.path(), "slipway.db", true));
    RETURN_IF_ERROR(writer->add(places.sealingKey, "sealing-key", true));
    RETURN_IF_ERROR(writer->add(places.operatorToken, "operator-token", true));
    RETURN_IF_ERROR(addLogs(*writer, places.logs, content.runsWithLogs));
    RETURN_IF_ERROR(addArtifacts(*writer, places.artifacts, content.blobs));
    RETURN_IF_ERROR(addTasks(*writer, data / "tasks"));
    for (const auto &folder : content.hostedRepositories)
        RETURN_IF_ERROR(addRepository(*writer, places.repositories, folder));
    Manifest manifest{schema::toIso8601(schema::wallClockNow()), content.version, content.runs, {}};
    RETURN_IF_ERROR(writer->finish(manifest));
    manifest.entries = writer->entries();
    return manifest;
}

Result<Manifest> restore(const fs::path &backup, const fs::path &data)
{
    if (!isVacant(data))
        return {ErrorCode::AlreadyExists,
                fmt::format("{} is not empty; move it away first (mv {} {}.old) or name another "
                            "folder with --data",
                            data.string(), data.string(), data.string())};
    std::error_code code;
    fs::create_directories(fs::absolute(data).parent_path(), code);
    const Temporary target(data.string() + ".restoring");
    ASSIGN_OR_RETURN(auto manifest, extractBackup(backup, target.path()));
    RETURN_IF_ERROR(checkContent(target.path(), manifest));
    // Git does not keep empty folders and neither does a backup.
    for (const auto &name : filesBelow(target.path() / "repositories"))
        for (const char *folder : {"refs/heads", "refs/tags", "objects/info", "objects/pack"})
            fs::create_directories(target.path() / "repositories" / *name.begin() / folder, code);
    fs::remove_all(data, code);
    fs::rename(target.path(), data, code);
    if (code)
        return {ErrorCode::Io, fmt::format("create {}: {}", data.string(), code.message())};
    return manifest;
}

Result<Manifest> verify(const fs::path &backup)
{
    const Temporary target(backup.string() + ".verifying");
    ASSIGN_OR_RETURN(auto manifest, extractBackup(backup, target.path()));
    RETURN_IF_ERROR(checkContent(target.path(), manifest));
    return manifest;
}

Result<DeletionLock> DeletionLock::lock(const fs::path &file, int how)
{
    const int fd = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return {ErrorCode::Io, fmt::format("open {}: {}", file.string(), std::strerror(errno))};
    while (::flock(fd, how) != 0) {
        if (errno == EINTR)
            continue;
        const int failure = errno;
        ::close(fd);
        return {failure == EWOULDBLOCK ? ErrorCode::Unavailable : ErrorCode::Io,
                failure == EWOULDBLOCK
                    ? std::string("a backup is running")
                    : fmt::format("lock {}: {}", file.string(), std::strerror(failure))};
    }
    return DeletionLock(fd);
}

Result<DeletionLock> DeletionLock::shared(const fs::path &file)
{
    return lock(file, LOCK_SH);
}

Result<DeletionLock> DeletionLock::exclusive(const fs::path &file)
{
    return lock(file, LOCK_EX | LOCK_NB);
}

DeletionLock::DeletionLock(DeletionLock &&other) noexcept
    : m_fd(other.m_fd)
{
    other.m_fd = -1;
}

DeletionLock::~DeletionLock()
{
    if (m_fd >= 0)
        ::close(m_fd);
}

} // namespace server::backup
