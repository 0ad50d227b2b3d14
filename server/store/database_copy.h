#pragma once
/// Copies of the database for backups, and what stands in one. Works on files of a running server:
/// SQLite's online backup reads one snapshot while writers go on.

#include "schema/base/result.h"

#include <cstdint>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

namespace server::store {

/// What a database refers to outside of itself.
struct DatabaseContent
{
    int version = 0;                             ///< migration version
    std::int64_t runs = 0;                       ///< number of runs
    std::set<std::int64_t> runsWithLogs;         ///< runs that have at least one log
    std::set<std::string> blobs;                 ///< SHA-256 of every artifact
    std::vector<std::string> hostedRepositories; ///< their folders
};

/// Writes a consistent copy of `source` to the new file `destination` (one file, no WAL beside it).
/// Errors: NotFound, Conflict (no database of Slipway), Unavailable (locked for longer than 5 s),
/// Io, Internal (damaged).
schema::Status copyDatabase(const std::filesystem::path &source,
                            const std::filesystem::path &destination);

/// Reads every page and every index of the database. Errors: Internal with what is damaged;
/// Conflict when it is of a newer Slipway or of another program.
schema::Status checkDatabase(const std::filesystem::path &file);

/// Errors: as copyDatabase.
schema::Result<DatabaseContent> databaseContent(const std::filesystem::path &file);

} // namespace server::store
