// Any bytes as an expression of every slot; what parses is evaluated.
#include "pipelines/expr/expression.h"

#include <cstdint>
#include <cstdlib>

using namespace pipelines::expr;

namespace {

class FuzzContext : public Context
{
public:
    FuzzContext()
    {
        auto list = std::make_shared<Array>();
        auto inner = std::make_shared<PlainObject>();
        inner->add("n", Value::own("x"));
        list->items = {Value::own("a"), Value::null(), Value::object(inner), Value::boolean(true)};
        auto object = std::make_shared<PlainObject>(true);
        object->add("a", Value::own("1,000.5"));
        object->add("list", Value::array(list));
        object->add("o", Value::object(inner));
        object->add("t", Value::dateTime({1'773'039'904'000}));
        m_object = Value::object(object);
    }

    std::optional<Value> named(Name, std::string_view) const override { return m_object; }

    bool status(Function, const std::vector<std::string> &names) const override
    {
        return names.empty();
    }

    std::int64_t counter(std::string_view, std::int64_t seed) const override { return seed; }

private:
    Value m_object;
};

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
    static const FuzzContext context;
    const std::string_view text(reinterpret_cast<const char *>(data), size);
    for (int slot = 0; slot <= static_cast<int>(Slot::StepCondition); ++slot) {
        const Parsed parsed = parse(text, static_cast<Slot>(slot));
        if (parsed.error.has_value() == parsed.expression.has_value())
            std::abort();
        if (!parsed.expression) {
            (void)parsed.error->message(text);
            continue;
        }
        const auto value = evaluate(*parsed.expression, context);
        if (value)
            (void)value->shown();
        (void)expanded(*parsed.expression, context);
        (void)parsed.expression->accesses();
        (void)parsed.expression->stringLiteral();
    }
    return 0;
}
