// successCriteria of InvokeRESTAPI: an expression over the response, which it calls root.
#include "pipelines/expr/expression.h"
#include "server/workers/server_job.h"

#include <nlohmann/json.hpp>

namespace server::workers {
namespace {

using Json = nlohmann::ordered_json;
using pipelines::expr::Value;

constexpr int kDeepest = 100;

Value valueOf(const Json &json, int depth)
{
    if (depth > kDeepest)
        throw pipelines::expr::EvaluationError("the response is nested too deep");
    if (json.is_boolean())
        return Value::boolean(json.get<bool>());
    if (json.is_string())
        return Value::own(json.get<std::string>());
    if (json.is_number_integer() && !json.is_number_unsigned())
        return Value::number(pipelines::expr::Decimal::fromInteger(json.get<std::int64_t>()));
    if (json.is_number()) {
        const auto text = json.dump();
        // A number that the language cannot hold is compared as its text.
        const auto number = Value::own(text).toNumber();
        return number ? Value::number(*number) : Value::own(text);
    }
    if (json.is_array()) {
        auto array = std::make_shared<pipelines::expr::Array>();
        for (const auto &item : json)
            array->items.push_back(valueOf(item, depth + 1));
        return Value::array(std::move(array));
    }
    if (json.is_object()) {
        auto object = std::make_shared<pipelines::expr::PlainObject>();
        for (const auto &[key, item] : json.items())
            object->add(key, valueOf(item, depth + 1));
        return Value::object(std::move(object));
    }
    return Value::null();
}

class Response : public pipelines::expr::Context
{
public:
    explicit Response(Value root)
        : m_root(std::move(root))
    {}

    [[nodiscard]] std::optional<Value> named(pipelines::expr::Name /*name*/,
                                             std::string_view text) const override
    {
        return text == "root" ? std::optional(m_root) : std::nullopt;
    }

private:
    Value m_root;
};

} // namespace

schema::Result<bool> meetsCriteria(const std::string &criteria, const std::string &body)
{
    const auto parsed = pipelines::expr::parse(criteria, pipelines::expr::Slot::Template);
    if (!parsed.expression)
        return {schema::ErrorCode::InvalidArgument,
                parsed.error ? parsed.error->message(criteria) : "cannot be read"};
    const auto json = Json::parse(body, nullptr, false);
    if (json.is_discarded())
        return {schema::ErrorCode::InvalidArgument, "the response is no JSON"};
    try {
        const Response context(valueOf(json, 0));
        ASSIGN_OR_RETURN(const auto value, pipelines::expr::evaluate(*parsed.expression, context));
        return value.toBoolean();
    } catch (const pipelines::expr::EvaluationError &error) {
        return {schema::ErrorCode::InvalidArgument, error.message};
    }
}

} // namespace server::workers
