// Scalars, and what is made of them alone.
#include "pipelines/shape/tables/tables.h"

namespace pipelines::shape {

constexpr Shape kAny{.kind = Kind::Any, .name = "any"};
constexpr Shape kString{.kind = Kind::String, .name = "string"};
constexpr Shape kText{.kind = Kind::NonEmptyString, .name = "nonEmptyString"};
constexpr Shape kNumber{.kind = Kind::Number, .name = "number"};
constexpr Shape kBoolean{.kind = Kind::Boolean, .name = "boolean"};
constexpr Shape kName{.kind = Kind::ReferenceName, .name = "referenceName"};
constexpr Shape kTextMap{.kind = Kind::TextMap, .name = "mapping of texts"};
constexpr Shape kStrings{.kind = Kind::List, .name = "list of strings", .item = &kString};

constexpr const Shape *kStringOrListAlternatives[] = {&kString, &kStrings};
constexpr Shape kStringOrList{
    .kind = Kind::OneOf, .name = "string or list", .alternatives = kStringOrListAlternatives};

constexpr std::string_view kNoneWords[] = {"none"};
constexpr Shape kNoneWord{.kind = Kind::Word, .name = "none", .words = kNoneWords};
constexpr Shape kNoneAnyCase{
    .kind = Kind::Word, .name = "none", .words = kNoneWords, .ignoreCase = true};
constexpr std::string_view kTrueWords[] = {"true"};
constexpr Shape kTrue{.kind = Kind::Word, .name = "true", .words = kTrueWords, .ignoreCase = true};

} // namespace pipelines::shape
