#pragma once
/// Shapes that one table borrows from another. Order of properties is the order in which messages
/// and editors list them. Private to pipelines/shape/tables.

#include "pipelines/shape/shape.h"

namespace pipelines::shape {

// values.cpp
extern const Shape kAny, kBoolean, kName, kNoneAnyCase, kNoneWord, kNumber, kString, kStringOrList,
    kStrings, kText, kTextMap, kTrue;
// resources.cpp
extern const Shape kContainer, kPool, kServices;
// steps.cpp
extern const Shape kStepList, kTemplate;
// jobs.cpp
extern const Shape kJobList, kJobStrategy, kQueue, kServer, kWorkspace;

} // namespace pipelines::shape
