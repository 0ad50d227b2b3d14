#pragma once
/// Small files that must be there as a whole or not at all.

#include "schema/base/result.h"

#include <filesystem>
#include <string_view>

namespace server::store {

/// Replaces the file, mode 0600: written beside it as FILE.new, flushed, renamed, and the folder
/// flushed, so that a kill leaves the old one or the new one. Errors: NotFound (the folder),
/// PermissionDenied, Io (with the remedy for a full disk). Any thread, but one at a time a file.
schema::Status writeDurably(const std::filesystem::path &file, std::string_view content);

} // namespace server::store
