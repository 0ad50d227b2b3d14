#pragma once
/// Reading of JSON objects member by member, shared by the codecs of this folder. Strict about
/// types and ranges, tolerant of unknown members; the first error wins and names the member.
/// Nothing here throws. Private to schema/protocol.

#include "schema/base/result.h"
#include "schema/base/time.h"

#include <nlohmann/json.hpp>

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace schema::protocol {

using Json = nlohmann::ordered_json;

enum class Need : std::uint8_t { Optional, Required };

/// Reads the members of one object. `path` is what precedes a member's name in error messages
/// ("steps[2]."). Use: one reader per object, one call per member, then error().
class Fields
{
public:
    Fields(const Json &json, std::string path);

    void text(const char *name, std::string &out, Need need = Need::Optional);
    void boolean(const char *name, bool &out, Need need = Need::Optional);

    template <typename T> void integer(const char *name, T &out, Need need = Need::Optional)
    {
        const Json *value = find(name, need);
        if (value == nullptr)
            return;
        if (value->is_number_unsigned()) {
            const auto number = value->get<std::uint64_t>();
            if (number <= static_cast<std::uint64_t>(std::numeric_limits<T>::max())) {
                out = static_cast<T>(number);
                return;
            }
        } else if (value->is_number_integer()) {
            const auto number = value->get<std::int64_t>();
            if (number >= static_cast<std::int64_t>(std::numeric_limits<T>::lowest()) &&
                (number < 0 || static_cast<std::uint64_t>(number) <=
                                   static_cast<std::uint64_t>(std::numeric_limits<T>::max()))) {
                out = static_cast<T>(number);
                return;
            }
        }
        fail(name, "expected a whole number in range");
    }

    void optionalText(const char *name, std::optional<std::string> &out);
    void optionalInteger(const char *name, std::optional<int> &out);
    void optionalTime(const char *name, std::optional<TimePoint> &out);
    void texts(const char *name, std::vector<std::string> &out, Need need = Need::Optional);

    /// The list `name`, each element given to `read(element, path of the element) -> Status`.
    template <typename Read> void list(const char *name, Read read, Need need = Need::Optional)
    {
        const Json *value = find(name, need);
        if (value == nullptr)
            return;
        if (!value->is_array())
            return fail(name, "expected a list");
        std::size_t index = 0;
        for (const Json &element : *value) {
            const auto at = m_path + name + "[" + std::to_string(index++) + "]";
            if (Status status = read(element, at); !status) {
                adopt(std::move(status).error());
                return;
            }
        }
    }

    /// The member `name` given to `read(value, path) -> Status`, if present and not null.
    template <typename Read> void member(const char *name, Read read, Need need = Need::Optional)
    {
        if (const Json *value = find(name, need)) {
            if (Status status = read(*value, m_path + name); !status)
                adopt(std::move(status).error());
        }
    }

    /// Turns a word into an enumerator; an unknown word is an error.
    template <typename T, typename Convert>
    void word(const char *name, T &out, Convert convert, Need need = Need::Optional)
    {
        const Json *value = find(name, need);
        if (value == nullptr)
            return;
        if (!value->is_string())
            return fail(name, "expected text");
        if (const auto converted = convert(*value->get_ptr<const std::string *>()))
            out = *converted;
        else
            fail(name, "unknown word");
    }

    void fail(const char *name, std::string_view why);

    [[nodiscard]] bool failed() const { return m_error.has_value(); }

    /// Success, or the first error.
    [[nodiscard]] Status status() const { return m_error ? Status(*m_error) : Status(); }

private:
    /// The member, or nullptr when it is absent or null (an error when required).
    const Json *find(const char *name, Need need);
    void adopt(Error error);

    const Json *m_json = nullptr;
    std::string m_path;
    std::optional<Error> m_error;
};

/// Compact text; bytes that are no UTF-8 are replaced instead of thrown about.
std::string dumpJson(const Json &json);

} // namespace schema::protocol
