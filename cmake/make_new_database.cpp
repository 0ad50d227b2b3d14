// Part of the build: goes through all migrations in memory and writes the database that they arrive
// at, compressed, as numbers to include. A new database is a copy of it, since each ALTER TABLE of
// a migration has SQLite read the whole schema again.
#include <sqlite3.h>
#include <zstd.h>

#include <cstdio>
#include <fstream>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace {

struct Migration
{
    int version;
    const char *name;
    const char *sql;
};

constexpr Migration kMigrations[] = {
#include "schema/sql/migrations.inc"
};

int fail(const char *where, const char *why)
{
    std::fprintf(stderr, "make_new_database: %s: %s\n", where, why);
    return 1;
}

/// Stands for functions of the program that convert rows. There are none yet.
void noRows(sqlite3_context *context, int /*count*/, sqlite3_value ** /*values*/)
{
    sqlite3_result_error(context, "a migration of an empty database converts rows", -1);
}

} // namespace

int main(int count, char **arguments)
{
    if (count != 2)
        return fail("usage", "make_new_database FILE");
    sqlite3 *opened = nullptr;
    const int code = sqlite3_open(":memory:", &opened);
    const std::unique_ptr<sqlite3, decltype(&sqlite3_close)> connection(opened, &sqlite3_close);
    const auto execute = [opened](const char *sql) {
        return sqlite3_exec(opened, sql, nullptr, nullptr, nullptr) == SQLITE_OK;
    };
    if (code != SQLITE_OK ||
        sqlite3_create_function_v2(opened, "guid_blob", 1, SQLITE_UTF8, nullptr, noRows, nullptr,
                                   nullptr, nullptr) != SQLITE_OK)
        return fail("open", sqlite3_errmsg(opened));
    int version = 0;
    for (const Migration &migration : kMigrations) {
        if (!execute(migration.sql))
            return fail(migration.name, sqlite3_errmsg(opened));
        version = migration.version;
    }
    // "SLPW", as server/store/database.cpp looks for it; a test of the store reads both.
    const auto marks = "PRAGMA application_id=" + std::to_string(0x534c5057) +
                       "; PRAGMA user_version=" + std::to_string(version);
    if (!execute(marks.c_str()))
        return fail("version", sqlite3_errmsg(opened));
    // Without the pages that dropped tables left.
    if (!execute("VACUUM"))
        return fail("VACUUM", sqlite3_errmsg(opened));
    sqlite3_int64 size = 0;
    const std::unique_ptr<unsigned char, decltype(&sqlite3_free)> bytes(
        sqlite3_serialize(opened, "main", &size, 0), &sqlite3_free);
    if (!bytes || size <= 0)
        return fail("serialize", sqlite3_errmsg(opened));
    std::vector<unsigned char> packed(ZSTD_compressBound(static_cast<std::size_t>(size)));
    const auto length = ZSTD_compress(packed.data(), packed.size(), bytes.get(),
                                      static_cast<std::size_t>(size), ZSTD_maxCLevel());
    if (ZSTD_isError(length) != 0U)
        return fail("compress", ZSTD_getErrorName(length));
    std::ofstream out(arguments[1], std::ios::trunc);
    for (const unsigned byte : std::span(packed).first(length))
        out << byte << ",\n";
    return out.flush() ? 0 : fail(arguments[1], "cannot be written");
}
