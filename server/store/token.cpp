#include "server/store/token.h"

#include <sodium.h>

#include <array>

namespace server::store {

Blob tokenHash(std::string_view token)
{
    Blob hash(crypto_hash_sha256_BYTES);
    crypto_hash_sha256(hash.data(), reinterpret_cast<const unsigned char *>(token.data()),
                       token.size());
    return hash;
}

std::string randomToken()
{
    std::array<unsigned char, 32> bytes{};
    randombytes_buf(bytes.data(), bytes.size());
    constexpr int kVariant = sodium_base64_VARIANT_URLSAFE_NO_PADDING;
    std::string text(sodium_base64_ENCODED_LEN(bytes.size(), kVariant), '\0');
    sodium_bin2base64(text.data(), text.size(), bytes.data(), bytes.size(), kVariant);
    text.pop_back(); // the terminating zero
    return text;
}

bool sameHash(const Blob &a, const Blob &b)
{
    return a.size() == b.size() && sodium_memcmp(a.data(), b.data(), a.size()) == 0;
}

} // namespace server::store
