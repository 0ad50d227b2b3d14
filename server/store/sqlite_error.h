#pragma once
/// What SQLite's result codes mean to who reads a message. Internal to the store.

#include "schema/base/result.h"

namespace server::store {

/// The kind of error of a (possibly extended) result code (sqlite.org/rescode.html).
schema::ErrorCode codeOf(int sqliteCode);
/// "; what to do", or empty.
const char *remedyFor(int sqliteCode);

} // namespace server::store
