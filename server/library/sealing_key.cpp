#include "server/library/sealing_key.h"

#include "server/auth/secret_file.h"

#include <sodium.h>

namespace server::library {

using schema::ErrorCode;
using schema::Result;

namespace {

constexpr std::uint8_t kVersion = 1;
constexpr std::size_t kHeader = 1 + crypto_secretbox_NONCEBYTES;

} // namespace

static_assert(crypto_secretbox_KEYBYTES == 32);

Result<SealingKey> SealingKey::loadOrCreate(const std::filesystem::path &file)
{
    SealingKey key;
    auto text = auth::readSecretFile(file);
    if (!text && text.error().code != ErrorCode::NotFound)
        return text.error();
    if (!text) {
        crypto_secretbox_keygen(key.m_key.data());
        std::string hex(key.m_key.size() * 2 + 1, '\0');
        sodium_bin2hex(hex.data(), hex.size(), key.m_key.data(), key.m_key.size());
        hex.back() = '\n';
        const auto written = auth::writeSecretFile(file, hex);
        sodium_memzero(hex.data(), hex.size());
        if (!written)
            return written.error();
        return key;
    }
    std::size_t length = 0;
    const int bad = sodium_hex2bin(key.m_key.data(), key.m_key.size(), text->data(), text->size(),
                                   nullptr, &length, nullptr);
    sodium_memzero(text->data(), text->size());
    if (bad != 0 || length != key.m_key.size())
        return {ErrorCode::InvalidArgument,
                "'" + file.string() +
                    "' is not a sealing key (64 hexadecimal digits); restore it "
                    "from a backup, without it the stored secrets cannot be read"};
    return key;
}

SealingKey::~SealingKey()
{
    sodium_memzero(m_key.data(), m_key.size());
}

SealingKey::SealingKey(SealingKey &&other) noexcept
    : m_key(other.m_key)
{
    sodium_memzero(other.m_key.data(), other.m_key.size());
}

std::vector<std::uint8_t> SealingKey::seal(std::string_view plain) const
{
    std::vector<std::uint8_t> out(kHeader + crypto_secretbox_MACBYTES + plain.size());
    out[0] = kVersion;
    randombytes_buf(out.data() + 1, crypto_secretbox_NONCEBYTES);
    crypto_secretbox_easy(out.data() + kHeader,
                          reinterpret_cast<const unsigned char *>(plain.data()), plain.size(),
                          out.data() + 1, m_key.data());
    return out;
}

Result<std::string> SealingKey::open(const std::vector<std::uint8_t> &sealed) const
{
    const schema::Error damaged{ErrorCode::InvalidArgument,
                                "a stored secret cannot be opened: it was sealed with another key "
                                "or is damaged; enter it again"};
    if (sealed.size() < kHeader + crypto_secretbox_MACBYTES || sealed[0] != kVersion)
        return damaged;
    std::string plain(sealed.size() - kHeader - crypto_secretbox_MACBYTES, '\0');
    if (crypto_secretbox_open_easy(reinterpret_cast<unsigned char *>(plain.data()),
                                   sealed.data() + kHeader, sealed.size() - kHeader,
                                   sealed.data() + 1, m_key.data()) != 0)
        return damaged;
    return plain;
}

} // namespace server::library
