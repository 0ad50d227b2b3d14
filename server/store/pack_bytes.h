#pragma once
/// How packs are written: numbers of seven bits a byte, texts that name an earlier equal one.

#include "server/store/database.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace server::store {

/// Appends to a blob. One thread.
class PackWriter
{
public:
    /// `known`: texts that are not written out; the reader must be given the same.
    explicit PackWriter(std::vector<std::string> known = {})
        : m_texts(std::move(known))
    {}

    void number(std::uint64_t value);

    /// Small numbers of either sign take few bytes.
    void difference(std::int64_t value) { number(zigzag(value)); }

    void optional(std::optional<std::int64_t> value) { number(value ? zigzag(*value) + 1 : 0); }

    /// Nothing, a text seen before, or a new one.
    void text(const std::optional<std::string> &text);
    /// The bytes of a GUID.
    void guid(const Guid &guid);

    [[nodiscard]] Blob take() { return std::move(m_bytes); }

private:
    static std::uint64_t zigzag(std::int64_t value)
    {
        return (static_cast<std::uint64_t>(value) << 1U) ^ static_cast<std::uint64_t>(value >> 63);
    }

    Blob m_bytes;
    std::vector<std::string> m_texts;
};

/// Reads what PackWriter wrote; a damaged pack throws SqlError.
class PackReader
{
public:
    explicit PackReader(std::span<const std::uint8_t> bytes, std::vector<std::string> known = {})
        : m_rest(bytes)
        , m_texts(std::move(known))
    {}

    std::uint64_t number();

    std::int64_t difference() { return unzigzag(number()); }

    std::optional<std::int64_t> optional();
    std::optional<std::string> text();
    Guid guid();

    /// What was not read yet.
    [[nodiscard]] std::span<const std::uint8_t> rest() const { return m_rest; }

private:
    static std::int64_t unzigzag(std::uint64_t value)
    {
        return static_cast<std::int64_t>(value >> 1U) ^ -static_cast<std::int64_t>(value & 1U);
    }

    std::span<const std::uint8_t> take(std::uint64_t size);

    std::span<const std::uint8_t> m_rest;
    std::vector<std::string> m_texts;
};

} // namespace server::store
