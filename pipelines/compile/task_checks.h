#pragma once
/// Inputs of a step against what its task accepts (pipeline-language 3.13). Everything here is a
/// warning: the service ignores inputs that a task does not have, and the task itself refuses
/// others.

#include "pipelines/yaml/node.h"
#include "schema/model/plan.h"
#include "schema/tasks/task_definition.h"

#include <functional>
#include <string>

namespace pipelines::compiler {

/// Node, code, message, hint.
using TaskRemark = std::function<void(const yaml::Node &, std::string, std::string, std::string)>;

/// `node` is the canonical step that `step` was read from. Tasks that the catalogue does not know
/// are left alone; values with macros or expressions prove nothing.
void checkTask(const yaml::Node &node, const schema::Step &step,
               const schema::TaskCatalogue &catalogue, const TaskRemark &remark);

} // namespace pipelines::compiler
