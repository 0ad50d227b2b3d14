#include "server/artifacts/artifact_store.h"

#include "server/artifacts/content_writer.h"
#include "server/artifacts/tar_stream.h"
#include "server/store/artifact_rows.h"
#include "server/store/retention_store.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <istream>
#include <mutex>
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
    ArtifactStore::State *store;
    std::int64_t runId = 0;
    std::string name, recordId;
    schema::TimePoint attemptSince;
    ContentWriter content;

    State(ArtifactStore::State &owner, ContentWriter writer)
        : store(&owner)
        , content(std::move(writer))
    {}

    ~State() { content.remove(); } // nothing there any more after finish()
};

ArtifactUpload::ArtifactUpload(std::unique_ptr<State> state)
    : m_state(std::move(state))
{}

ArtifactUpload::~ArtifactUpload() = default;
ArtifactUpload::ArtifactUpload(ArtifactUpload &&) noexcept = default;
ArtifactUpload &ArtifactUpload::operator=(ArtifactUpload &&) noexcept = default;

Status ArtifactUpload::receive(std::istream &body)
{
    ContentWriter &content = m_state->content;
    while (body.good()) {
        const std::span<char> room = content.room();
        body.read(room.data(), static_cast<std::streamsize>(room.size()));
        if (body.gcount() > 0)
            RETURN_IF_ERROR(content.commit(static_cast<std::size_t>(body.gcount())));
    }
    if (body.bad())
        return {ErrorCode::Io, fmt::format("the body of artifact '{}' ended early", m_state->name)};
    return {};
}

Result<Artifact> ArtifactUpload::finish()
{
    State &state = *m_state;
    state.content.end();
    store::ArtifactRow row;
    row.runId = state.runId;
    row.name = state.name;
    row.recordId = state.recordId;
    row.createdAt = schema::wallClockNow();
    const Status scanned = scanTar(state.content.path(), [&](const ArtifactEntry &entry) {
        row.size += entry.size;
        ++row.files;
        return true;
    });
    if (!scanned)
        return Error(scanned.error()).withContext(fmt::format("artifact '{}'", state.name));

    ASSIGN_OR_RETURN(row.sha256, state.content.settle());
    const fs::path blob = state.store->blob(row.sha256);
    std::error_code failed;
    fs::create_directories(blob.parent_path(), failed);
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
    if (::rename(state.content.path().c_str(), blob.c_str()) != 0)
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
    ASSIGN_OR_RETURN(auto content, ContentWriter::create(m_state->temporary()));
    auto state = std::make_unique<ArtifactUpload::State>(*m_state, std::move(content));
    state->runId = runId;
    state->name = name;
    state->recordId = recordId;
    state->attemptSince = attemptSince;
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
