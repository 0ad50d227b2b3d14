#pragma once
/// A template that is looked at alone, as in an editor: without the pipeline that uses it.

#include "pipelines/compile/compiler.h"

#include <vector>

namespace pipelines {

/// What is wrong with the template whatever its parameters are and whoever includes it. `request`
/// as for compile(); `parameters` and `requireParameters` do not count. Parameters of both forms
/// are accepted, a body is not asked for, and names of stages, jobs, repositories, containers and
/// pipelines that may be the caller's are not judged. Any thread; throws nothing.
std::vector<Diagnostic> checkTemplate(CompileRequest request, FileSource &files);

} // namespace pipelines
