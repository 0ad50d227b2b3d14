#include "schema/protocol/fields.h"

namespace schema::protocol {

Fields::Fields(const Json &json, std::string path)
    : m_path(std::move(path))
{
    if (json.is_object()) {
        m_json = &json;
        return;
    }
    auto at = m_path.empty() ? std::string("message") : m_path;
    if (at.ends_with('.'))
        at.pop_back();
    m_error = Error{ErrorCode::InvalidArgument, at + ": expected an object"};
}

const Json *Fields::find(const char *name, Need need)
{
    if (m_error || m_json == nullptr)
        return nullptr;
    const auto it = m_json->find(name);
    if (it == m_json->end() || it->is_null()) {
        if (need == Need::Required)
            fail(name, "missing");
        return nullptr;
    }
    return &*it;
}

void Fields::fail(const char *name, std::string_view why)
{
    if (!m_error)
        m_error = Error{ErrorCode::InvalidArgument, m_path + name + ": " + std::string(why)};
}

void Fields::adopt(Error error)
{
    if (!m_error)
        m_error = std::move(error);
}

void Fields::text(const char *name, std::string &out, Need need)
{
    if (const Json *value = find(name, need)) {
        if (!value->is_string())
            return fail(name, "expected text");
        out = *value->get_ptr<const std::string *>();
        if (need == Need::Required && out.empty())
            fail(name, "must not be empty");
    }
}

void Fields::boolean(const char *name, bool &out, Need need)
{
    if (const Json *value = find(name, need)) {
        if (!value->is_boolean())
            return fail(name, "expected true or false");
        out = value->get<bool>();
    }
}

void Fields::optionalText(const char *name, std::optional<std::string> &out)
{
    if (const Json *value = find(name, Need::Optional)) {
        if (!value->is_string())
            return fail(name, "expected text");
        out = *value->get_ptr<const std::string *>();
    }
}

void Fields::optionalInteger(const char *name, std::optional<int> &out)
{
    if (find(name, Need::Optional) != nullptr) {
        int value = 0;
        integer(name, value);
        if (!failed())
            out = value;
    }
}

void Fields::optionalTime(const char *name, std::optional<TimePoint> &out)
{
    if (const Json *value = find(name, Need::Optional)) {
        if (!value->is_string())
            return fail(name, "expected a time as text");
        auto time = parseIso8601(*value->get_ptr<const std::string *>());
        if (!time)
            return fail(name, time.error().message);
        out = *time;
    }
}

void Fields::texts(const char *name, std::vector<std::string> &out, Need need)
{
    list(
        name,
        [&out](const Json &element, const std::string &at) -> Status {
            if (!element.is_string())
                return {ErrorCode::InvalidArgument, at + ": expected text"};
            out.push_back(*element.get_ptr<const std::string *>());
            return {};
        },
        need);
}

std::string dumpJson(const Json &json)
{
    return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

} // namespace schema::protocol
