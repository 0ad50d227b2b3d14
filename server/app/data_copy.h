#pragma once
/// Backup and restore as commands call them. They work on the data folder itself, so that they
/// need neither a running server nor a stopped one (backup), and no server at all (restore).

#include "schema/base/result.h"

#include <cstdint>
#include <filesystem>
#include <string>

namespace server::app {

struct BackupSummary
{
    std::string createdAt; ///< ISO 8601
    int dataVersion = 0;
    std::int64_t runs = 0;
    std::uint64_t files = 0;
    std::uint64_t bytes = 0; ///< of the files, uncompressed
};

/// Writes a backup of the data folder to a new folder, or to a new file ending in .tar.zst; the
/// server may be running. Errors: NotFound, AlreadyExists, Io, Internal (database damaged).
schema::Result<BackupSummary> backUp(const std::filesystem::path &data,
                                     const std::filesystem::path &destination);
/// Checks sums, database and references of a backup without keeping anything.
schema::Result<BackupSummary> verifyBackup(const std::filesystem::path &backup);
/// Puts a backup into a missing or empty data folder, checked as a whole first. Errors:
/// AlreadyExists (data there), InvalidArgument (no backup), Internal (damaged), Conflict (newer).
schema::Result<BackupSummary> restoreBackup(const std::filesystem::path &backup,
                                            const std::filesystem::path &data);

} // namespace server::app
