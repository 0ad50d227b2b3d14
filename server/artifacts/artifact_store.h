#pragma once
/// Artifacts of runs: tar streams, compressed with zstd where it helps, kept by their SHA-256 below
/// `<data>/artifacts`, equal ones once. An artifact is visible only when it arrived whole.

#include "schema/base/result.h"
#include "schema/base/time.h"
#include "server/store/database.h"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <iosfwd>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace server::store {
struct ArtifactRow;
} // namespace server::store

namespace server::artifacts {

struct Artifact
{
    std::int64_t id = 0;
    std::int64_t runId = 0;
    std::string name;
    std::string recordId;    ///< job that published it
    std::string sha256;      ///< lower-case hex
    std::uint64_t size = 0;  ///< bytes of the files, uncompressed
    std::uint64_t files = 0; ///< regular files in it
    schema::TimePoint createdAt;
};

struct ArtifactEntry
{
    std::string path; ///< relative, '/' separated
    std::uint64_t size = 0;
    std::uint32_t mode = 0; ///< permission bits
};

class ArtifactStore;

/// An artifact on its way in. Destroyed without finish(): nothing remains. Used by one thread.
class ArtifactUpload
{
public:
    ~ArtifactUpload();
    ArtifactUpload(ArtifactUpload &&) noexcept;
    ArtifactUpload &operator=(ArtifactUpload &&) noexcept;

    /// Takes the bytes of the stream up to its end. Errors: Io (disk full; a stream that goes bad,
    /// which is one that broke off).
    schema::Status receive(std::istream &body);
    /// Checks the stream (it must be a tar with safe relative paths, plain or compressed with
    /// zstd), flushes it,
    /// makes it visible. What an earlier attempt of the same job published under that name is
    /// replaced. Errors: InvalidArgument naming the entry; AlreadyExists when the run has another
    /// artifact of that name (the same content again is harmless); Io.
    schema::Result<Artifact> finish();

private:
    friend class ArtifactStore;
    struct State;
    explicit ArtifactUpload(std::unique_ptr<State> state);
    /// The checked stream gets its name and its row. `replaced`: content that this one replaces.
    schema::Result<Artifact> store(store::ArtifactRow &row, const std::filesystem::path &blob,
                                   std::string &replaced);
    std::unique_ptr<State> m_state;
};

/// All methods are thread-safe.
class ArtifactStore
{
public:
    /// `root` is created when missing; remains of interrupted uploads are removed. The database
    /// must outlive the store.
    static schema::Result<std::unique_ptr<ArtifactStore>> open(store::Database &database,
                                                               const std::filesystem::path &root);
    ~ArtifactStore();

    /// Begins an upload into a run. `recordId`: of the job, the same in all its attempts;
    /// `attemptSince`: when this attempt was queued, so that what is older is an earlier one's.
    /// Errors: InvalidArgument (name: 1-255 characters, none of \/:*?"<>|), Io.
    schema::Result<ArtifactUpload> begin(std::int64_t runId, const std::string &name,
                                         const std::string &recordId,
                                         schema::TimePoint attemptSince = {});

    schema::Result<std::vector<Artifact>> list(std::int64_t runId);
    /// Errors: NotFound naming the artifacts that exist.
    schema::Result<Artifact> find(std::int64_t runId, const std::string &name);

    /// Removes content that no artifact has (any more); harmless when one has it. Errors: Io.
    schema::Status removeUnused(const std::string &sha256);

    /// File that holds the stream (tar, zstd) of an artifact; immutable. Errors: NotFound.
    schema::Result<std::filesystem::path> blobPath(const Artifact &artifact);
    /// Files in an artifact, in stream order.
    schema::Result<std::vector<ArtifactEntry>> entries(const Artifact &artifact);

    /// Takes the next bytes of a download; false stops it.
    using Sink = std::function<bool(std::span<const char>)>;
    /// One file of an artifact, in pieces. Errors: NotFound.
    schema::Status readFile(const Artifact &artifact, const std::string &path, const Sink &sink);
    /// The whole artifact as a zip archive, in pieces, made on the fly with flat memory. Paths
    /// begin with the artifact's name, as Azure Pipelines does.
    schema::Status zip(const Artifact &artifact, const Sink &sink);

private:
    friend class ArtifactUpload;
    struct State;
    explicit ArtifactStore(std::unique_ptr<State> state);
    static schema::Status removeUnused(State &state, const std::string &sha256);
    std::unique_ptr<State> m_state;
};

} // namespace server::artifacts
