#pragma once
/// One item of a completion list.

#include <nlohmann/json.hpp>

#include <cstdint>
#include <string>

namespace cli::language_server {

/// Numbers of the protocol.
enum class ItemKind : std::uint8_t {
    Function = 3,
    Variable = 6,
    Module = 9,
    Property = 10,
    Value = 12,
    File = 17,
    Reference = 18,
    Folder = 19
};

inline nlohmann::json item(std::string label, ItemKind kind, std::string detail,
                           std::string insert = {})
{
    nlohmann::json out{
        {"label", label}, {"kind", static_cast<int>(kind)}, {"detail", std::move(detail)}};
    if (!insert.empty())
        out["insertText"] = std::move(insert);
    return out;
}

} // namespace cli::language_server
