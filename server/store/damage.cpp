#include "server/store/damage.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <vector>

namespace server::store {
namespace {

using schema::Error;
using schema::ErrorCode;

constexpr std::size_t kLongestFinding = 300;

std::vector<std::string> tablesOf(Connection &connection)
{
    std::vector<std::string> tables{"sqlite_schema"};
    auto names =
        connection.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name");
    while (names.step())
        tables.push_back(names.get<std::string>(0));
    return tables;
}

/// In one line, without SQLite's headline.
std::string inOneLine(std::string_view finding)
{
    constexpr std::string_view kHeadline = "*** in database main ***\n";
    if (finding.starts_with(kHeadline))
        finding.remove_prefix(kHeadline.size());
    std::string out(finding.substr(0, kLongestFinding));
    std::replace(out.begin(), out.end(), '\n', ' ');
    return out;
}

/// Empty when the table and its indexes are whole.
std::string findingIn(Connection &connection, const std::string &table)
{
    try {
        auto rows = connection.prepare("SELECT quick_check FROM pragma_quick_check(?1)");
        rows.bind(table);
        while (rows.step()) {
            const auto finding = rows.get<std::string>(0);
            if (finding != "ok")
                return inOneLine(finding);
        }
    } catch (const SqlError &error) {
        if (!error.isDamage())
            throw;
        return "its pages cannot be read";
    }
    return {};
}

} // namespace

std::string damageIn(Connection &connection, const std::stop_token &stop)
{
    const std::stop_callback interrupt(stop, [&] { connection.interrupt(); });
    try {
        // A snapshot for each: a long one would keep the write-ahead log from being taken up.
        for (const std::string &table : tablesOf(connection)) {
            if (stop.stop_requested()) // a mark that no statement saw is gone
                throw SqlError(Error{ErrorCode::Canceled, "stopped"});
            if (const std::string finding = findingIn(connection, table); !finding.empty())
                return fmt::format("table {}: {}", table, finding);
        }
    } catch (const SqlError &error) {
        if (stop.stop_requested())
            throw SqlError(Error{ErrorCode::Canceled, "the check for damage was stopped"});
        throw;
    }
    return {};
}

} // namespace server::store
