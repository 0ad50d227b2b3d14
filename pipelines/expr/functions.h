#pragma once
/// The tables of the expression language: which names and functions exist, where, and how many
/// arguments they take (pipeline-language 10.8, 11). Parser, evaluator and documents read them.

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace pipelines::expr {

/// The places an expression can stand in; each has its own names and functions.
enum class Slot : std::uint8_t {
    Template,       ///< `${{ }}`
    RunVariable,    ///< `$[ ]` of a root or stage variable
    JobVariable,    ///< `$[ ]` of a job variable or another job key
    StageCondition, ///< condition of a stage
    JobCondition,   ///< condition of a job
    StepCondition,  ///< condition of a step, evaluated by the worker
};

enum class Function : std::uint8_t {
    And,
    Or,
    Xor,
    Not,
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
    In,
    NotIn,
    Contains,
    StartsWith,
    EndsWith,
    ContainsValue,
    Coalesce,
    Iif,
    ConvertToJson,
    Format,
    Join,
    Length,
    Lower,
    Upper,
    Trim,
    Replace,
    Split,
    Substring,
    Counter,
    Always,
    Canceled,
    Failed,
    Succeeded,
    SucceededOrFailed,
};

enum class Name : std::uint8_t {
    Parameters,
    Variables,
    Pipeline,
    Resources,
    Dependencies,
    StageDependencies,
    Other, ///< a loop variable, or unknown
};

inline constexpr std::uint8_t kUnbounded = 255;

/// What to do about `null`, which the language does not have (10.2).
inline constexpr std::string_view kNullHint = "there is no null: compare with ''";

struct FunctionInfo
{
    Function function;
    std::string_view name;
    std::uint8_t least, most; ///< argument counts; kUnbounded: no upper bound
    std::uint8_t slots;       ///< bit per Slot
    std::string_view summary; ///< one line for documents and editors
};

struct NameInfo
{
    Name name;
    std::string_view text;
    std::uint8_t slots;
};

std::span<const FunctionInfo> allFunctions();
std::span<const NameInfo> allNames();

/// Looks a function or name up, ignoring case, whatever the slot; nullptr when unknown.
const FunctionInfo *findFunction(std::string_view name);
const NameInfo *findName(std::string_view name);

constexpr std::uint8_t slotBit(Slot slot)
{
    return static_cast<std::uint8_t>(1U << static_cast<unsigned>(slot));
}

/// succeeded, failed, ...: what makes a condition depend on results.
constexpr bool isStatusFunction(Function function)
{
    return function >= Function::Always;
}

} // namespace pipelines::expr
