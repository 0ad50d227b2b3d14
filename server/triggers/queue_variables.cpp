#include "server/triggers/queue_variables.h"

#include "pipelines/base/text.h"
#include "pipelines/compile/predefined_variables.h"

#include <algorithm>

namespace server::triggers {
namespace {

using schema::ErrorCode;
using schema::Status;

constexpr std::string_view kDebug = "System.Debug";
/// So much of a name stands in an error.
constexpr std::size_t kShown = 100;

} // namespace

Status checkQueueVariables(const schema::TextMap &variables, const schema::RunPlan *plan)
{
    for (auto given = variables.begin(); given != variables.end(); ++given) {
        const std::string &name = given->first;
        const std::string shown = "variable '" + name.substr(0, kShown) + "' ";
        const auto isSame = [&](const auto &other) {
            return pipelines::equalIgnoringCase(other, name);
        };
        if (name.empty())
            return {ErrorCode::InvalidArgument, "a variable given when queueing needs a name"};
        if (std::any_of(variables.begin(), given,
                        [&](const auto &earlier) { return isSame(earlier.first); }))
            return {ErrorCode::InvalidArgument, shown + "is given twice"};
        if (pipelines::predefinedVariable(name) != nullptr && !isSame(kDebug))
            return {ErrorCode::InvalidArgument,
                    shown + "is set by the server and cannot be given when queueing; branch, "
                            "version and parameters have members of their own"};
        if (plan != nullptr && std::any_of(plan->variables.begin(), plan->variables.end(),
                                           [&](const auto &own) { return isSame(own.name); }))
            return {ErrorCode::InvalidArgument,
                    shown + "is defined in the pipeline's file, whose value wins; make it a "
                            "parameter there, or remove it from the request"};
    }
    return {};
}

} // namespace server::triggers
