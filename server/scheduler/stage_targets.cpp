#include "server/scheduler/stage_targets.h"

#include "pipelines/run/step_context.h"
#include "server/store/check_store.h"
#include "server/store/environment_store.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <set>

namespace server::scheduler {
namespace {

bool equalIgnoringCase(std::string_view a, std::string_view b)
{
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](unsigned char x, unsigned char y) {
        return std::tolower(x) == std::tolower(y);
    });
}

/// Macros in an environment's name: job, stage and root variables with static values, then the
/// run's.
std::string expanded(const RunContext &context, const schema::Stage &stage, const schema::Job &job,
                     const std::string &text)
{
    if (text.find("$(") == std::string::npos)
        return text;
    const auto lookup = [&](std::string_view name) -> std::optional<std::string> {
        for (const auto *scope :
             {&job.variables, &stage.variables, &context.snapshot.plan->variables}) {
            for (auto entry = scope->rbegin(); entry != scope->rend(); ++entry) {
                if (entry->group.empty()) {
                    if (!equalIgnoringCase(entry->name, name))
                        continue;
                    if (scope == &context.snapshot.plan->variables) {
                        for (const auto &[root, value] : context.snapshot.rootValues) {
                            if (equalIgnoringCase(root, name))
                                return value;
                        }
                    }
                    return entry->value;
                }
                const auto group = context.snapshot.groups.find(entry->group);
                if (group == context.snapshot.groups.end())
                    continue;
                for (const auto &variable : group->second) {
                    if (!variable.isSecret && equalIgnoringCase(variable.name, name))
                        return variable.value;
                }
            }
        }
        for (const auto &variable : context.snapshot.variables) {
            if (!variable.isSecret && equalIgnoringCase(variable.name, name))
                return variable.value;
        }
        return std::nullopt;
    };
    return pipelines::run::expandMacros(text, lookup);
}

std::string placeOf(const schema::Job &job)
{
    return job.position.line == 0
               ? std::string()
               : fmt::format(" ({} line {})", job.position.file, job.position.line);
}

class Resolver
{
public:
    Resolver(store::Connection &connection, const RunContext &context, TimePoint now)
        : m_environments(connection)
        , m_checks(connection)
        , m_context(context)
        , m_now(now)
    {}

    StageResolved resolve(const schema::Stage &stage)
    {
        StageResolved answer;
        answer.stage = stage.name;
        std::set<std::int64_t> environments;
        for (const schema::Job &job : stage.jobs) {
            if (!job.environment)
                continue;
            StageResolved::Target target;
            answer.error = find(stage, job, target);
            if (!answer.error.empty())
                return answer;
            if (environments.insert(target.environmentId).second) {
                for (store::CheckRow &check : m_checks.checks(target.environmentId))
                    answer.checks.push_back(std::move(check));
            }
            answer.targets.push_back(std::move(target));
        }
        return answer;
    }

private:
    std::string find(const schema::Stage &stage, const schema::Job &job,
                     StageResolved::Target &target)
    {
        const std::string name = expanded(m_context, stage, job, job.environment->name);
        const std::string resourceName =
            expanded(m_context, stage, job, job.environment->resourceName);
        if (name.empty() || name.find("$(") != std::string::npos)
            return fmt::format("job '{}'{}: the environment's name '{}' has no value when the "
                               "stage starts; define the variable "
                               "at the level of the pipeline, the stage or the job",
                               job.name, placeOf(job), job.environment->name);
        auto environment = m_environments.find(m_context.facts.projectId, name);
        if (!environment) {
            if (!m_context.snapshot.run.requestedBy)
                return fmt::format("job '{}'{}: environment '{}' does not exist, and no person "
                                   "asked for this run who could create "
                                   "it; create the environment, or run the pipeline once by hand",
                                   job.name, placeOf(job), name);
            store::EnvironmentRow row;
            row.projectId = m_context.facts.projectId;
            row.name = name;
            row.ordinal = static_cast<int>(m_environments.list(row.projectId).size()) + 1;
            row.createdBy = m_context.snapshot.run.requestedBy;
            row.createdAt = m_now;
            row.id = m_environments.insert(row);
            environment = row;
        }
        target.phase = job.name;
        target.environmentId = environment->id;
        target.environmentName = environment->name;
        if (resourceName.empty())
            return {};
        std::vector<std::string> names;
        for (const store::ResourceRow &resource : m_environments.resources(environment->id)) {
            names.push_back(resource.name);
            if (equalIgnoringCase(resource.name, resourceName))
                target.resourceId = resource.id;
        }
        if (target.resourceId != 0)
            return {};
        return fmt::format("job '{}'{}: environment '{}' has no resource '{}'; {}", job.name,
                           placeOf(job), name, resourceName,
                           names.empty() ? std::string("it has none, add one under the environment")
                                         : fmt::format("it has: {}", fmt::join(names, ", ")));
    }

    store::EnvironmentStore m_environments;
    store::CheckStore m_checks;
    const RunContext &m_context;
    TimePoint m_now;
};

} // namespace

StageResolved resolveTargets(store::Connection &connection, const RunContext &context,
                             const std::string &stage, TimePoint now)
{
    for (const schema::Stage &planned : context.snapshot.plan->stages) {
        if (planned.name == stage)
            return Resolver(connection, context, now).resolve(planned);
    }
    StageResolved answer;
    answer.stage = stage;
    answer.error = fmt::format("the plan has no stage '{}'", stage);
    return answer;
}

} // namespace server::scheduler
