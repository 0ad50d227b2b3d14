#pragma once
/// The two forms of a backup: a folder, or one file (tar, zstd). Both hold the same entries and, as
/// the last one, `manifest.json` with size and SHA-256 of every other. A backup under construction
/// stands under another name and appears whole or not at all. Used by one thread.

#include "schema/base/result.h"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace server::backup {

struct ManifestEntry
{
    std::string path; ///< relative, '/' separated
    std::uint64_t size = 0;
    std::string sha256;  ///< lower-case hex
    bool secret = false; ///< mode 0600 instead of 0644
};

struct Manifest
{
    std::string createdAt; ///< ISO 8601
    int dataVersion = 0;   ///< migration version of the database
    std::int64_t runs = 0;
    std::vector<ManifestEntry> entries;
};

/// True when a path names a backup in one file (".tar.zst", ".tzst").
bool isFileForm(const std::filesystem::path &path);

class BackupWriter
{
public:
    /// Begins a backup at `destination`, which must not exist. Errors: AlreadyExists, Io,
    /// PermissionDenied.
    static schema::Result<std::unique_ptr<BackupWriter>>
    create(const std::filesystem::path &destination);
    virtual ~BackupWriter() = default;

    /// Copies the bytes that `source` has now under `path` and adds it to the manifest. A file that
    /// grows meanwhile is copied up to its length at the beginning. Errors: NotFound, Io.
    schema::Status add(const std::filesystem::path &source, const std::string &path,
                       bool secret = false);
    /// Adds the manifest, flushes, and gives the backup its name. Errors: Io.
    schema::Status finish(Manifest facts);

    [[nodiscard]] const std::vector<ManifestEntry> &entries() const { return m_entries; }

protected:
    using Bytes = std::function<schema::Status(std::span<const char>)>;
    /// Begins an entry of exactly `size` bytes; gives where they go.
    virtual schema::Result<Bytes> begin(const std::string &path, std::uint64_t size,
                                        bool secret) = 0;
    virtual schema::Status end() = 0;
    virtual schema::Status publish() = 0;

private:
    std::vector<ManifestEntry> m_entries;
};

/// Writes every entry of the backup below `target` (created, mode 0700) and holds each against the
/// manifest. Errors: NotFound; InvalidArgument (no backup, or unsafe paths in it); Internal naming
/// the entries that are damaged, missing or not listed; Io.
schema::Result<Manifest> extractBackup(const std::filesystem::path &backup,
                                       const std::filesystem::path &target);

} // namespace server::backup
