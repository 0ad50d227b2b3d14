// Runtime expressions in the keys of a job. The service reads them when the job is planned and
// fails the job then; here they are warnings, as in the variables of a job (10.8, 12.3).
#include "pipelines/compile/plan_parts.h"

namespace pipelines::compiler {

using yaml::Entry;
using yaml::Node;

void PlanBuilder::checkRuntimeKeys(const Node &node)
{
    for (const char *const key :
         {"continueOnError", "timeoutInMinutes", "cancelTimeoutInMinutes", "container", "pool"})
        runtimeKey(node.find(key), key);
    runtimeKeys(node.find("strategy"), {"matrix", "maxParallel", "parallel"});
    runtimeKeys(node.find("container"), {"alias", "image"});
    if (const Node *const services = node.find("services")) {
        for (const Entry &service : services->entries()) {
            runtimeKey(service.value, std::string(service.key->text));
            runtimeKeys(service.value, {"alias", "image"});
        }
    }
    const Node *const pool = node.find("pool");
    runtimeKeys(pool, {"name", "vmImage", "demands"});
    if (const Node *const demands = pool == nullptr ? nullptr : pool->find("demands")) {
        for (const Node *demand : demands->items())
            runtimeKey(demand, "demands");
    }
    runtimeKeys(node.find("environment"),
                {"name", "resourceName", "resourceId", "resourceType", "tags"});
}

void PlanBuilder::runtimeKeys(const Node *mapping, std::initializer_list<const char *> keys)
{
    if (mapping == nullptr || !mapping->isMapping())
        return;
    for (const char *const key : keys)
        runtimeKey(mapping->find(key), key);
}

void PlanBuilder::runtimeKey(const Node *value, const std::string &key)
{
    if (value != nullptr && value->isScalar())
        m_expressions.runtimeText(m_where + ": " + key, *value, expr::Slot::JobVariable,
                                  Severity::Warning);
}

} // namespace pipelines::compiler
