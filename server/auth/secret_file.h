#pragma once
/// Small files that only the owner may read (tokens, the sealing key).

#include "schema/base/result.h"

#include <filesystem>
#include <string>
#include <string_view>

namespace server::auth {

/// Whole content without the line end. Errors: NotFound; PermissionDenied when it cannot be read
/// or others may read it (message with the remedy); Io.
schema::Result<std::string> readSecretFile(const std::filesystem::path &file);
/// Replaces the file in one step (temporary file, fsync, rename), mode 0600. Errors: Io,
/// PermissionDenied.
schema::Status writeSecretFile(const std::filesystem::path &file, std::string_view content);

} // namespace server::auth
