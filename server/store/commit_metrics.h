#pragma once
/// What commits cost, over all databases of this process; read by /metrics.

#include "schema/base/durations.h"

#include <cstdint>

namespace server::store {

/// Commits that changed something, from BEGIN to the disk. Any thread.
schema::Durations &commitDurations();

/// How often SQLite asked the system to bring a file to the disk (commits and checkpoints).
std::uint64_t flushes();

/// Name of the VFS that counts them: the system's own with one function replaced. Registered at the
/// first call; nullptr (the default VFS, nothing is counted) when that fails. Any thread.
const char *countingVfs();

} // namespace server::store
