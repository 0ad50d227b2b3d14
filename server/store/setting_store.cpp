#include "server/store/setting_store.h"

namespace server::store {

std::optional<std::string> SettingStore::find(std::string_view name)
{
    Statement s = m_connection.prepare("SELECT value FROM setting WHERE name = ?");
    if (!s.bind(name).step())
        return std::nullopt;
    return s.get<std::string>(0);
}

void SettingStore::put(std::string_view name, std::string_view value)
{
    m_connection.run("INSERT INTO setting(name, value) VALUES(?, ?)"
                     " ON CONFLICT(name) DO UPDATE SET value = excluded.value",
                     name, value);
}

} // namespace server::store
