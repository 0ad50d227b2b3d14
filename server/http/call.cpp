#include "server/http/call.h"

#include <nlohmann/json.hpp>

#include <charconv>
#include <istream>

namespace server::http {

using schema::ErrorCode;
using schema::Result;
using Json = nlohmann::ordered_json;

const std::string &Call::value(std::string_view name) const
{
    static const std::string kEmpty;
    for (const auto &[key, text] : values)
        if (key == name)
            return text;
    return kEmpty;
}

Result<std::int64_t> Call::id(std::string_view name) const
{
    const std::string &text = value(name);
    std::int64_t number = 0;
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (code != std::errc{} || end != text.data() + text.size() || number < 1)
        return {ErrorCode::NotFound, "'" + text + "' is not the number of an existing object (" +
                                         std::string(name) + ")"};
    return number;
}

Result<std::string> Call::text(std::size_t limit)
{
    const schema::Error tooLarge{ErrorCode::LimitExceeded, "the request body is larger than " +
                                                               std::to_string(limit) + " bytes"};
    if (contentLength && *contentLength > limit)
        return tooLarge;
    std::string out;
    if (contentLength)
        out.reserve(static_cast<std::size_t>(*contentLength));
    char buffer[16384];
    while (body && body->good()) {
        body->read(buffer, sizeof buffer);
        const auto got = static_cast<std::size_t>(body->gcount());
        if (out.size() + got > limit)
            return tooLarge;
        out.append(buffer, got);
    }
    // Bad: it broke off (PacedBody), which a length alone cannot tell about chunks.
    if ((body && body->bad()) || (contentLength && out.size() != *contentLength))
        return {ErrorCode::Io, "the request body ended early"};
    return out;
}

Result<Json> Call::json()
{
    ASSIGN_OR_RETURN(const std::string raw, text(kMaxJsonBytes));
    if (raw.find_first_not_of(" \t\r\n") == std::string::npos)
        return Json::object();
    bool tooDeep = false;
    const auto limitDepth = [&tooDeep](int depth, Json::parse_event_t, Json &) {
        tooDeep = tooDeep || depth > kMaxJsonDepth;
        return !tooDeep;
    };
    try {
        Json parsed = Json::parse(raw, limitDepth);
        if (tooDeep)
            return {ErrorCode::LimitExceeded, "the request body is nested deeper than 100 levels"};
        if (parsed.is_null())
            return Json::object();
        return parsed;
    } catch (const Json::exception &error) {
        std::string reason = error.what();
        if (const auto bracket = reason.find("] "); bracket != std::string::npos)
            reason.erase(0, bracket + 2);
        // The library quotes the last token read; keep only the place, bodies may hold secrets.
        if (const auto colon = reason.find(": "); colon != std::string::npos)
            reason.erase(colon);
        return {ErrorCode::InvalidArgument, "the request body is not valid JSON (" + reason + ")"};
    }
}

Result<Json> Call::object()
{
    ASSIGN_OR_RETURN(auto parsed, json());
    if (!parsed.is_object())
        return {ErrorCode::InvalidArgument,
                std::string("the request body must be a JSON object, not ") +
                    (parsed.is_array() ? "a list" : parsed.type_name())};
    return parsed;
}

bool Call::accepts(std::string_view mediaType) const
{
    const auto items = splitList(header("Accept"));
    return !items.empty() &&
           equalsIgnoringCase(std::string_view(items.front()).substr(0, mediaType.size()),
                              mediaType);
}

Reply Reply::json(const Json &value, int status)
{
    Reply reply;
    reply.status = status;
    // Logs and names may hold bytes that are not UTF-8: replaced, never an exception.
    reply.body = value.dump(-1, ' ', false, Json::error_handler_t::replace);
    return reply;
}

Reply Reply::list(Json values, const std::string &continuationToken)
{
    Json body;
    body["count"] = values.size();
    body["value"] = std::move(values);
    if (continuationToken.empty())
        return json(body);
    body["continuationToken"] = continuationToken;
    return json(body).with("x-ms-continuationtoken", continuationToken);
}

Reply Reply::text(std::string body, std::string contentType, int status)
{
    Reply reply;
    reply.status = status;
    reply.contentType = std::move(contentType);
    reply.body = std::move(body);
    return reply;
}

Reply Reply::empty(int status)
{
    Reply reply;
    reply.status = status;
    return reply;
}

Reply Reply::ofFile(std::shared_ptr<const FileBody> file, std::string contentType)
{
    Reply reply;
    reply.contentType = std::move(contentType);
    reply.file = std::move(file);
    return reply;
}

Reply &Reply::with(std::string name, std::string headerValue)
{
    headers.emplace_back(std::move(name), std::move(headerValue));
    return *this;
}

const Json *member(const Json &object, std::string_view name)
{
    if (!object.is_object())
        return nullptr;
    for (const auto &item : object.items())
        if (equalsIgnoringCase(item.key(), name))
            return item.value().is_null() ? nullptr : &item.value();
    return nullptr;
}

const Json *memberAt(const Json &object, std::string_view dottedPath)
{
    const Json *at = &object;
    while (at && !dottedPath.empty()) {
        const auto dot = std::min(dottedPath.find('.'), dottedPath.size());
        at = member(*at, dottedPath.substr(0, dot));
        dottedPath.remove_prefix(std::min(dot + 1, dottedPath.size()));
    }
    return at;
}

Result<std::optional<std::string>> textMember(const Json &object, std::string_view name)
{
    const Json *found = member(object, name);
    if (!found)
        return std::optional<std::string>{};
    if (found->is_string())
        return std::optional{found->get<std::string>()};
    if (found->is_number_integer())
        return std::optional{std::to_string(found->get<std::int64_t>())};
    return {ErrorCode::InvalidArgument, "'" + std::string(name) + "' must be text"};
}

Result<std::optional<std::int64_t>> numberMember(const Json &object, std::string_view name)
{
    const Json *found = member(object, name);
    if (!found)
        return std::optional<std::int64_t>{};
    if (found->is_number_integer())
        return std::optional{found->get<std::int64_t>()};
    if (found->is_string()) {
        const auto &text = found->get_ref<const std::string &>();
        std::int64_t number = 0;
        const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number);
        if (code == std::errc{} && end == text.data() + text.size())
            return std::optional{number};
    }
    return {ErrorCode::InvalidArgument, "'" + std::string(name) + "' must be a whole number"};
}

Result<std::optional<bool>> flagMember(const Json &object, std::string_view name)
{
    const Json *found = member(object, name);
    if (!found)
        return std::optional<bool>{};
    if (found->is_boolean())
        return std::optional{found->get<bool>()};
    if (found->is_string()) {
        const auto &text = found->get_ref<const std::string &>();
        if (equalsIgnoringCase(text, "true") || equalsIgnoringCase(text, "false"))
            return std::optional{equalsIgnoringCase(text, "true")};
    }
    return {ErrorCode::InvalidArgument, "'" + std::string(name) + "' must be true or false"};
}

Result<std::string> requiredText(const Json &object, std::string_view name)
{
    ASSIGN_OR_RETURN(auto text, textMember(object, name));
    if (!text || text->empty())
        return {ErrorCode::InvalidArgument, "'" + std::string(name) + "' is missing"};
    return *std::move(text);
}

} // namespace server::http
