#include "server/store/database.h"

#include "server/store/commit_metrics.h"
#include "server/store/damage.h"
#include "server/store/new_database.h"
#include "server/store/sqlite_error.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <fstream>
#include <mutex>

namespace server::store {
namespace {

using schema::Error;
using schema::ErrorCode;
using schema::Status;

constexpr int kApplicationId = 0x534c5057; // "SLPW"
constexpr const char *kInMemory = ":memory:";
/// Waiting for a lock that a foreign program holds (`sqlite3` shell, backup), milliseconds.
constexpr int kBusyTimeoutMs = 5000;
/// A file up to this size is looked through for damage before it is used, bytes: a few ms.
constexpr std::uintmax_t kCheckedAtOnce = 4U << 20U;
/// Idle reading connections kept open; more are opened under load and closed again.
constexpr std::size_t kIdleReaders = 8;

constexpr Migration kMigrations[] = {
#include "schema/sql/migrations.inc"
};

} // namespace

/// guid_blob(text) for migrations: what Guid::bytes() gives; NULL for NULL.
static void guidBlob(sqlite3_context *context, int /*count*/, sqlite3_value **values)
{
    const auto *text = reinterpret_cast<const char *>(sqlite3_value_text(values[0]));
    if (!text)
        return sqlite3_result_null(context);
    const Blob bytes =
        Guid{std::string(text, static_cast<std::size_t>(sqlite3_value_bytes(values[0])))}.bytes();
    sqlite3_result_blob64(context, bytes.data(), bytes.size(), SQLITE_TRANSIENT);
}

/// A file that is shorter than its first page says was cut off; SQLite itself notices that only
/// when it needs a missing page, perhaps in the middle of a release. Pages of a write-ahead log
/// that is still there may be missing in the file.
static void checkLength(const std::filesystem::path &file)
{
    std::error_code code;
    const auto length = std::filesystem::file_size(file, code);
    if (code || length < 100)
        return;
    const auto log = std::filesystem::file_size(file.string() + "-wal", code);
    if (!code && log > 0)
        return;
    std::array<unsigned char, 32> head{};
    std::ifstream stream(file, std::ios::binary);
    if (!stream.read(reinterpret_cast<char *>(head.data()), head.size()))
        return;
    const std::uint64_t word = head[16] * 256U + head[17];
    const std::uint64_t pageSize = word == 1 ? 65536 : word;
    const std::uint64_t pages = (std::uint64_t{head[28]} << 24U) +
                                (std::uint64_t{head[29]} << 16U) + (std::uint64_t{head[30]} << 8U) +
                                head[31];
    if (length < pages * pageSize && std::memcmp(head.data(), "SQLite format 3", 16) == 0)
        throw SqlError(Error{ErrorCode::Internal,
                             fmt::format("{} is cut off: {} of {} bytes are there{}", file.string(),
                                         length, pages * pageSize, remedyFor(SQLITE_CORRUPT))});
}

/// 0 for what is not there.
static std::uintmax_t sizeOf(const std::filesystem::path &file)
{
    std::error_code code;
    const auto size = std::filesystem::file_size(file, code);
    return code ? 0 : size;
}

static void throwIfFailed(const Status &status)
{
    if (!status)
        throw SqlError(status.error());
}

std::span<const Migration> embeddedMigrations()
{
    return kMigrations;
}

/// A body waiting for its turn in the shared transaction.
struct Waiter
{
    const std::function<bool(Connection &)> *body;
    std::optional<Status> result; // written by the leader alone
    bool keep = false;
    bool finished = false; // guarded by State::mutex
};

struct Database::State
{
    std::filesystem::path file;
    std::unique_ptr<Connection> writer;
    int version = 0;
    std::atomic<std::uint64_t> commits = 0;

    // Group commit: the first writer to find nobody at work becomes the leader, takes everything
    // that is queued, and commits it at once; no thread of its own, no hand-over when uncontended.
    std::mutex mutex;
    std::condition_variable changed;
    std::vector<Waiter *> queue;
    bool leading = false;

    bool checked = false;                ///< by open()
    std::optional<schema::Error> damage; // guarded by mutex

    std::mutex readerMutex;
    std::vector<std::unique_ptr<Connection>> readers;

    static std::unique_ptr<Connection> connect(const std::filesystem::path &file, bool readOnly);
    void migrate(std::span<const Migration> migrations);
    void commitBatch(const std::vector<Waiter *> &batch);
    void findDamage(const std::stop_token &stop) const;
    void noteDamage(const schema::Error &found);
    void runBody(Waiter &waiter, bool alone);
};

std::unique_ptr<Connection> Database::State::connect(const std::filesystem::path &file,
                                                     bool readOnly)
{
    sqlite3 *handle = nullptr;
    const int flags = SQLITE_OPEN_NOMUTEX | (readOnly ? SQLITE_OPEN_READONLY
                                                      : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
    const int code = sqlite3_open_v2(file.c_str(), &handle, flags, countingVfs());
    std::unique_ptr<Connection> connection(new Connection(handle, file.string()));
    if (code != SQLITE_OK)
        connection->fail("open database");
    sqlite3_extended_result_codes(handle, 1);
    sqlite3_busy_timeout(handle, kBusyTimeoutMs);
    connection->execute("PRAGMA foreign_keys=ON; PRAGMA temp_store=MEMORY;");
    if (readOnly) {
        connection->execute("PRAGMA query_only=ON; PRAGMA cache_size=-1024;");
    } else {
        connection->execute(
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-4096;"
            "PRAGMA journal_size_limit=67108864;");
    }
    return connection;
}

void Database::State::migrate(std::span<const Migration> migrations)
{
    const auto number = [this](const char *sql) {
        Statement statement = writer->prepare(sql);
        return statement.step() ? statement.get<int>(0) : 0;
    };
    sqlite3_create_function_v2(writer->m_handle, "guid_blob", 1, SQLITE_UTF8 | SQLITE_DETERMINISTIC,
                               nullptr, guidBlob, nullptr, nullptr, nullptr);
    version = number("PRAGMA user_version");
    const int application = number("PRAGMA application_id");
    const bool empty = number("SELECT count(*) FROM sqlite_schema") == 0;
    if (!empty && application != kApplicationId)
        throw SqlError(Error{ErrorCode::Conflict,
                             fmt::format("{} is a database of another program; choose another data "
                                         "directory",
                                         file.string())});
    const int newest = migrations.empty() ? 0 : migrations.back().version;
    if (version > newest)
        throw SqlError(Error{
            ErrorCode::Conflict,
            fmt::format(
                "{} was written by a newer Slipway (data version {}, this "
                "program knows {}); install that version again, or move the data directory away "
                "and restore a backup of this one with: slipway restore BACKUP "
                "--data DIR",
                file.string(), version, newest)});
    for (const Migration &migration : migrations) {
        if (migration.version <= version)
            continue;
        try {
            writer->execute("BEGIN IMMEDIATE");
            writer->execute(migration.sql);
            writer->execute(fmt::format("PRAGMA application_id={}; PRAGMA user_version={};",
                                        kApplicationId, migration.version)
                                .c_str());
            writer->execute("COMMIT");
        } catch (const SqlError &error) {
            sqlite3_exec(writer->m_handle, "ROLLBACK", nullptr, nullptr, nullptr);
            throw SqlError(error.error().withContext(fmt::format("migration {}", migration.name)));
        }
        version = migration.version;
    }
}

void Database::State::runBody(Waiter &waiter, bool alone)
{
    // A savepoint confines a failing body to its own changes; alone, the transaction itself does.
    if (!alone)
        writer->execute("SAVEPOINT body");
    try {
        waiter.keep = (*waiter.body)(*writer);
    } catch (const SqlError &error) {
        waiter.keep = false;
        waiter.result = error.error();
        if (error.isDamage())
            noteDamage(error.error());
    } catch (const std::exception &error) { // a defect of the body must not hold up the others
        waiter.keep = false;
        waiter.result = Error{ErrorCode::Internal, fmt::format("write: {}", error.what())};
    }
    if (!alone) {
        if (!waiter.keep)
            writer->execute("ROLLBACK TO body");
        writer->execute("RELEASE body");
    }
}

void Database::State::commitBatch(const std::vector<Waiter *> &batch)
{
    const bool alone = batch.size() == 1;
    const auto begin = std::chrono::steady_clock::now();
    try {
        const auto changes = sqlite3_total_changes64(writer->m_handle);
        writer->execute("BEGIN IMMEDIATE");
        bool keep = !alone;
        for (Waiter *waiter : batch) {
            runBody(*waiter, alone);
            keep = keep || waiter->keep;
        }
        writer->execute(keep ? "COMMIT" : "ROLLBACK");
        // Without a change there is nothing to flush.
        const bool flushed = keep && sqlite3_total_changes64(writer->m_handle) != changes;
        if (flushed) {
            commits.fetch_add(1, std::memory_order_relaxed);
            commitDurations().add(std::chrono::steady_clock::now() - begin);
        }
        for (Waiter *waiter : batch) {
            if (!waiter->result)
                waiter->result = Status();
        }
    } catch (const SqlError &error) {
        // BEGIN, a savepoint or COMMIT failed: nothing of this batch is on disk.
        sqlite3_exec(writer->m_handle, "ROLLBACK", nullptr, nullptr, nullptr);
        for (Waiter *waiter : batch)
            waiter->result = error.error();
        if (error.isDamage())
            noteDamage(error.error());
    }
}

/// On a connection of its own: what it reads is not kept in memory.
void Database::State::findDamage(const std::stop_token &stop) const
{
    const auto connection = connect(file, true);
    if (const std::string found = damageIn(*connection, stop); !found.empty())
        throw SqlError(Error{ErrorCode::Internal, fmt::format("{} is damaged: {}{}", file.string(),
                                                              found, remedyFor(SQLITE_CORRUPT))},
                       true);
}

void Database::State::noteDamage(const schema::Error &found)
{
    const std::scoped_lock lock(mutex);
    if (!damage)
        damage = Error{ErrorCode::Unavailable, "nothing is written any more: " + found.message};
}

Database::Database(std::unique_ptr<State> state)
    : m_state(std::move(state))
{}

Database::~Database() = default;

schema::Result<std::unique_ptr<Database>> Database::open(const std::filesystem::path &file,
                                                         std::span<const Migration> migrations)
{
    try {
        auto state = std::make_unique<State>();
        state->file = file;
        checkLength(file);
        const std::uintmax_t size = sizeOf(file) + sizeOf(file.string() + "-wal");
        const bool inMemory = file == kInMemory;
        const bool usesAll =
            migrations.data() == kMigrations && migrations.size() == std::size(kMigrations);
        // An empty file or a link is somebody's wish where it stands: SQLite fills it.
        std::error_code unknown;
        if (usesAll && !inMemory && !std::filesystem::exists(symlink_status(file, unknown)))
            throwIfFailed(makeNewDatabase(file));
        state->writer = State::connect(file, false);
        if (usesAll && inMemory)
            throwIfFailed(loadNewDatabase(state->writer->m_handle));
        state->checked = size <= kCheckedAtOnce;
        if (size > 0 && state->checked) // of a new file there is nothing to look at
            state->findDamage({});
        state->migrate(migrations);
        return std::unique_ptr<Database>(new Database(std::move(state)));
    } catch (const SqlError &error) {
        return error.error();
    }
}

Status Database::commit(const std::function<bool(Connection &)> &body)
{
    Waiter waiter{&body, std::nullopt};
    State &state = *m_state;
    std::unique_lock lock(state.mutex);
    if (state.damage)
        return *state.damage;
    state.queue.push_back(&waiter);
    state.changed.wait(lock, [&] { return waiter.finished || !state.leading; });
    if (!waiter.finished) {
        state.leading = true;
        const std::vector<Waiter *> batch = std::exchange(state.queue, {});
        lock.unlock();
        state.commitBatch(batch);
        lock.lock();
        for (Waiter *member : batch)
            member->finished = true;
        state.leading = false;
        state.changed.notify_all();
    }
    return *waiter.result; // NOLINT(bugprone-unchecked-optional-access) set by the leader
}

Status Database::snapshot(const std::function<void(Connection &)> &body)
{
    State &state = *m_state;
    std::unique_ptr<Connection> reader;
    {
        const std::scoped_lock lock(state.readerMutex);
        if (!state.readers.empty()) {
            reader = std::move(state.readers.back());
            state.readers.pop_back();
        }
    }
    Status status;
    try {
        if (!reader)
            reader = State::connect(state.file, true);
        reader->execute("BEGIN");
        body(*reader);
    } catch (const SqlError &error) {
        status = error.error();
        if (error.isDamage())
            state.noteDamage(error.error());
    } catch (const std::exception &error) {
        status = Error{ErrorCode::Internal, fmt::format("read: {}", error.what())};
    }
    if (reader) {
        // Ends the snapshot whatever happened; without one there is nothing to end.
        sqlite3_exec(reader->m_handle, "ROLLBACK", nullptr, nullptr, nullptr);
        const std::scoped_lock lock(state.readerMutex);
        if (state.readers.size() < kIdleReaders)
            state.readers.push_back(std::move(reader));
    }
    return status;
}

Status Database::check(const std::stop_token &stop)
{
    if (isChecked())
        return {};
    try {
        m_state->findDamage(stop);
    } catch (const SqlError &error) {
        if (error.isDamage())
            m_state->noteDamage(error.error());
        return error.error();
    }
    return {};
}

bool Database::isChecked() const
{
    return m_state->checked;
}

std::optional<Error> Database::damage() const
{
    const std::scoped_lock lock(m_state->mutex);
    return m_state->damage;
}

std::uint64_t Database::commits() const
{
    return m_state->commits.load(std::memory_order_relaxed);
}

int Database::version() const
{
    return m_state->version;
}

} // namespace server::store
