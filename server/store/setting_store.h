#pragma once
/// Small facts that the server remembers about itself, by name.

#include "server/store/database.h"

#include <optional>
#include <string>
#include <string_view>

namespace server::store {

/// Statements within the caller's transaction. Methods throw SqlError.
class SettingStore
{
public:
    explicit SettingStore(Connection &connection)
        : m_connection(connection)
    {}

    std::optional<std::string> find(std::string_view name);
    void put(std::string_view name, std::string_view value);

private:
    Connection &m_connection;
};

} // namespace server::store
