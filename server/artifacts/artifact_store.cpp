#include "server/artifacts/artifact_store.h"

#include "server/artifacts/tar_stream.h"
#include "server/store/artifact_rows.h"
#include "server/store/retention_store.h"

#include <archive.h>
#include <archive_entry.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <mutex>
#include <openssl/evp.h>
#include <shared_mutex>
#include <sys/stat.h>
#include <unistd.h>

namespace server::artifacts {
namespace {

namespace fs = std::filesystem;
using schema::Error;
using schema::ErrorCode;
using schema::Result;
using schema::Status;

/// So much more of an upload is handed to the disk at once.
constexpr std::uint64_t kFlushBytes = 8U << 20U;

Error ioError(std::string_view doing, const fs::path &path)
{
    const int code = errno;
    return {code == EACCES ? ErrorCode::PermissionDenied : ErrorCode::Io,
            fmt::format("{} {}: {}{}", doing, path.string(), std::strerror(code),
                        code == ENOSPC ? "; free space on that disk" : "")};
}

std::string hex(std::span<const unsigned char> bytes)
{
    std::string text;
    for (const unsigned char byte : bytes)
        text += fmt::format("{:02x}", byte);
    return text;
}

Artifact toArtifact(store::ArtifactRow row)
{
    return {
        row.id,   row.runId, std::move(row.name), std::move(row.recordId), std::move(row.sha256),
        row.size, row.files, row.createdAt};
}

} // namespace

struct ArtifactStore::State
{
    State(store::Database &usedDatabase, fs::path folder)
        : database(usedDatabase)
        , root(std::move(folder))
    {}

    store::Database &database;
    fs::path root;
    std::atomic<std::uint64_t> next = 0;
    /// Held shared from giving content its name until its row is there, exclusively while unused
    /// content is removed: content that just arrived must not look unused.
    std::shared_mutex names;

    fs::path temporary() { return root / "incoming" / fmt::format("{}-{}", ::getpid(), ++next); }

    fs::path blob(const std::string &sha256) const
    {
        return root / "blobs" / sha256.substr(0, 2) / sha256;
    }
};

struct ArtifactUpload::State
{
    ArtifactStore::State *store = nullptr;
    std::int64_t runId = 0;
    std::string name, recordId;
    schema::TimePoint attemptSince;
    fs::path path;
    int fd = -1;
    std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> hash{EVP_MD_CTX_new(), EVP_MD_CTX_free};
    std::uint64_t bytes = 0, flushing = 0;

    ~State()
    {
        if (fd >= 0)
            ::close(fd);
        std::error_code ignored; // nothing there any more after finish()
        fs::remove(path, ignored);
    }
};

ArtifactUpload::ArtifactUpload(std::unique_ptr<State> state)
    : m_state(std::move(state))
{}

ArtifactUpload::~ArtifactUpload() = default;
ArtifactUpload::ArtifactUpload(ArtifactUpload &&) noexcept = default;
ArtifactUpload &ArtifactUpload::operator=(ArtifactUpload &&) noexcept = default;

Status ArtifactUpload::write(std::span<const char> bytes)
{
    State &state = *m_state;
    EVP_DigestUpdate(state.hash.get(), bytes.data(), bytes.size());
    state.bytes += bytes.size();
    while (!bytes.empty()) {
        const ssize_t put = ::write(state.fd, bytes.data(), bytes.size());
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return ioError("write", state.path);
        bytes = bytes.subspan(static_cast<std::size_t>(put));
    }
    // The disk works while more arrives; finish() waits for the rest. A failure shows there.
    if (state.bytes - state.flushing >= kFlushBytes) {
        ::sync_file_range(state.fd, static_cast<off64_t>(state.flushing),
                          static_cast<off64_t>(state.bytes - state.flushing),
                          SYNC_FILE_RANGE_WRITE);
        state.flushing = state.bytes;
    }
    return {};
}

Result<Artifact> ArtifactUpload::finish()
{
    State &state = *m_state;
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned length = 0;
    EVP_DigestFinal_ex(state.hash.get(), digest, &length);
    store::ArtifactRow row;
    row.runId = state.runId;
    row.name = state.name;
    row.recordId = state.recordId;
    row.sha256 = hex(std::span(digest, length));
    row.createdAt = schema::wallClockNow();
    const Status scanned = scanTar(state.path, [&](const ArtifactEntry &entry) {
        row.size += entry.size;
        ++row.files;
        return true;
    });
    if (!scanned)
        return Error(scanned.error()).withContext(fmt::format("artifact '{}'", state.name));

    const fs::path blob = state.store->blob(row.sha256);
    std::error_code failed;
    fs::create_directories(blob.parent_path(), failed);
    if (::fdatasync(state.fd) != 0)
        return ioError("flush", state.path);
    std::string replaced; // content that lost its name
    auto stored = store(row, blob, replaced);
    // Left behind, it would only take space; retention looks again.
    if (stored && !replaced.empty())
        static_cast<void>(ArtifactStore::removeUnused(*state.store, replaced));
    return stored;
}

Result<Artifact> ArtifactUpload::store(store::ArtifactRow &row, const fs::path &blob,
                                       std::string &replaced)
{
    State &state = *m_state;
    const std::shared_lock naming(state.store->names);
    // Equal content has the equal name: replacing it by itself does no harm to readers, who hold
    // the old file.
    if (::rename(state.path.c_str(), blob.c_str()) != 0)
        return ioError("store", blob);
    if (const int folder = ::open(blob.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        folder >= 0) {
        ::fsync(folder);
        ::close(folder);
    }
    return state.store->database.write([&](store::Connection &connection) -> Result<Artifact> {
        store::ArtifactRows rows(connection);
        const auto known = rows.find(row.runId, row.name);
        if (!known) {
            row.id = rows.insert(row);
            return toArtifact(row);
        }
        if (known->sha256 == row.sha256)
            return toArtifact(*known); // a repeated upload
        if (known->recordId != row.recordId || known->createdAt >= state.attemptSince)
            return Error{
                ErrorCode::AlreadyExists,
                fmt::format("the run has an artifact '{}' already; give this one another name",
                            row.name)};
        row.id = known->id;
        rows.replace(row);
        replaced = known->sha256;
        return toArtifact(row);
    });
}

ArtifactStore::ArtifactStore(std::unique_ptr<State> state)
    : m_state(std::move(state))
{}

ArtifactStore::~ArtifactStore() = default;

Result<std::unique_ptr<ArtifactStore>> ArtifactStore::open(store::Database &database,
                                                           const fs::path &root)
{
    std::error_code failed;
    fs::remove_all(root / "incoming", failed);
    for (const char *folder : {"incoming", "blobs"}) {
        fs::create_directories(root / folder, failed);
        if (failed)
            return Error{failed == std::errc::permission_denied ? ErrorCode::PermissionDenied
                                                                : ErrorCode::Io,
                         fmt::format("create {}: {}; give the server's user write permission",
                                     (root / folder).string(), failed.message())};
    }
    return std::unique_ptr<ArtifactStore>(
        new ArtifactStore(std::make_unique<State>(database, root)));
}

Result<ArtifactUpload> ArtifactStore::begin(std::int64_t runId, const std::string &name,
                                            const std::string &recordId,
                                            schema::TimePoint attemptSince)
{
    const auto forbidden = [](unsigned char c) {
        return c < 0x20 || std::strchr("\\/:*?\"<>|", c) != nullptr;
    };
    if (name.empty() || name.size() > 255 || name == "." || name == ".." ||
        std::any_of(name.begin(), name.end(), forbidden))
        return Error{
            ErrorCode::InvalidArgument,
            fmt::format(
                "artifact name '{}': use 1 to 255 characters and none of \\ / : * ? \" < > |",
                name)};
    auto state = std::make_unique<ArtifactUpload::State>();
    state->store = m_state.get();
    state->runId = runId;
    state->name = name;
    state->recordId = recordId;
    state->attemptSince = attemptSince;
    state->path = m_state->temporary();
    state->fd = ::open(state->path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
    if (state->fd < 0)
        return ioError("create", state->path);
    if (state->hash == nullptr || EVP_DigestInit_ex(state->hash.get(), EVP_sha256(), nullptr) != 1)
        return Error{ErrorCode::Internal, "SHA-256 cannot be set up"};
    return ArtifactUpload(std::move(state));
}

Status ArtifactStore::removeUnused(const std::string &sha256)
{
    return removeUnused(*m_state, sha256);
}

Status ArtifactStore::removeUnused(State &state, const std::string &sha256)
{
    const std::unique_lock naming(state.names);
    ASSIGN_OR_RETURN(const bool used, state.database.read([&](store::Connection &connection) {
        return Result(store::RetentionStore(connection).isBlobUsed(sha256));
    }));
    const fs::path blob = state.blob(sha256);
    if (!used && ::unlink(blob.c_str()) != 0 && errno != ENOENT)
        return ioError("remove", blob);
    return {};
}

Result<std::vector<Artifact>> ArtifactStore::list(std::int64_t runId)
{
    return m_state->database.read(
        [&](store::Connection &connection) -> Result<std::vector<Artifact>> {
            std::vector<Artifact> artifacts;
            for (store::ArtifactRow &row : store::ArtifactRows(connection).list(runId))
                artifacts.push_back(toArtifact(std::move(row)));
            return artifacts;
        });
}

Result<Artifact> ArtifactStore::find(std::int64_t runId, const std::string &name)
{
    ASSIGN_OR_RETURN(std::vector<Artifact> all, list(runId));
    std::vector<std::string> names;
    for (Artifact &artifact : all) {
        if (artifact.name.size() == name.size() &&
            ::strcasecmp(artifact.name.c_str(), name.c_str()) == 0)
            return std::move(artifact);
        names.push_back(artifact.name);
    }
    return Error{ErrorCode::NotFound,
                 names.empty()
                     ? fmt::format("artifact '{}' does not exist; run {} has none", name, runId)
                     : fmt::format("artifact '{}' does not exist; run {} has: {}", name, runId,
                                   fmt::join(names, ", "))};
}

Result<fs::path> ArtifactStore::blobPath(const Artifact &artifact)
{
    fs::path path = m_state->blob(artifact.sha256);
    if (::access(path.c_str(), R_OK) != 0)
        return Error{ErrorCode::NotFound,
                     fmt::format("the content of artifact '{}' is gone from {}", artifact.name,
                                 path.string())};
    return path;
}

Result<std::vector<ArtifactEntry>> ArtifactStore::entries(const Artifact &artifact)
{
    ASSIGN_OR_RETURN(const fs::path path, blobPath(artifact));
    std::vector<ArtifactEntry> all;
    RETURN_IF_ERROR(scanTar(path, [&](const ArtifactEntry &entry) {
        all.push_back(entry);
        return true;
    }));
    return all;
}

Status ArtifactStore::readFile(const Artifact &artifact, const std::string &path, const Sink &sink)
{
    ASSIGN_OR_RETURN(const fs::path blob, blobPath(artifact));
    return extractFile(blob, path, sink);
}

Status ArtifactStore::zip(const Artifact &artifact, const Sink &sink)
{
    ASSIGN_OR_RETURN(const fs::path blob, blobPath(artifact));
    return tarToZip(blob, artifact.name, sink);
}

} // namespace server::artifacts
