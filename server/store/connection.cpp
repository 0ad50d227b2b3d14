// One SQLite connection and its statements; the database around them is database.cpp.
#include "server/store/database.h"
#include "server/store/sqlite_error.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include <utility>

namespace server::store {

using schema::Error;
using schema::ErrorCode;

ErrorCode codeOf(int sqliteCode)
{
    switch (sqliteCode & 0xff) {
    case SQLITE_CONSTRAINT:
        return ErrorCode::AlreadyExists;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return ErrorCode::Unavailable;
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
        return ErrorCode::PermissionDenied;
    case SQLITE_CANTOPEN:
    case SQLITE_IOERR:
    case SQLITE_FULL:
        return ErrorCode::Io;
    case SQLITE_NOTADB:
        return ErrorCode::Conflict;
    default:
        return ErrorCode::Internal;
    }
}

const char *remedyFor(int sqliteCode)
{
    switch (sqliteCode & 0xff) {
    case SQLITE_FULL:
        return "; free space on that disk and try again";
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_CANTOPEN:
        return "; give the server's user write permission to the data directory";
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return "; another program holds the database (a backup tool, an sqlite3 shell): close it";
    case SQLITE_CORRUPT:
        return "; the file is damaged: move the data directory away and restore a backup with: "
               "slipway "
               "restore BACKUP --data DIR";
    case SQLITE_NOTADB:
        return "; this is not a database: choose another data directory, or, where one of Slipway "
               "was, move it away and restore a backup with: slipway restore BACKUP --data DIR";
    default:
        return "";
    }
}

struct Connection::Cached
{
    const char *sql;
    sqlite3_stmt *handle;
    bool lent;
};

Connection::Connection(sqlite3 *handle, std::string path)
    : m_handle(handle)
    , m_path(std::move(path))
{}

Connection::~Connection()
{
    for (const Cached &cached : m_cache)
        sqlite3_finalize(cached.handle);
    sqlite3_close_v2(m_handle);
}

Error Connection::lastError(std::string_view doing) const
{
    const int code = sqlite3_extended_errcode(m_handle);
    // Reaches who sent the value, who has no use for the statement and the path.
    if ((code & 0xff) == SQLITE_CONSTRAINT)
        return Error{codeOf(code), fmt::format("it does not go with what is stored: {}",
                                               sqlite3_errmsg(m_handle))};
    return Error{codeOf(code), fmt::format("{} in {}: {}{}", doing, m_path,
                                           sqlite3_errmsg(m_handle), remedyFor(code))};
}

void Connection::fail(std::string_view doing) const
{
    throw SqlError(lastError(doing), (sqlite3_errcode(m_handle) & 0xff) == SQLITE_CORRUPT);
}

Statement Connection::prepare(const char *sql)
{
    // Statements are keyed by the address of their text: every SQL text is a string constant, and
    // comparing pointers is far cheaper than hashing a screenful of SQL.
    for (std::size_t i = 0; i < m_cache.size(); ++i) {
        if (m_cache[i].sql == sql && !m_cache[i].lent) {
            m_cache[i].lent = true;
            return Statement(*this, m_cache[i].handle, i);
        }
    }
    sqlite3_stmt *handle = nullptr;
    if (sqlite3_prepare_v3(m_handle, sql, -1, SQLITE_PREPARE_PERSISTENT, &handle, nullptr) !=
        SQLITE_OK)
        fail(fmt::format("prepare \"{}\"", std::string_view(sql).substr(0, 120)));
    m_cache.push_back({sql, handle, true});
    return Statement(*this, handle, m_cache.size() - 1);
}

std::int64_t Connection::lastInsertId() const
{
    return sqlite3_last_insert_rowid(m_handle);
}

void Connection::interrupt()
{
    sqlite3_interrupt(m_handle);
}

void Connection::execute(const char *sql)
{
    if (sqlite3_exec(m_handle, sql, nullptr, nullptr, nullptr) != SQLITE_OK)
        fail(fmt::format("execute \"{}\"", std::string_view(sql).substr(0, 60)));
}

Statement::Statement(Connection &connection, sqlite3_stmt *handle, std::size_t slot)
    : m_connection(&connection)
    , m_handle(handle)
    , m_slot(slot)
{}

Statement::Statement(Statement &&other) noexcept
    : m_connection(other.m_connection)
    , m_handle(std::exchange(other.m_handle, nullptr))
    , m_slot(other.m_slot)
{}

Statement::~Statement()
{
    if (!m_handle)
        return;
    sqlite3_reset(m_handle); // repeats the error of the last step, which was reported there
    sqlite3_clear_bindings(m_handle);
    m_connection->m_cache[m_slot].lent = false;
}

bool Statement::step()
{
    switch (sqlite3_step(m_handle)) {
    case SQLITE_ROW:
        return true;
    case SQLITE_DONE:
        return false;
    default:
        m_connection->fail(
            fmt::format("run \"{}\"", std::string_view(sqlite3_sql(m_handle)).substr(0, 120)));
    }
}

std::int64_t Statement::run()
{
    while (step()) {
    }
    return sqlite3_changes64(m_connection->m_handle);
}

bool Statement::isNull(int column) const
{
    return sqlite3_column_type(m_handle, column) == SQLITE_NULL;
}

std::int64_t Statement::integer(int column) const
{
    return sqlite3_column_int64(m_handle, column);
}

std::string Statement::text(int column) const
{
    const auto *bytes = reinterpret_cast<const char *>(sqlite3_column_text(m_handle, column));
    if (!bytes)
        return {};
    return {bytes, static_cast<std::size_t>(sqlite3_column_bytes(m_handle, column))};
}

Blob Statement::blob(int column) const
{
    const auto *bytes = static_cast<const std::uint8_t *>(sqlite3_column_blob(m_handle, column));
    if (!bytes)
        return {};
    return {bytes, bytes + sqlite3_column_bytes(m_handle, column)};
}

void Statement::bindNull(int index)
{
    if (sqlite3_bind_null(m_handle, index) != SQLITE_OK)
        m_connection->fail("bind null");
}

void Statement::bindInteger(int index, std::int64_t value)
{
    if (sqlite3_bind_int64(m_handle, index, value) != SQLITE_OK)
        m_connection->fail("bind integer");
}

void Statement::bindText(int index, std::string_view value)
{
    const char *data = value.data() ? value.data() : "";
    if (sqlite3_bind_text64(m_handle, index, data, value.size(), SQLITE_TRANSIENT, SQLITE_UTF8) !=
        SQLITE_OK)
        m_connection->fail("bind text");
}

void Statement::bindBlob(int index, std::span<const std::uint8_t> value)
{
    static constexpr std::uint8_t kEmpty = 0;
    const void *data = value.empty() ? &kEmpty : value.data();
    if (sqlite3_bind_blob64(m_handle, index, data, value.size(), SQLITE_TRANSIENT) != SQLITE_OK)
        m_connection->fail("bind blob");
}

} // namespace server::store
