#pragma once
/// Sealing of secrets at rest: libsodium secretbox with a key that stands in a file outside the
/// database, so that a copy of the database alone gives nothing away.

#include "schema/base/result.h"

#include <array>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace server::library {

class SealingKey
{
public:
    /// Reads the key file or creates it (mode 0600) on first start. Errors: PermissionDenied, Io;
    /// InvalidArgument when the file is damaged.
    static schema::Result<SealingKey> loadOrCreate(const std::filesystem::path &file);
    ~SealingKey();
    SealingKey(SealingKey &&other) noexcept;
    SealingKey(const SealingKey &) = delete;
    SealingKey &operator=(const SealingKey &) = delete;
    SealingKey &operator=(SealingKey &&) = delete;

    /// version byte, nonce, sealed text.
    [[nodiscard]] std::vector<std::uint8_t> seal(std::string_view plain) const;
    /// Errors: InvalidArgument when it was sealed with another key or is damaged.
    [[nodiscard]] schema::Result<std::string> open(const std::vector<std::uint8_t> &sealed) const;

private:
    SealingKey() = default;
    std::array<unsigned char, 32> m_key{};
};

} // namespace server::library
