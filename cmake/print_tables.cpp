// Part of the build: goes through all migrations in memory and writes the tables and indexes that
// they arrive at to the given file, as one row like those of migrations.inc. A new database is made
// of it, since most of the time of a migration goes into reading the whole schema again for every
// ALTER TABLE.
#include <sqlite3.h>

#include <cstdio>
#include <fstream>
#include <memory>
#include <string>

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

using Connection = std::unique_ptr<sqlite3, decltype(&sqlite3_close)>;

int fail(const char *where, sqlite3 *connection)
{
    std::fprintf(stderr, "print_tables: %s: %s\n", where,
                 connection != nullptr ? sqlite3_errmsg(connection) : "failed");
    return 1;
}

/// Stands for functions of the program that convert rows. There are none yet.
void noRows(sqlite3_context *context, int /*count*/, sqlite3_value ** /*values*/)
{
    sqlite3_result_error(context, "a migration of an empty database converts rows", -1);
}

/// Calls `take(first column)` for each row. False: an error, in the connection.
template <typename Take>
bool forEachRow(sqlite3 *connection, const std::string &sql, const Take &take)
{
    sqlite3_stmt *statement = nullptr;
    if (sqlite3_prepare_v2(connection, sql.c_str(), -1, &statement, nullptr) != SQLITE_OK)
        return false;
    while (sqlite3_step(statement) == SQLITE_ROW)
        take(std::string(reinterpret_cast<const char *>(sqlite3_column_text(statement, 0))));
    return sqlite3_finalize(statement) == SQLITE_OK;
}

} // namespace

int main(int count, char **arguments)
{
    if (count != 2)
        return fail("usage: print_tables FILE", nullptr);
    sqlite3 *opened = nullptr;
    const int code = sqlite3_open(":memory:", &opened);
    const Connection connection(opened, &sqlite3_close);
    if (code != SQLITE_OK ||
        sqlite3_create_function_v2(opened, "guid_blob", 1, SQLITE_UTF8, nullptr, noRows, nullptr,
                                   nullptr, nullptr) != SQLITE_OK)
        return fail("open", opened);
    int version = 0;
    for (const Migration &migration : kMigrations) {
        if (sqlite3_exec(opened, migration.sql, nullptr, nullptr, nullptr) != SQLITE_OK)
            return fail(migration.name, opened);
        version = migration.version;
    }
    std::string sql;
    std::string counts;
    const bool read =
        forEachRow(opened,
                   "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE "
                   "'sqlite_%' ORDER BY rowid",
                   [&sql](const std::string &item) { sql += item + ";\n"; }) &&
        forEachRow(opened, "SELECT name FROM sqlite_schema WHERE type = 'table'",
                   [&counts](const std::string &table) {
                       counts += (counts.empty() ? "SELECT (SELECT count(*) FROM \""
                                                 : " + (SELECT count(*) FROM \"") +
                                 table + "\")";
                   });
    bool empty = true;
    if (!read || !forEachRow(opened, counts, [&empty](const std::string &n) { empty = n == "0"; }))
        return fail("read", opened);
    if (!empty) {
        std::fputs("print_tables: a migration writes rows into an empty database; print them here, "
                   "too, or write them where the server first needs them\n",
                   stderr);
        return 1;
    }
    std::ofstream out(arguments[1], std::ios::trunc);
    out << '{' << version << ", \"tables\", R\"sql(" << sql << ")sql\"}\n";
    return out.flush() ? 0 : fail("write", nullptr);
}
