#include "pipelines/expr/call.h"

#include "pipelines/base/text.h"
#include "pipelines/expr/date_format.h"

#include <algorithm>

namespace pipelines::expr {
namespace {

using Arguments = std::vector<Value>;

[[noreturn]] void failConversion(const Value &value, Kind to)
{
    throw EvaluationError("Unable to convert from " + std::string(toString(value.kind())) + " to " +
                          std::string(toString(to)) + ". Value: " + value.shown());
}

Text text(const Value &value)
{
    auto converted = value.toText();
    if (!converted)
        failConversion(value, Kind::String);
    return std::move(*converted);
}

std::int64_t wholeNumber(const Value &value)
{
    const auto number = value.toNumber();
    const auto whole = number ? number->floor() : std::nullopt;
    if (!whole)
        failConversion(value, Kind::Number);
    return *whole;
}

void guardSize(std::size_t bytes)
{
    if (bytes > kMaxTextBytes)
        throw EvaluationError(std::string(kTooLarge));
}

/// Compares at the front or the back, ignoring case.
bool startsWith(std::string_view whole, std::string_view part)
{
    const std::string a = toUpper(whole);
    return std::string_view(a).starts_with(toUpper(part));
}

bool endsWith(std::string_view whole, std::string_view part)
{
    const std::string a = toUpper(whole);
    return std::string_view(a).ends_with(toUpper(part));
}

bool containsValue(const Value &collection, const Value &wanted)
{
    if (collection.kind() == Kind::Array) {
        const auto &items = collection.asArray()->items;
        return std::any_of(items.begin(), items.end(),
                           [&](const Value &item) { return Value::equal(wanted, item); });
    }
    if (collection.kind() != Kind::Object)
        return false;
    const Object &object = *collection.asObject();
    for (std::size_t i = 0; i < object.size(); ++i) {
        if (Value::equal(wanted, object.value(i)))
            return true;
    }
    return false;
}

Value join(const Value &separator, const Value &items)
{
    // A mapping has no text of its own: it joins as its elements would, to nothing
    // (Azure/azure-sdk-tools, generate-job-matrix.yml joins a parameter whose default is {}).
    if (items.kind() == Kind::Object)
        return Value::own({});
    if (items.kind() != Kind::Array)
        return Value::text(text(items));
    const Text between = text(separator);
    std::string out;
    bool first = true;
    for (const Value &item : items.asArray()->items) {
        if (!first)
            out += between.view;
        first = false;
        if (const auto converted = item.toText())
            out += converted->view;
        guardSize(out.size());
    }
    return Value::own(std::move(out));
}

Value length(const Value &value)
{
    std::size_t count = 0;
    switch (value.kind()) {
    case Kind::Null:
        break;
    case Kind::String:
        count = utf16Length(value.asText().view);
        break;
    case Kind::Array:
        count = value.asArray()->items.size();
        break;
    case Kind::Object:
        count = value.asObject()->size();
        break;
    default:
        throw EvaluationError("Kind '" + std::string(toString(value.kind())) +
                              "' not supported. Only arrays, strings, dictionaries, or collections "
                              "are supported for the length function.");
    }
    return Value::number(Decimal::fromInteger(static_cast<std::int64_t>(count)));
}

Value replace(const Arguments &arguments)
{
    const Text whole = text(arguments[0]);
    const Text from = text(arguments[1]);
    const Text to = text(arguments[2]);
    if (from.view.empty())
        return Value::text(whole);
    std::string out;
    std::size_t start = 0;
    while (true) {
        const std::size_t at = whole.view.find(from.view, start);
        out += whole.view.substr(start, at - start);
        if (at == std::string_view::npos)
            break;
        out += to.view;
        guardSize(out.size());
        start = at + from.view.size();
    }
    return Value::own(std::move(out));
}

Value split(const Arguments &arguments)
{
    const Text whole = text(arguments[0]);
    const Text delimiter = text(arguments[1]);
    auto parts = std::make_shared<Array>();
    std::string_view rest = whole.view;
    while (true) {
        if (parts->items.size() == kMostParts)
            throw EvaluationError(std::string(kTooLarge));
        const std::size_t at =
            delimiter.view.empty() ? std::string_view::npos : rest.find(delimiter.view);
        parts->items.push_back(Value::own(std::string(rest.substr(0, at))));
        if (at == std::string_view::npos)
            break;
        rest.remove_prefix(at + delimiter.view.size());
    }
    return Value::array(std::move(parts));
}

Value substring(const Arguments &arguments)
{
    const Text whole = text(arguments[0]);
    // Counted in UTF-16 units, as by length(). Both units of an emoji begin where it begins: it is
    // never cut.
    std::vector<std::size_t> starts;
    for (std::string_view rest = whole.view; !rest.empty();) {
        const std::size_t at = whole.view.size() - rest.size();
        takeCodePoint(rest);
        const std::size_t bytes = whole.view.size() - rest.size() - at;
        starts.insert(starts.end(), bytes == 4 ? 2 : 1, at);
    }
    const auto count = static_cast<std::int64_t>(starts.size());
    starts.push_back(whole.view.size());
    const std::int64_t start = wholeNumber(arguments[1]);
    const std::int64_t size = arguments.size() > 2 ? wholeNumber(arguments[2]) : count - start;
    if (start < 0 || start > count || size < 0 || size > count - start)
        throw EvaluationError("The substring from " + std::to_string(start) + " of length " +
                              std::to_string(size) + " is outside of the text of length " +
                              std::to_string(count));
    const std::size_t from = starts[static_cast<std::size_t>(start)];
    const std::size_t to = starts[static_cast<std::size_t>(start + size)];
    return Value::own(std::string(whole.view.substr(from, to - from)));
}

/// `format`: {n}, {n:spec}, {{ and }}.
class Formatter
{
public:
    Formatter(std::string_view format, const Arguments &arguments)
        : m_format(format)
        , m_arguments(arguments)
    {}

    std::string run()
    {
        for (std::size_t i = 0; i < m_format.size(); ++i) {
            const char c = m_format[i];
            const bool doubled = i + 1 < m_format.size() && m_format[i + 1] == c;
            if ((c == '{' || c == '}') && doubled) {
                m_out += c;
                ++i;
            } else if (c == '{') {
                i = argument(i + 1);
            } else if (c == '}') {
                invalid();
            } else {
                m_out += c;
            }
            guardSize(m_out.size());
        }
        return std::move(m_out);
    }

private:
    [[noreturn]] void invalid() const
    {
        throw EvaluationError("The following format string is invalid: " + std::string(m_format));
    }

    /// Returns the position of the closing brace.
    std::size_t argument(std::size_t at)
    {
        std::size_t index = 0;
        std::size_t digits = 0;
        while (at < m_format.size() && m_format[at] >= '0' && m_format[at] <= '9') {
            index = index * 10 + static_cast<std::size_t>(m_format[at] - '0');
            ++at;
            if (++digits > 3)
                invalid();
        }
        if (digits == 0 || at >= m_format.size())
            invalid();
        std::string spec;
        if (m_format[at] == ':')
            at = specifier(at + 1, spec);
        if (at >= m_format.size() || m_format[at] != '}')
            invalid();
        if (index + 1 >= m_arguments.size())
            throw EvaluationError(
                "The following format string references more arguments than were supplied: " +
                std::string(m_format));
        append(m_arguments[index + 1], spec);
        return at;
    }

    std::size_t specifier(std::size_t at, std::string &spec) const
    {
        for (; at < m_format.size(); ++at) {
            const bool doubled = at + 1 < m_format.size() && m_format[at + 1] == m_format[at];
            if (m_format[at] == '}' && !doubled)
                return at;
            if ((m_format[at] == '}' || m_format[at] == '{') && doubled)
                ++at;
            spec += m_format[at];
        }
        invalid();
    }

    void append(const Value &value, const std::string &spec)
    {
        if (spec.empty()) {
            m_out += text(value).view;
            return;
        }
        if (value.kind() != Kind::DateTime)
            throw EvaluationError("The format specifiers '" + spec +
                                  "' are not valid for objects of type '" +
                                  std::string(toString(value.kind())) + "'");
        m_out += formatDate(value.asDateTime().millis, spec);
    }

    std::string_view m_format;
    const Arguments &m_arguments;
    std::string m_out;
};

} // namespace

Value callFunction(Function function, const std::vector<Value> &arguments)
{
    const auto &a = arguments;
    switch (function) {
    case Function::Xor:
        return Value::boolean(a[0].toBoolean() != a[1].toBoolean());
    case Function::Not:
        return Value::boolean(!a[0].toBoolean());
    case Function::Lt:
        return Value::boolean(Value::compare(a[0], a[1]) < 0);
    case Function::Le:
        return Value::boolean(Value::compare(a[0], a[1]) <= 0);
    case Function::Gt:
        return Value::boolean(Value::compare(a[0], a[1]) > 0);
    case Function::Ge:
        return Value::boolean(Value::compare(a[0], a[1]) >= 0);
    case Function::Contains:
    case Function::StartsWith:
    case Function::EndsWith: {
        // One after the other: the first argument that is no text is the one to name.
        const Text whole = text(a[0]);
        const Text part = text(a[1]);
        if (function == Function::Contains)
            return Value::boolean(findIgnoringCase(whole.view, part.view) !=
                                  std::string_view::npos);
        return Value::boolean(function == Function::StartsWith ? startsWith(whole.view, part.view)
                                                               : endsWith(whole.view, part.view));
    }
    case Function::ContainsValue:
        return Value::boolean(containsValue(a[0], a[1]));
    case Function::Iif:
        return a[0].toBoolean() ? a[1] : a[2];
    case Function::ConvertToJson:
        return Value::own(toJson(a[0]));
    case Function::Format: {
        const Text format = text(a[0]);
        return Value::own(Formatter(format.view, a).run());
    }
    case Function::Join:
        return join(a[0], a[1]);
    case Function::Length:
        return length(a[0]);
    case Function::Lower:
        return Value::own(toLower(text(a[0]).view));
    case Function::Upper:
        return Value::own(toUpper(text(a[0]).view));
    case Function::Trim:
        return Value::own(std::string(trim(text(a[0]).view)));
    case Function::Replace:
        return replace(a);
    case Function::Split:
        return split(a);
    case Function::Substring:
        return substring(a);
    default:
        break; // lazily evaluated ones and those of the context are the evaluator's
    }
    return Value::null();
}

} // namespace pipelines::expr
