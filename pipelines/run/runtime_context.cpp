#include "pipelines/run/runtime_context.h"

#include <algorithm>
#include <deque>
#include <set>

namespace pipelines::run {
namespace {

using expr::Function;
using expr::Name;
using expr::PlainObject;
using expr::Value;
using schema::Job;
using schema::RunPlan;
using schema::Stage;
using schema::TaskResult;
using schema::protocol::JobVariable;

/// Result words as expressions see them ("Succeeded", not the API's "succeeded").
std::string resultWord(TaskResult result)
{
    std::string word(schema::toString(result));
    if (!word.empty() && word[0] >= 'a' && word[0] <= 'z')
        word[0] = static_cast<char>(word[0] - 'a' + 'A');
    return word;
}

const JobProgress *findJob(const StageProgress *stage, const std::string &job)
{
    if (stage == nullptr)
        return nullptr;
    const auto found = stage->jobs.find(job);
    return found == stage->jobs.end() ? nullptr : &found->second;
}

const StageProgress *findStage(const RunProgress &progress, const std::string &stage)
{
    const auto found = progress.stages.find(stage);
    return found == progress.stages.end() ? nullptr : &found->second;
}

const Stage *planStage(const RunPlan &plan, std::string_view name)
{
    for (const Stage &stage : plan.stages) {
        if (equalIgnoringCase(stage.name, name))
            return &stage;
    }
    return nullptr;
}

/// Output keys of one job in all the forms of 12.6: plain, leg or slice in front, and for a
/// deployment the job's name, the hook and Deploy_<resource>.
void addOutputs(PlainObject &outputs, const std::string &prefix, const Job &job,
                const JobProgress &progress)
{
    for (const InstanceResult &instance : progress.finished) {
        std::vector<std::string> fronts;
        if (job.isDeployment) {
            fronts = {job.name + ".", instance.name + "."};
            if (job.environment && !job.environment->resourceName.empty())
                fronts.push_back("Deploy_" + job.environment->resourceName + ".");
        } else if (instance.name == "__default") {
            fronts = {""};
        } else {
            fronts = {instance.name + "."};
        }
        for (const auto &output : instance.outputs) {
            for (const std::string &front : fronts)
                outputs.add(prefix + front + output.step + "." + output.name,
                            Value::own(output.value));
        }
    }
}

Value jobObject(const Job &job, const JobProgress &progress)
{
    auto object = std::make_shared<PlainObject>(true);
    if (progress.result)
        object->add("result", Value::own(resultWord(*progress.result)));
    auto outputs = std::make_shared<PlainObject>(true);
    addOutputs(*outputs, "", job, progress);
    object->add("outputs", Value::object(std::move(outputs)));
    return Value::object(std::move(object));
}

/// Jobs a job waits for, with those that they wait for in turn.
std::vector<std::string> jobDependencies(const Stage &stage, const Job &job)
{
    std::vector<std::string> found;
    std::set<std::string> seen;
    std::deque<const Job *> open{&job};
    while (!open.empty()) {
        const Job &current = *open.front();
        open.pop_front();
        for (const std::string &name : current.dependsOn) {
            if (!seen.insert(name).second)
                continue;
            found.push_back(name);
            for (const Job &candidate : stage.jobs) {
                if (candidate.name == name)
                    open.push_back(&candidate);
            }
        }
    }
    return found;
}

} // namespace

void VariableTable::set(const JobVariable &variable)
{
    const auto [known, added] = m_index.emplace(variable.name, m_all.size());
    if (added)
        m_all.push_back(variable);
    else
        m_all[known->second] = variable;
}

const JobVariable *VariableTable::lookup(std::string_view name) const
{
    const auto found = m_index.find(name);
    return found == m_index.end() ? nullptr : &m_all[found->second];
}

std::optional<Value> VariableTable::find(std::string_view name) const
{
    const JobVariable *const found = lookup(name);
    if (found == nullptr)
        return std::nullopt;
    return Value::borrow(found->value);
}

bool isLeftOut(const RunProgress &progress, const std::string &stage)
{
    return std::any_of(progress.skippedStages.begin(), progress.skippedStages.end(),
                       [&](const std::string &name) { return equalIgnoringCase(name, stage); });
}

std::vector<std::string> effectiveDependencies(const RunPlan &plan, const RunProgress &progress,
                                               const Stage &stage)
{
    if (progress.skippedStages.empty())
        return stage.dependsOn;
    std::vector<std::string> found;
    std::set<std::string> seen;
    std::vector<std::string> open(stage.dependsOn.rbegin(), stage.dependsOn.rend());
    while (!open.empty()) {
        const std::string name = std::move(open.back());
        open.pop_back();
        if (!seen.insert(name).second)
            continue;
        const Stage *const dependency = planStage(plan, name);
        if (dependency == nullptr || !isLeftOut(progress, name))
            found.push_back(name);
        else
            open.insert(open.end(), dependency->dependsOn.rbegin(), dependency->dependsOn.rend());
    }
    return found;
}

RuntimeContext::RuntimeContext(const RunPlan &plan, const RunProgress &progress, const Stage *stage,
                               const Job *job, const VariableTable &variables)
    : m_plan(plan)
    , m_progress(progress)
    , m_stage(stage)
    , m_job(job)
    , m_variables(variables)
{}

std::optional<Value> RuntimeContext::named(Name name, std::string_view) const
{
    switch (name) {
    case Name::Variables:
        return Value::object(expr::ObjectPtr(expr::ObjectPtr{}, &m_variables));
    case Name::Pipeline: {
        auto pipeline = std::make_shared<PlainObject>(true);
        pipeline->add("startTime", Value::dateTime({m_progress.startTime}));
        return Value::object(std::move(pipeline));
    }
    case Name::Dependencies:
        return dependencies();
    case Name::StageDependencies:
        return stageDependencies();
    case Name::Resources:
        return resources();
    default:
        return std::nullopt;
    }
}

Value RuntimeContext::dependencies() const
{
    auto all = std::make_shared<PlainObject>(true);
    if (m_stage == nullptr)
        return Value::object(std::move(all));
    if (m_job != nullptr) {
        const StageProgress *const progress = findStage(m_progress, m_stage->name);
        for (const Job &job : m_stage->jobs) {
            const bool direct = std::find(m_job->dependsOn.begin(), m_job->dependsOn.end(),
                                          job.name) != m_job->dependsOn.end();
            const JobProgress *const found = findJob(progress, job.name);
            if (direct && found != nullptr)
                all->add(job.name, jobObject(job, *found));
        }
        return Value::object(std::move(all));
    }
    for (const std::string &name : m_stage->dependsOn) {
        const Stage *const stage = planStage(m_plan, name);
        const StageProgress *const progress = findStage(m_progress, name);
        if (stage == nullptr || progress == nullptr)
            continue;
        auto object = std::make_shared<PlainObject>(true);
        if (progress->result)
            object->add("result", Value::own(resultWord(*progress->result)));
        auto outputs = std::make_shared<PlainObject>(true);
        for (const Job &job : stage->jobs) {
            if (const JobProgress *const found = findJob(progress, job.name))
                addOutputs(*outputs, job.name + ".", job, *found);
        }
        object->add("outputs", Value::object(std::move(outputs)));
        all->add(name, Value::object(std::move(object)));
    }
    return Value::object(std::move(all));
}

Value RuntimeContext::stageDependencies() const
{
    auto all = std::make_shared<PlainObject>(true);
    if (m_stage == nullptr)
        return Value::object(std::move(all));
    for (const std::string &name : m_stage->dependsOn) {
        const Stage *const stage = planStage(m_plan, name);
        const StageProgress *const progress = findStage(m_progress, name);
        if (stage == nullptr || progress == nullptr)
            continue;
        auto jobs = std::make_shared<PlainObject>(true);
        for (const Job &job : stage->jobs) {
            if (const JobProgress *const found = findJob(progress, job.name))
                jobs->add(job.name, jobObject(job, *found));
        }
        all->add(name, Value::object(std::move(jobs)));
    }
    return Value::object(std::move(all));
}

Value RuntimeContext::resources() const
{
    auto all = std::make_shared<PlainObject>(true);
    auto repositories = std::make_shared<PlainObject>(true);
    const auto variable = [this](std::string_view name) {
        const JobVariable *const found = m_variables.lookup(name);
        return Value::own(found == nullptr ? std::string() : found->value);
    };
    auto self = std::make_shared<PlainObject>(true);
    self->add("name", variable("Build.Repository.Name"));
    self->add("ref", variable("Build.SourceBranch"));
    self->add("type", Value::borrow("Git"));
    self->add("id", variable("Build.Repository.ID"));
    self->add("url", variable("Build.Repository.Uri"));
    self->add("version", variable("Build.SourceVersion"));
    repositories->add("self", Value::object(std::move(self)));
    for (const auto &repository : m_plan.repositories) {
        auto object = std::make_shared<PlainObject>(true);
        object->add("name", Value::own(repository.name));
        object->add("ref", Value::own(repository.ref));
        object->add("type", Value::own(repository.type));
        repositories->add(repository.alias, Value::object(std::move(object)));
    }
    all->add("repositories", Value::object(std::move(repositories)));
    auto containers = std::make_shared<PlainObject>(true);
    for (const auto &[alias, container] : m_plan.containers) {
        auto object = std::make_shared<PlainObject>(true);
        object->add("image", Value::own(container.image));
        containers->add(alias, Value::object(std::move(object)));
    }
    all->add("containers", Value::object(std::move(containers)));
    return Value::object(std::move(all));
}

bool RuntimeContext::status(Function function, const std::vector<std::string> &names) const
{
    if (function == Function::Always)
        return true;
    if (function == Function::Canceled)
        return m_progress.cancelRequested;
    if (m_progress.cancelRequested || m_stage == nullptr)
        return false;
    const StageProgress *const progress = findStage(m_progress, m_stage->name);
    std::vector<std::string> subjects = names;
    if (names.empty())
        subjects = m_job != nullptr ? jobDependencies(*m_stage, *m_job)
                                    : effectiveDependencies(m_plan, m_progress, *m_stage);
    bool allSucceeded = true;
    bool anyFailed = false;
    bool anyRan = subjects.empty();
    for (const std::string &subject : subjects) {
        std::optional<TaskResult> result;
        if (m_job != nullptr) {
            for (const Job &job : m_stage->jobs) {
                const JobProgress *const found = findJob(progress, job.name);
                if (equalIgnoringCase(job.name, subject) && found != nullptr)
                    result = found->result;
            }
        } else if (const Stage *const stage = planStage(m_plan, subject)) {
            if (const StageProgress *const found = findStage(m_progress, stage->name))
                result = found->result;
        }
        if (!result)
            return false; // an unknown name makes the function false (11.5)
        const bool succeeded =
            *result == TaskResult::Succeeded || *result == TaskResult::SucceededWithIssues;
        allSucceeded = allSucceeded && succeeded;
        anyFailed = anyFailed || *result == TaskResult::Failed;
        anyRan = anyRan || succeeded || *result == TaskResult::Failed;
    }
    if (function == Function::Succeeded)
        return allSucceeded;
    return function == Function::Failed ? anyFailed : anyRan;
}

std::int64_t RuntimeContext::counter(std::string_view prefix, std::int64_t seed) const
{
    return counterSource ? counterSource(std::string(prefix), seed) : seed;
}

schema::Result<std::string> evaluateText(const std::string &text, expr::Slot slot,
                                         const RuntimeContext &context)
{
    const std::string_view whole = trim(text);
    if (!whole.starts_with("$[") || !whole.ends_with("]"))
        return text;
    const std::string_view inner = trim(whole.substr(2, whole.size() - 3));
    const auto parsed = expr::parse(inner, slot, expr::kCompiledLimits);
    if (parsed.error)
        return schema::Error{schema::ErrorCode::InvalidArgument, parsed.error->message(inner)};
    const auto value = expr::evaluate(*parsed.expression, context);
    if (!value)
        return value.error().withContext("expression '" + std::string(inner) + "'");
    const auto result = value->toText();
    if (!result)
        return schema::Error{schema::ErrorCode::InvalidArgument,
                             "expression '" + std::string(inner) + "': Unable to convert from " +
                                 std::string(toString(value->kind())) +
                                 " to String. Value: " + value->shown()};
    return std::string(result->view);
}

schema::Result<VariableTable> collectVariables(const RunPlan &plan, const RunProgress &progress,
                                               const Stage *stage, const Job *job)
{
    VariableTable table;
    for (const JobVariable &variable : progress.variables)
        table.set(variable);
    const auto addAll = [&](const std::vector<schema::VariableEntry> &entries, expr::Slot slot,
                            bool isRoot) -> schema::Status {
        for (const auto &entry : entries) {
            if (!entry.group.empty()) {
                for (const auto &[name, values] : progress.groups) {
                    if (!equalIgnoringCase(name, entry.group))
                        continue;
                    for (const JobVariable &variable : values)
                        table.set(variable);
                }
                continue;
            }
            std::string value = entry.value;
            const auto resolved = std::find_if(
                progress.rootValues.begin(), progress.rootValues.end(),
                [&](const auto &pair) { return equalIgnoringCase(pair.first, entry.name); });
            if (isRoot && resolved != progress.rootValues.end()) {
                value = resolved->second;
            } else {
                const RuntimeContext context(plan, progress, stage, job, table);
                auto evaluated = evaluateText(value, slot, context);
                if (!evaluated)
                    return std::move(evaluated).error().withContext("variable " + entry.name);
                value = std::move(*evaluated);
            }
            table.set({entry.name, std::move(value), false, entry.readOnly});
        }
        return {};
    };
    RETURN_IF_ERROR(addAll(plan.variables, expr::Slot::RunVariable, true));
    if (stage != nullptr)
        RETURN_IF_ERROR(addAll(stage->variables, expr::Slot::RunVariable, false));
    if (job != nullptr)
        RETURN_IF_ERROR(addAll(job->variables, expr::Slot::JobVariable, false));
    return table;
}

schema::Result<std::vector<std::pair<std::string, std::string>>>
resolveRootVariables(const RunPlan &plan, const RunProgress &progress, const CounterSource &counter)
{
    std::vector<std::pair<std::string, std::string>> out;
    VariableTable table;
    for (const JobVariable &variable : progress.variables)
        table.set(variable);
    for (const auto &entry : plan.variables) {
        if (!entry.group.empty()) {
            for (const auto &[name, values] : progress.groups) {
                if (!equalIgnoringCase(name, entry.group))
                    continue;
                for (const JobVariable &variable : values)
                    table.set(variable);
            }
            continue;
        }
        RuntimeContext context(plan, progress, nullptr, nullptr, table);
        context.counterSource = counter;
        auto evaluated = evaluateText(entry.value, expr::Slot::RunVariable, context);
        if (!evaluated)
            return std::move(evaluated).error().withContext("variable " + entry.name);
        if (*evaluated != entry.value)
            out.emplace_back(entry.name, *evaluated);
        table.set({entry.name, std::move(*evaluated), false, entry.readOnly});
    }
    return out;
}

} // namespace pipelines::run
