#pragma once
/// The keywords of the language as tables: what may stand where (pipeline-language 3 to 6). The
/// checker, the editor schema and the documents read the same tables.

#include "pipelines/base/diagnostic.h"
#include "pipelines/yaml/node.h"

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace pipelines::shape {

enum class Kind : std::uint8_t {
    Any,
    String,
    NonEmptyString,
    Number,        ///< text checked where it is used: may be an expression or a macro
    Boolean,       ///< true y yes on, false n no off
    Word,          ///< one of `words`
    ReferenceName, ///< [-_.A-Za-z0-9]*; the published schema has no dot, the service takes it
    TextMap,       ///< mapping of text to text
    List,          ///< of `item`
    Mapping,       ///< of `properties`; `loose` for other keys
    OneOf,         ///< of `alternatives`
};

struct Shape;

enum Flags : std::uint8_t {
    kNone = 0,
    kRequired = 1,
    kFirst = 2, ///< must be the first key and tells the alternative
    kLegacy = 4 ///< accepted, not suggested
};

struct Property
{
    std::string_view key;
    const Shape *shape;
    std::uint8_t flags;
    std::string_view summary; ///< one sentence for editors
};

// GCC asks for an initializer of every member that a table leaves out.
// NOLINTBEGIN(readability-redundant-member-init)
struct Shape
{
    Kind kind = Kind::Any;
    std::string_view name;
    std::span<const std::string_view> words{};
    std::span<const Property> properties{};
    const Shape *loose = nullptr;
    const Shape *item = nullptr;
    std::span<const Shape *const> alternatives{};
    bool ignoreCase = false; ///< of words
};

// NOLINTEND(readability-redundant-member-init)

/// The shapes other parts refer to.
extern const Shape kRoot, kStageItem, kJobItem, kStepItem, kVariables, kContainerResource,
    kParameterItem, kParameters, kTrigger, kPullRequest, kSchedules, kResources;

/// Checks an expanded tree; appends every problem.
void check(const yaml::Node &node, const Shape &shape, std::vector<Diagnostic> &diagnostics);

/// Text of a schema boolean (any case), or nothing.
bool parseBoolean(std::string_view text, bool &value);

} // namespace pipelines::shape
