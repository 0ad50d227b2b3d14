#pragma once
/// Minting and hashing of tokens.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace server::auth {

/// A new random token: 76 letters and digits, "AZDO", 4 characters of checksum. The shape makes
/// existing clients send it as Basic credential (environments-and-portal C8) and lets a scanner
/// find leaked ones.
std::string mintToken();
/// True when the text has the shape and the checksum of a minted token (cheap refusal of noise).
bool looksLikeToken(std::string_view text);
/// SHA-256: what the database keeps. Tokens are random, so no salt is needed.
std::vector<std::uint8_t> hashToken(std::string_view token);

} // namespace server::auth
