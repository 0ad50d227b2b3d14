#pragma once
/// Looking for damage in a database file.

#include "server/store/database.h"

#include <stop_token>
#include <string>

namespace server::store {

/// What is broken in the first table that is, in words; empty when all are whole. Looks at every
/// page, tree and record of tables and indexes (`PRAGMA quick_check`, sqlite.org/pragma.html), not
/// into texts. Throws SqlError: Canceled when `stop` was requested, which ends the statement that
/// runs; Io.
std::string damageIn(Connection &connection, const std::stop_token &stop);

} // namespace server::store
