#pragma once
/// The database that all embedded migrations arrive at, without a row, as the build made it
/// (cmake/make_new_database.cpp). A new one is a copy of it. Internal to the store.

#include "schema/base/result.h"

#include <filesystem>

struct sqlite3;

namespace server::store {

/// Makes the file, in journal mode WAL; it is there as a whole or not at all. Errors: Io,
/// NotFound (the folder), PermissionDenied.
schema::Status makeNewDatabase(const std::filesystem::path &file);

/// Makes it the main database of a connection whose own is in memory. Errors: Internal.
schema::Status loadNewDatabase(sqlite3 *connection);

} // namespace server::store
