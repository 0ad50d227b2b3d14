#include "pipelines/compile/expression_hints.h"

#include "pipelines/base/text.h"
#include "pipelines/expr/functions.h"

#include <algorithm>
#include <vector>

namespace pipelines::compiler {
namespace {

/// "conditions", "`$[ ]`" ...: where else a function or name exists.
std::string placesOf(std::uint8_t slots)
{
    using expr::Slot;
    using expr::slotBit;
    const auto has = [slots](Slot slot) { return (slots & slotBit(slot)) != 0; };
    std::string out;
    const auto add = [&out](const char *place) {
        out += out.empty() ? place : std::string(" and ") + place;
    };
    if (has(Slot::Template))
        add("`${{ }}`");
    if (has(Slot::RunVariable) || has(Slot::JobVariable))
        add("`$[ ]`");
    if (has(Slot::StageCondition) && has(Slot::StepCondition))
        add("conditions");
    else if (has(Slot::StageCondition) || has(Slot::JobCondition))
        add("conditions of stages and jobs");
    return out;
}

} // namespace

std::string conditionHint(std::string_view text)
{
    if (text.starts_with("$["))
        return "a condition is an expression without `$[ ]`";
    if (text.find("==") != std::string_view::npos)
        return "there are no operators: write eq(a, b)";
    if (text.find("&&") != std::string_view::npos || text.find("||") != std::string_view::npos)
        return "there are no operators: write and(a, b) or or(a, b)";
    if (text.find("$(") != std::string_view::npos)
        return "macros are not expanded in conditions: write variables['name']";
    if (text.find('"') != std::string_view::npos)
        return "texts stand in single quotes";
    return {};
}

std::string nameHint(const expr::ParseError &error, std::string_view text, expr::Slot slot)
{
    constexpr std::string_view kHead = "Unrecognized value: '";
    if (!error.head.starts_with(kHead) || error.head.size() < kHead.size() + 2)
        return {};
    const std::string_view name =
        std::string_view(error.head).substr(kHead.size(), error.head.size() - kHead.size() - 1);
    if (equalIgnoringCase(name, "parameters"))
        return "parameters are known only before the run: write ${{ parameters.name }}";
    if (equalIgnoringCase(name, "null"))
        return std::string(expr::kNullHint);
    const auto *const function = expr::findFunction(name);
    const auto *const known = expr::findName(name);
    if (function != nullptr || known != nullptr) {
        std::string hint = "`" + std::string(name) + "` exists in " +
                           placesOf(function != nullptr ? function->slots : known->slots) + " only";
        if (slot == expr::Slot::StepCondition && known != nullptr)
            hint += ": read it into a variable of the job first";
        return hint;
    }
    std::vector<std::string_view> names;
    for (const auto &one : expr::allFunctions()) {
        if ((one.slots & expr::slotBit(slot)) != 0)
            names.push_back(one.name);
    }
    for (const auto &one : expr::allNames()) {
        if ((one.slots & expr::slotBit(slot)) != 0)
            names.push_back(one.text);
    }
    const std::string close = nearest(name, names);
    if (!close.empty())
        return "did you mean `" + close + "`?";
    // `Build.Reason`: the whole name of a variable that stands there without its context.
    const std::size_t start = error.position == 0 ? 0 : error.position - 1;
    const auto isPart = [](char c) {
        return c == '_' || c == '.' || (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
               (c >= 'a' && c <= 'z');
    };
    const std::string_view from = start < text.size() ? text.substr(start) : std::string_view{};
    const std::string_view whole =
        from.substr(0, static_cast<std::size_t>(std::find_if_not(from.begin(), from.end(), isPart) -
                                                from.begin()));
    const bool isWord = !whole.empty() && whole[0] != '.' && (whole[0] < '0' || whole[0] > '9');
    if (!isWord || trim(from.substr(whole.size())).starts_with('('))
        return {};
    return "write variables['" + std::string(whole) + "'], or put a text into single quotes";
}

} // namespace pipelines::compiler
