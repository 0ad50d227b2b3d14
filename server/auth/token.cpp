#include "server/auth/token.h"

#include <sodium.h>

#include <array>

namespace server::auth {

namespace {

constexpr std::size_t kRandomLength = 76;
constexpr std::string_view kMark = "AZDO";
constexpr std::size_t kLength = 84;
constexpr std::string_view kAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

std::string checksum(std::string_view random)
{
    const auto hash = hashToken(random);
    std::string out;
    for (std::size_t i = 0; i < 4; ++i)
        out.push_back(kAlphabet[hash[i] % kAlphabet.size()]);
    return out;
}

} // namespace

std::string mintToken()
{
    std::string token;
    token.reserve(kLength);
    for (std::size_t i = 0; i < kRandomLength; ++i)
        token.push_back(
            kAlphabet[randombytes_uniform(static_cast<std::uint32_t>(kAlphabet.size()))]);
    const std::string sum = checksum(token);
    token += kMark;
    token += sum;
    return token;
}

bool looksLikeToken(std::string_view text)
{
    return text.size() == kLength && text.substr(kRandomLength, kMark.size()) == kMark &&
           text.substr(kRandomLength + kMark.size()) == checksum(text.substr(0, kRandomLength));
}

std::vector<std::uint8_t> hashToken(std::string_view token)
{
    std::vector<std::uint8_t> hash(crypto_hash_sha256_BYTES);
    crypto_hash_sha256(hash.data(), reinterpret_cast<const unsigned char *>(token.data()),
                       token.size());
    return hash;
}

} // namespace server::auth
