#pragma once
/// The one SQLite database: opening, migrating, transactions, statements. All SQL of the server
/// lives in this folder; store classes are cheap views over a Connection, made inside the function
/// that is given to Database::write or Database::read, so that several of them share one
/// transaction.
///
/// Failures of SQLite travel as SqlError *inside this folder only*: write() and read() turn them
/// into an Error. Functions given to them must not let other exceptions out.
///
/// Durability: WAL with synchronous=FULL. When write() returns a value, the change is on disk.
/// Writers that arrive while a commit is running share the next one (group commit): one flush for
/// all of them.
///
/// Damage: a small file is looked through when it is opened, a large one by check(). Once damage is
/// known, by these or because a statement met it, nothing is written any more: what can still be
/// read is not made worse, and nobody is told that something was kept.

#include "schema/base/result.h"
#include "schema/base/time.h"

#include <cstddef>
#include <cstdint>
#include <exception>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

struct sqlite3;
struct sqlite3_stmt;

namespace server::store {

using Blob = std::vector<std::uint8_t>;

/// A GUID, stored as its 16 bytes. Text that is none (tests, foreign workers) is stored as it is
/// and read back the same.
struct Guid
{
    std::string text; ///< lower case when read back

    /// What stands in the column.
    [[nodiscard]] Blob bytes() const;
    static Guid fromBytes(std::span<const std::uint8_t> bytes);
};

/// Nothing for nothing.
std::optional<Guid> guidOf(const std::optional<std::string> &text);
std::optional<std::string> textOf(const std::optional<Guid> &guid);

/// What SQLite refused. Never leaves server/store.
class SqlError : public std::exception
{
public:
    explicit SqlError(schema::Error error, bool damage = false)
        : m_error(std::move(error))
        , m_damage(damage)
    {}

    [[nodiscard]] const char *what() const noexcept override { return m_error.message.c_str(); }

    [[nodiscard]] const schema::Error &error() const { return m_error; }

    /// Whether the file itself is damaged.
    [[nodiscard]] bool isDamage() const { return m_damage; }

private:
    schema::Error m_error;
    bool m_damage;
};

template <typename T> inline constexpr bool kIsOptional = false;
template <typename T> inline constexpr bool kIsOptional<std::optional<T>> = true;

class Connection;

/// A prepared statement on loan from its connection's cache; goes back, reset, on destruction. Use
/// one at a time per SQL text; not thread-safe. Every method throws SqlError on failure
/// (constraint violations: AlreadyExists; full disk, unreadable file: Io).
class Statement
{
public:
    Statement(Statement &&other) noexcept;
    Statement(const Statement &) = delete;
    Statement &operator=(const Statement &) = delete;
    Statement &operator=(Statement &&) = delete;
    ~Statement();

    /// Binds all parameters in order, beginning at ?1. Takes integers, bool, enums (their number),
    /// text, Blob, Guid, TimePoint (milliseconds), std::optional of these, std::nullopt. Texts are
    /// copied.
    template <typename... T> Statement &bind(const T &...values)
    {
        int index = 0;
        (bindValue(++index, values), ...);
        return *this;
    }

    /// Next row; false at the end.
    bool step();
    /// Runs a statement that yields no row; gives the number of rows it changed.
    std::int64_t run();

    [[nodiscard]] bool isNull(int column) const;

    /// Value of a column (0-based) of the current row. T: integers, bool, enums, std::string, Blob,
    /// Guid, TimePoint, std::optional of these.
    template <typename T> [[nodiscard]] T get(int column) const
    {
        if constexpr (kIsOptional<T>) {
            if (isNull(column))
                return std::nullopt;
            return get<typename T::value_type>(column);
        } else if constexpr (std::is_same_v<T, std::string>) {
            return text(column);
        } else if constexpr (std::is_same_v<T, Blob>) {
            return blob(column);
        } else if constexpr (std::is_same_v<T, Guid>) {
            return Guid::fromBytes(blob(column));
        } else if constexpr (std::is_same_v<T, schema::TimePoint>) {
            return schema::fromEpochMillis(integer(column));
        } else if constexpr (std::is_same_v<T, bool>) {
            return integer(column) != 0;
        } else {
            return static_cast<T>(integer(column));
        }
    }

private:
    friend class Connection;
    Statement(Connection &connection, sqlite3_stmt *handle, std::size_t slot);
    [[nodiscard]] std::int64_t integer(int column) const;
    [[nodiscard]] std::string text(int column) const;
    [[nodiscard]] Blob blob(int column) const;
    void bindNull(int index);
    void bindInteger(int index, std::int64_t value);
    void bindText(int index, std::string_view value);
    void bindBlob(int index, std::span<const std::uint8_t> value);

    template <typename T> void bindValue(int index, const T &value)
    {
        if constexpr (std::is_same_v<T, std::nullopt_t>)
            bindNull(index);
        else if constexpr (kIsOptional<T>) {
            if (value)
                bindValue(index, *value);
            else
                bindNull(index);
        } else if constexpr (std::is_integral_v<T> || std::is_enum_v<T>)
            bindInteger(index, static_cast<std::int64_t>(value));
        else if constexpr (std::is_same_v<T, schema::TimePoint>)
            bindInteger(index, schema::toEpochMillis(value));
        else if constexpr (std::is_same_v<T, Blob>)
            bindBlob(index, value);
        else if constexpr (std::is_same_v<T, Guid>)
            bindBlob(index, value.bytes());
        else
            bindText(index, std::string_view(value));
    }

    Connection *m_connection;
    sqlite3_stmt *m_handle;
    std::size_t m_slot;
};

/// One SQLite connection with its cache of prepared statements. Used by one thread at a time.
class Connection
{
public:
    Connection(const Connection &) = delete;
    Connection &operator=(const Connection &) = delete;
    ~Connection();

    /// A statement for `sql`, which must outlive the connection: pass a string constant.
    /// Throws SqlError.
    Statement prepare(const char *sql);

    /// prepare(sql).bind(values...).run().
    template <typename... T> std::int64_t run(const char *sql, const T &...values)
    {
        return prepare(sql).bind(values...).run();
    }

    /// Row id of the last INSERT.
    [[nodiscard]] std::int64_t lastInsertId() const;

    /// Ends the statement that runs now soon, with an SqlError. Any thread.
    void interrupt();

private:
    friend class Database;
    friend class Statement;
    struct Cached;
    Connection(sqlite3 *handle, std::string path);
    void execute(const char *sql); // one or many statements, no parameters, no rows
    [[noreturn]] void fail(std::string_view doing) const;
    [[nodiscard]] schema::Error lastError(std::string_view doing) const;

    sqlite3 *m_handle;
    std::string m_path;
    std::vector<Cached> m_cache;
};

/// One row of the embedded migrations (schema/sql), oldest first.
struct Migration
{
    int version;
    const char *name;
    const char *sql;
};

/// The migrations compiled into this binary.
std::span<const Migration> embeddedMigrations();

/// The database file with one writing connection (shared by all threads, group commit) and a pool
/// of reading ones. All methods are thread-safe and block.
class Database
{
public:
    /// Opens or creates the file and brings it to the newest version, each migration in its own
    /// transaction; a new one gets at once what the embedded ones arrive at. Errors: Conflict when
    /// it is of a newer Slipway or not a Slipway database; PermissionDenied or Io when it cannot be
    /// written (message names path and remedy); Internal when it is damaged, as far as its first
    /// page and length show, of a file up to 4 MiB as far as check() shows.
    static schema::Result<std::unique_ptr<Database>>
    open(const std::filesystem::path &file,
         std::span<const Migration> migrations = embeddedMigrations());
    ~Database();
    Database(const Database &) = delete;
    Database &operator=(const Database &) = delete;

    /// Runs `body(Connection &) -> schema::Result<T>` in a write transaction. An error result or an
    /// SqlError undoes this body's changes only, also when it shares a commit with others. Do not
    /// call write() or read() from inside a body. Errors: body's own, Io (disk full), Unavailable
    /// (locked by another program).
    template <typename Body> auto write(Body &&body) -> std::invoke_result_t<Body &, Connection &>
    {
        using R = std::invoke_result_t<Body &, Connection &>;
        std::optional<R> result;
        const schema::Status committed = commit([&](Connection &connection) -> bool {
            result.emplace(body(connection));
            return result->has_value();
        });
        if (!committed)
            return committed.error();
        return std::move(*result); // NOLINT(bugprone-unchecked-optional-access) emplaced
    }

    /// Runs `body(Connection &) -> schema::Result<T>` on a consistent, read-only snapshot.
    template <typename Body> auto read(Body &&body) -> std::invoke_result_t<Body &, Connection &>
    {
        using R = std::invoke_result_t<Body &, Connection &>;
        std::optional<R> result;
        const schema::Status done =
            snapshot([&](Connection &connection) { result.emplace(body(connection)); });
        if (!done)
            return done.error();
        return std::move(*result); // NOLINT(bugprone-unchecked-optional-access) emplaced
    }

    /// Looks for damage in all tables and their indexes, one table after the other (`PRAGMA
    /// quick_check`: broken pages, trees and records; not a changed byte inside a text). Nothing
    /// when open() did so already. About a second for each GB that the system has in memory; other
    /// calls go on. Errors: Internal naming table, finding and remedy, which is remembered as
    /// damage; Canceled soon after `stop` was requested; Io.
    schema::Status check(const std::stop_token &stop);
    /// Whether open() has looked, so that check() has nothing to do.
    [[nodiscard]] bool isChecked() const;
    /// The damage that is known, if any: why write() refuses everything (Unavailable).
    [[nodiscard]] std::optional<schema::Error> damage() const;

    /// Number of commits since opening: flushes to disk, for metrics and benchmarks.
    [[nodiscard]] std::uint64_t commits() const;
    /// Migration version of the file after opening.
    [[nodiscard]] int version() const;

private:
    struct State;
    explicit Database(std::unique_ptr<State> state);
    schema::Status commit(const std::function<bool(Connection &)> &body);
    schema::Status snapshot(const std::function<void(Connection &)> &body);

    std::unique_ptr<State> m_state;
};

} // namespace server::store
