#pragma once
/// Values of the expression language and their conversions (pipeline-language 10.4 to 10.7).

#include "pipelines/expr/decimal.h"

#include <array>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace pipelines::expr {

/// Thrown by the evaluator and by Object implementations, caught by evaluate(): never leaves it.
struct EvaluationError : std::exception
{
    explicit EvaluationError(std::string text)
        : message(std::move(text))
    {}

    [[nodiscard]] const char *what() const noexcept override { return message.c_str(); }

    std::string message;
};

/// A text that either owns its characters (shared) or borrows them from something that outlives the
/// evaluation: the expression, the pipeline's tree, a context. `Value::owned` cuts the tie.
struct Text
{
    std::string_view view;
    std::shared_ptr<const std::string> owner;

    static Text own(std::string text)
    {
        Text result;
        result.owner = std::make_shared<const std::string>(std::move(text));
        result.view = *result.owner;
        return result;
    }

    static Text borrow(std::string_view text) { return Text{text, nullptr}; }
};

/// Two to four components; absent ones differ from 0 (`1.2` is not `1.2.0`).
struct Version
{
    std::array<std::int32_t, 4> parts{-1, -1, -1, -1};

    static std::optional<Version> parse(std::string_view text, int leastParts);
    [[nodiscard]] std::string text() const;
    auto operator<=>(const Version &) const = default;
};

/// Point in time, milliseconds since the epoch, UTC (`pipeline.startTime`).
struct DateTime
{
    std::int64_t millis = 0;
};

class Object;
class Array;
using ObjectPtr = std::shared_ptr<const Object>;
using ArrayPtr = std::shared_ptr<const Array>;

enum class Kind : std::uint8_t { Null, Boolean, Number, String, Version, DateTime, Object, Array };

/// "Null", "Boolean", ... as error messages say it.
std::string_view toString(Kind kind);

class Value
{
public:
    Value() = default;

    static Value null() { return {}; }

    static Value boolean(bool value) { return Value(Data(std::in_place_index<1>, value)); }

    static Value number(const Decimal &value) { return Value(Data(std::in_place_index<2>, value)); }

    static Value text(Text value) { return Value(Data(std::in_place_index<3>, std::move(value))); }

    static Value borrow(std::string_view value) { return text(Text::borrow(value)); }

    static Value own(std::string value) { return text(Text::own(std::move(value))); }

    static Value version(const Version &value)
    {
        return Value(Data(std::in_place_index<4>, value));
    }

    static Value dateTime(DateTime value) { return Value(Data(std::in_place_index<5>, value)); }

    static Value object(ObjectPtr value)
    {
        return Value(Data(std::in_place_index<6>, std::move(value)));
    }

    static Value array(ArrayPtr value)
    {
        return Value(Data(std::in_place_index<7>, std::move(value)));
    }

    [[nodiscard]] Kind kind() const { return static_cast<Kind>(m_data.index()); }

    [[nodiscard]] bool isNull() const { return m_data.index() == 0; }

    [[nodiscard]] bool isCollection() const { return m_data.index() >= 6; }

    [[nodiscard]] bool asBoolean() const { return *std::get_if<1>(&m_data); }

    [[nodiscard]] const Decimal &asNumber() const { return *std::get_if<2>(&m_data); }

    [[nodiscard]] const Text &asText() const { return *std::get_if<3>(&m_data); }

    [[nodiscard]] const Version &asVersion() const { return *std::get_if<4>(&m_data); }

    [[nodiscard]] DateTime asDateTime() const { return *std::get_if<5>(&m_data); }

    [[nodiscard]] const ObjectPtr &asObject() const { return *std::get_if<6>(&m_data); }

    [[nodiscard]] const ArrayPtr &asArray() const { return *std::get_if<7>(&m_data); }

    /// Truthiness; never fails: false for null, '', 0 and false.
    [[nodiscard]] bool toBoolean() const;
    [[nodiscard]] std::optional<Decimal> toNumber() const;
    /// Text form; nothing for collections.
    [[nodiscard]] std::optional<Text> toText() const;
    [[nodiscard]] std::optional<Version> toVersion() const;
    /// Text form as an owned string, empty for collections.
    [[nodiscard]] std::string str() const;
    /// The same value without borrowed characters at its top (collections own theirs).
    [[nodiscard]] Value owned() const;
    /// How an error message shows it: strings quoted, numbers plain, collections by kind.
    [[nodiscard]] std::string shown() const;

    /// `eq(l, r)`: r converted to the kind of l; a failed conversion is "not equal".
    [[nodiscard]] static bool equal(const Value &l, const Value &r);
    /// `lt`, `gt` ...: sign of the comparison. Throws EvaluationError when r cannot be converted.
    [[nodiscard]] static int compare(const Value &l, const Value &r);

private:
    using Data =
        std::variant<std::monostate, bool, Decimal, Text, Version, DateTime, ObjectPtr, ArrayPtr>;

    explicit Value(Data data)
        : m_data(std::move(data))
    {}

    Data m_data;
};

/// Read access to a mapping. Implementations are immutable while evaluated and may be shared
/// between threads.
class Object
{
public:
    virtual ~Object() = default;
    [[nodiscard]] virtual std::size_t size() const = 0;
    /// Key and value at a position (source order).
    [[nodiscard]] virtual std::string_view key(std::size_t index) const = 0;
    [[nodiscard]] virtual Value value(std::size_t index) const = 0;
    /// Nothing on a miss. May throw EvaluationError (parameters: `Key not found 'x'`).
    [[nodiscard]] virtual std::optional<Value> find(std::string_view key) const = 0;

    /// The tree node this object was read from, for structural insertion; may be null.
    [[nodiscard]] virtual const void *origin() const { return nullptr; }
};

class Array
{
public:
    std::vector<Value> items;
    bool filtered = false;        ///< result of `.*`: accesses apply to every item (10.4)
    const void *origin = nullptr; ///< as Object::origin
};

/// An object of its own values.
class PlainObject : public Object
{
public:
    explicit PlainObject(bool ignoreCase = false)
        : m_ignoreCase(ignoreCase)
    {}

    void add(std::string key, Value value);

    [[nodiscard]] std::size_t size() const override { return m_entries.size(); }

    [[nodiscard]] std::string_view key(std::size_t index) const override
    {
        return m_entries[index].first;
    }

    [[nodiscard]] Value value(std::size_t index) const override { return m_entries[index].second; }

    [[nodiscard]] std::optional<Value> find(std::string_view key) const override;

private:
    std::vector<std::pair<std::string, Value>> m_entries;
    bool m_ignoreCase;
};

/// JSON text as the service prints it (11.3): two blanks of indentation, source order.
/// Throws EvaluationError when nested deeper than 100 levels.
std::string toJson(const Value &value);

} // namespace pipelines::expr
