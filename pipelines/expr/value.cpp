#include "pipelines/expr/value.h"

#include "pipelines/base/text.h"
#include "pipelines/expr/date_format.h"

namespace pipelines::expr {
namespace {

std::optional<std::int32_t> parsePart(std::string_view text)
{
    if (text.empty() || text.size() > 10)
        return std::nullopt;
    std::int64_t value = 0;
    for (const char c : text) {
        if (c < '0' || c > '9')
            return std::nullopt;
        value = value * 10 + (c - '0');
    }
    if (value > INT32_MAX)
        return std::nullopt;
    return static_cast<std::int32_t>(value);
}

[[noreturn]] void failConversion(const Value &value, Kind to)
{
    throw EvaluationError("Unable to convert from " + std::string(toString(value.kind())) + " to " +
                          std::string(toString(to)) + ". Value: " + value.shown());
}

} // namespace

std::optional<Version> Version::parse(std::string_view text, int leastParts)
{
    Version version;
    std::size_t count = 0;
    while (true) {
        const std::size_t dot = text.find('.');
        const auto part = parsePart(text.substr(0, dot));
        if (!part || count == version.parts.size())
            return std::nullopt;
        version.parts[count++] = *part;
        if (dot == std::string_view::npos)
            break;
        text.remove_prefix(dot + 1);
    }
    if (count < static_cast<std::size_t>(leastParts))
        return std::nullopt;
    return version;
}

std::string Version::text() const
{
    std::string out;
    for (const std::int32_t part : parts) {
        if (part < 0)
            break;
        out += (out.empty() ? "" : ".") + std::to_string(part);
    }
    return out;
}

std::string_view toString(Kind kind)
{
    switch (kind) {
    case Kind::Null:
        return "Null";
    case Kind::Boolean:
        return "Boolean";
    case Kind::Number:
        return "Number";
    case Kind::String:
        return "String";
    case Kind::Version:
        return "Version";
    case Kind::DateTime:
        return "DateTime";
    case Kind::Object:
        return "Object";
    case Kind::Array:
        return "Array";
    }
    return "Null";
}

bool Value::toBoolean() const
{
    switch (kind()) {
    case Kind::Null:
        return false;
    case Kind::Boolean:
        return asBoolean();
    case Kind::Number:
        return !asNumber().isZero();
    case Kind::String:
        return !asText().view.empty();
    default:
        return true;
    }
}

std::optional<Decimal> Value::toNumber() const
{
    switch (kind()) {
    case Kind::Null:
        return Decimal{};
    case Kind::Boolean:
        return Decimal::fromInteger(asBoolean() ? 1 : 0);
    case Kind::Number:
        return asNumber();
    case Kind::String:
        if (asText().view.empty())
            return Decimal{};
        return Decimal::parse(asText().view, Decimal::Style::Loose);
    default:
        return std::nullopt;
    }
}

std::optional<Text> Value::toText() const
{
    switch (kind()) {
    case Kind::Null:
        return Text{};
    case Kind::Boolean:
        return Text::borrow(asBoolean() ? "True" : "False");
    case Kind::Number:
        return Text::own(asNumber().text());
    case Kind::String:
        return asText();
    case Kind::Version:
        return Text::own(asVersion().text());
    case Kind::DateTime:
        return Text::own(formatDate(asDateTime().millis, "yyyy-MM-dd HH:mm:sszzz"));
    default:
        return std::nullopt;
    }
}

std::optional<Version> Value::toVersion() const
{
    switch (kind()) {
    case Kind::Number:
        return Version::parse(asNumber().text(), 2);
    case Kind::String:
        return Version::parse(asText().view, 2);
    case Kind::Version:
        return asVersion();
    default:
        return std::nullopt;
    }
}

std::string Value::str() const
{
    const auto converted = toText();
    return converted ? std::string(converted->view) : std::string();
}

Value Value::owned() const
{
    if (kind() == Kind::String && !asText().owner)
        return own(std::string(asText().view));
    return *this;
}

std::string Value::shown() const
{
    if (kind() == Kind::String)
        return "'" + std::string(asText().view) + "'";
    if (isCollection())
        return std::string(toString(kind()));
    return str();
}

bool Value::equal(const Value &l, const Value &r)
{
    switch (l.kind()) {
    case Kind::Null:
        return r.isNull() || (r.kind() == Kind::String && r.asText().view.empty());
    case Kind::Boolean:
        return l.asBoolean() == r.toBoolean();
    case Kind::Number: {
        const auto number = r.toNumber();
        return number && l.asNumber().compare(*number) == 0;
    }
    case Kind::String: {
        if (r.kind() == Kind::String)
            return equalIgnoringCase(l.asText().view, r.asText().view);
        const auto converted = r.toText();
        return converted && equalIgnoringCase(l.asText().view, converted->view);
    }
    case Kind::Version: {
        const auto version = r.toVersion();
        return version && l.asVersion() == *version;
    }
    case Kind::DateTime:
        return r.kind() == Kind::DateTime && l.asDateTime().millis == r.asDateTime().millis;
    case Kind::Object:
        return r.kind() == Kind::Object &&
               (l.asObject() == r.asObject() || (l.asObject()->origin() != nullptr &&
                                                 l.asObject()->origin() == r.asObject()->origin()));
    case Kind::Array:
        return r.kind() == Kind::Array &&
               (l.asArray() == r.asArray() ||
                (l.asArray()->origin != nullptr && l.asArray()->origin == r.asArray()->origin));
    }
    return false;
}

int Value::compare(const Value &l, const Value &r)
{
    const auto order = [](auto &&a, auto &&b) { return a < b ? -1 : (b < a ? 1 : 0); };
    switch (l.kind()) {
    case Kind::Boolean:
        return order(l.asBoolean() ? 1 : 0, r.toBoolean() ? 1 : 0);
    case Kind::String: {
        const auto converted = r.toText();
        if (!converted)
            failConversion(r, Kind::String);
        return compareIgnoringCase(l.asText().view, converted->view);
    }
    case Kind::Version: {
        const auto version = r.toVersion();
        if (!version)
            failConversion(r, Kind::Version);
        return order(l.asVersion(), *version);
    }
    case Kind::DateTime:
        if (r.kind() != Kind::DateTime)
            failConversion(r, Kind::DateTime);
        return order(l.asDateTime().millis, r.asDateTime().millis);
    default:
        break;
    }
    const auto left = l.toNumber();
    if (!left)
        failConversion(l, Kind::Number);
    const auto right = r.toNumber();
    if (!right)
        failConversion(r, Kind::Number);
    return left->compare(*right);
}

void PlainObject::add(std::string key, Value value)
{
    m_entries.emplace_back(std::move(key), std::move(value));
}

std::optional<Value> PlainObject::find(std::string_view key) const
{
    for (const auto &[name, value] : m_entries) {
        if (m_ignoreCase ? equalIgnoringCase(name, key) : name == key)
            return value;
    }
    return std::nullopt;
}

} // namespace pipelines::expr
