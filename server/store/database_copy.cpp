#include "server/store/database_copy.h"

#include "server/store/database.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include <memory>

namespace server::store {
namespace {

using schema::Error;
using schema::ErrorCode;
using schema::Result;
using schema::Status;

constexpr int kApplicationId = 0x534c5057; // "SLPW", as in database.cpp
constexpr int kBusyTimeoutMs = 5000;

struct CloseDatabase
{
    void operator()(sqlite3 *handle) const { sqlite3_close_v2(handle); }
};

struct Finalize
{
    void operator()(sqlite3_stmt *statement) const { sqlite3_finalize(statement); }
};

using Handle = std::unique_ptr<sqlite3, CloseDatabase>;
using Query = std::unique_ptr<sqlite3_stmt, Finalize>;

Error errorOf(sqlite3 *handle, int code, std::string_view doing, const std::filesystem::path &file)
{
    ErrorCode kind = ErrorCode::Io;
    switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        kind = ErrorCode::Unavailable;
        break;
    case SQLITE_NOTADB:
        kind = ErrorCode::Conflict;
        break;
    case SQLITE_CORRUPT:
        kind = ErrorCode::Internal;
        break;
    default:
        break;
    }
    return {kind, fmt::format("{} {}: {}", doing, file.string(),
                              handle ? sqlite3_errmsg(handle) : sqlite3_errstr(code))};
}

Result<Handle> openDatabase(const std::filesystem::path &file, int flags)
{
    sqlite3 *raw = nullptr;
    const int code = sqlite3_open_v2(file.c_str(), &raw, flags | SQLITE_OPEN_NOMUTEX, nullptr);
    Handle handle(raw);
    if (code != SQLITE_OK)
        return errorOf(raw, code, "open", file);
    sqlite3_busy_timeout(raw, kBusyTimeoutMs);
    return handle;
}

/// Calls `row` for every row; the first error ends it.
template <typename Row>
Status forEach(sqlite3 *handle, const char *sql, const std::filesystem::path &file, Row row)
{
    sqlite3_stmt *raw = nullptr;
    int code = sqlite3_prepare_v2(handle, sql, -1, &raw, nullptr);
    const Query query(raw);
    if (code != SQLITE_OK)
        return errorOf(handle, code, "read", file);
    while ((code = sqlite3_step(raw)) == SQLITE_ROW)
        row(raw);
    if (code != SQLITE_DONE)
        return errorOf(handle, code, "read", file);
    return {};
}

std::string textAt(sqlite3_stmt *query, int column)
{
    const auto *text = reinterpret_cast<const char *>(sqlite3_column_text(query, column));
    return text ? text : "";
}

Result<int> pragmaNumber(sqlite3 *handle, const char *sql, const std::filesystem::path &file)
{
    int value = 0;
    RETURN_IF_ERROR(
        forEach(handle, sql, file, [&](sqlite3_stmt *row) { value = sqlite3_column_int(row, 0); }));
    return value;
}

/// Refuses what this program cannot read.
Status checkOrigin(sqlite3 *handle, const std::filesystem::path &file)
{
    ASSIGN_OR_RETURN(const int application, pragmaNumber(handle, "PRAGMA application_id", file));
    if (application != kApplicationId)
        return {ErrorCode::Conflict, fmt::format("{} is not a database of Slipway", file.string())};
    ASSIGN_OR_RETURN(const int version, pragmaNumber(handle, "PRAGMA user_version", file));
    const auto migrations = embeddedMigrations();
    const int newest = migrations.empty() ? 0 : migrations.back().version;
    if (version > newest)
        return {ErrorCode::Conflict,
                fmt::format("{} was written by a newer Slipway (data version {}, this program "
                            "knows {}); use that version",
                            file.string(), version, newest)};
    return {};
}

} // namespace

Status copyDatabase(const std::filesystem::path &source, const std::filesystem::path &destination)
{
    std::error_code code;
    if (!std::filesystem::exists(source, code))
        return {ErrorCode::NotFound, fmt::format("there is no database {}; name the data directory "
                                                 "of a server with --data",
                                                 source.string())};
    ASSIGN_OR_RETURN(const Handle from, openDatabase(source, SQLITE_OPEN_READWRITE));
    RETURN_IF_ERROR(checkOrigin(from.get(), source));
    ASSIGN_OR_RETURN(const Handle to,
                     openDatabase(destination, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE));
    sqlite3_backup *backup = sqlite3_backup_init(to.get(), "main", from.get(), "main");
    if (!backup)
        return errorOf(to.get(), sqlite3_errcode(to.get()), "write", destination);
    // All pages in one step: in WAL mode that is one snapshot, and writers do not wait for it.
    // In pieces, each commit of the server would start the copy over.
    const int copied = sqlite3_backup_step(backup, -1);
    const int finished = sqlite3_backup_finish(backup);
    if (copied != SQLITE_DONE)
        return errorOf(nullptr, copied, "copy", source);
    if (finished != SQLITE_OK)
        return errorOf(to.get(), finished, "write", destination);
    // The copy is one file; the server that opens it goes back to WAL.
    return forEach(to.get(), "PRAGMA journal_mode=DELETE", destination, [](sqlite3_stmt *) {});
}

Status checkDatabase(const std::filesystem::path &file)
{
    ASSIGN_OR_RETURN(const Handle handle, openDatabase(file, SQLITE_OPEN_READWRITE));
    RETURN_IF_ERROR(checkOrigin(handle.get(), file));
    std::string problems;
    RETURN_IF_ERROR(
        forEach(handle.get(), "PRAGMA integrity_check(5)", file, [&](sqlite3_stmt *row) {
            const std::string line = textAt(row, 0);
            if (line != "ok")
                problems += (problems.empty() ? "" : "; ") + line;
        }));
    RETURN_IF_ERROR(forEach(handle.get(), "PRAGMA foreign_key_check", file, [&](sqlite3_stmt *row) {
        if (problems.size() < 500)
            problems += fmt::format("{}row of {} refers to a missing row of {}",
                                    problems.empty() ? "" : "; ", textAt(row, 0), textAt(row, 2));
    }));
    if (!problems.empty())
        return {ErrorCode::Internal, fmt::format("{} is damaged: {}", file.string(), problems)};
    return {};
}

Result<DatabaseContent> databaseContent(const std::filesystem::path &file)
{
    ASSIGN_OR_RETURN(const Handle handle, openDatabase(file, SQLITE_OPEN_READWRITE));
    RETURN_IF_ERROR(checkOrigin(handle.get(), file));
    DatabaseContent out;
    ASSIGN_OR_RETURN(out.version, pragmaNumber(handle.get(), "PRAGMA user_version", file));
    RETURN_IF_ERROR(forEach(handle.get(), "SELECT count(*) FROM run", file,
                            [&](sqlite3_stmt *row) { out.runs = sqlite3_column_int64(row, 0); }));
    RETURN_IF_ERROR(
        forEach(handle.get(), "SELECT DISTINCT run_id FROM log", file,
                [&](sqlite3_stmt *row) { out.runsWithLogs.insert(sqlite3_column_int64(row, 0)); }));
    RETURN_IF_ERROR(forEach(handle.get(), "SELECT DISTINCT blob_sha256 FROM artifact", file,
                            [&](sqlite3_stmt *row) { out.blobs.insert(textAt(row, 0)); }));
    RETURN_IF_ERROR(
        forEach(handle.get(), "SELECT url FROM repository WHERE hosted = 1 ORDER BY url", file,
                [&](sqlite3_stmt *row) { out.hostedRepositories.push_back(textAt(row, 0)); }));
    return out;
}

} // namespace server::store
