#pragma once
/// Random tokens and the form in which they are stored.

#include "server/store/database.h"

#include <string>
#include <string_view>

namespace server::store {

/// SHA-256 of a token: what access_token.token_hash, worker.secret_hash and job.token_hash hold.
Blob tokenHash(std::string_view token);
/// 256 random bits as URL-safe text without padding.
std::string randomToken();
/// Compares two hashes in constant time; false when the lengths differ.
bool sameHash(const Blob &a, const Blob &b);

} // namespace server::store
