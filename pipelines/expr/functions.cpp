#include "pipelines/expr/functions.h"

#include "pipelines/base/text.h"

namespace pipelines::expr {
namespace {

constexpr std::uint8_t kAll = 0x3F;
constexpr std::uint8_t kTemplate = slotBit(Slot::Template);
constexpr std::uint8_t kRuntimeValues = slotBit(Slot::RunVariable) | slotBit(Slot::JobVariable);
constexpr std::uint8_t kConditions =
    slotBit(Slot::StageCondition) | slotBit(Slot::JobCondition) | slotBit(Slot::StepCondition);
constexpr std::uint8_t kServer =
    kRuntimeValues | slotBit(Slot::StageCondition) | slotBit(Slot::JobCondition);

// Argument counts: pipeline-language 11.2, measured ones win over the documentation.
constexpr FunctionInfo kFunctions[] = {
    {Function::And, "and", 2, kUnbounded, kAll, "True if all are true; stops at the first false"},
    {Function::Or, "or", 2, kUnbounded, kAll, "True if any is true; stops at the first true"},
    {Function::Xor, "xor", 2, 2, kAll, "True if exactly one is true"},
    {Function::Not, "not", 1, 1, kAll, "Negation"},
    {Function::Eq, "eq", 2, 2, kAll, "Equal after converting the right side to the left's kind"},
    {Function::Ne, "ne", 2, 2, kAll, "Not eq"},
    {Function::Lt, "lt", 2, 2, kAll, "Less than"},
    {Function::Le, "le", 2, 2, kAll, "Less than or equal"},
    {Function::Gt, "gt", 2, 2, kAll, "Greater than"},
    {Function::Ge, "ge", 2, 2, kAll, "Greater than or equal"},
    {Function::In, "in", 2, kUnbounded, kAll, "True if the first equals any of the others"},
    {Function::NotIn, "notIn", 2, kUnbounded, kAll, "Not in"},
    {Function::Contains, "contains", 2, 2, kAll, "Substring test, ignoring case"},
    {Function::StartsWith, "startsWith", 2, 2, kAll, "Prefix test, ignoring case"},
    {Function::EndsWith, "endsWith", 2, 2, kAll, "Suffix test, ignoring case"},
    {Function::ContainsValue, "containsValue", 2, 2, kAll,
     "True if an element or property value equals the second"},
    {Function::Coalesce, "coalesce", 2, kUnbounded, kAll, "First value that is not null or ''"},
    {Function::Iif, "iif", 3, 3, kAll, "Second if the first is true, else third"},
    {Function::ConvertToJson, "convertToJson", 1, 1, kAll, "JSON text of a value"},
    {Function::Format, "format", 1, kUnbounded, kAll, "Text with {0}, {1} ... replaced"},
    {Function::Join, "join", 2, 2, kAll, "Elements of the second joined by the first"},
    {Function::Length, "length", 1, 1, kAll, "Length of a text, list or mapping"},
    {Function::Lower, "lower", 1, 1, kAll, "Lower case"},
    {Function::Upper, "upper", 1, 1, kAll, "Upper case"},
    {Function::Trim, "trim", 1, 1, kAll, "Without outer white space"},
    {Function::Replace, "replace", 3, 3, kAll, "All occurrences replaced, case-sensitive"},
    {Function::Split, "split", 2, 2, kTemplate, "List of the parts between a delimiter"},
    {Function::Substring, "substring", 2, 3, kAll, "Part of a text from a 0-based start"},
    {Function::Counter, "counter", 0, 2, kRuntimeValues, "Next number of a prefix"},
    {Function::Always, "always", 0, 0, kConditions, "True, even when cancelled"},
    {Function::Canceled, "canceled", 0, 0, kConditions, "True when the run was cancelled"},
    {Function::Failed, "failed", 0, kUnbounded, kConditions, "True when a dependency failed"},
    {Function::Succeeded, "succeeded", 0, kUnbounded, kConditions,
     "True when all dependencies succeeded"},
    {Function::SucceededOrFailed, "succeededOrFailed", 0, kUnbounded, kConditions,
     "True when dependencies ran, whatever the outcome"},
};

constexpr NameInfo kNames[] = {
    {Name::Parameters, "parameters", kTemplate},
    {Name::Variables, "variables", kAll},
    {Name::Pipeline, "pipeline", kServer},
    {Name::Resources, "resources", kRuntimeValues},
    {Name::Dependencies, "dependencies", kServer},
    {Name::StageDependencies, "stageDependencies", kServer},
};

} // namespace

std::span<const FunctionInfo> allFunctions()
{
    return kFunctions;
}

std::span<const NameInfo> allNames()
{
    return kNames;
}

const FunctionInfo *findFunction(std::string_view name)
{
    for (const FunctionInfo &info : kFunctions) {
        if (info.name.size() == name.size() && equalIgnoringCase(info.name, name))
            return &info;
    }
    return nullptr;
}

const NameInfo *findName(std::string_view name)
{
    for (const NameInfo &info : kNames) {
        if (info.text.size() == name.size() && equalIgnoringCase(info.text, name))
            return &info;
    }
    return nullptr;
}

} // namespace pipelines::expr
