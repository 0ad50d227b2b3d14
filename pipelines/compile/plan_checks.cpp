#include "pipelines/base/text.h"
#include "pipelines/compile/plan_builder.h"

#include <algorithm>
#include <map>
#include <set>

namespace pipelines::compiler {
namespace {

using schema::Job;
using schema::RunPlan;
using schema::Stage;
using schema::Step;

bool isValidName(std::string_view name)
{
    constexpr std::size_t kLongest = 100;
    if (name.empty() || name.size() > kLongest || (name[0] >= '0' && name[0] <= '9'))
        return false;
    return std::all_of(name.begin(), name.end(), [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
               c == '_';
    });
}

constexpr const char *kNameRule = " has an invalid name. Valid names may only contain alphanumeric "
                                  "characters and '_' and may not start with a number.";

/// One level of the graph: stages of a pipeline, or jobs of a stage.
struct Vertex
{
    std::string_view name;
    const std::vector<std::string> *dependsOn;
    const schema::SourcePosition *position;
};

struct Wording
{
    std::string unknown;  ///< "Stage {0} depends on unknown stage {1}."
    std::string cycle;    ///< "... depends on stage {1} which creates a cycle ..."
    std::string none;     ///< "... at least one stage with no dependencies."
    std::string repeated; ///< "The stage name {0} appears more than once. ..."
};

std::string filled(std::string pattern, std::string_view first, std::string_view second = {})
{
    for (const auto &[mark, value] :
         {std::pair<std::string_view, std::string_view>{"{0}", first}, {"{1}", second}}) {
        if (const std::size_t at = pattern.find(mark); at != std::string::npos)
            pattern.replace(at, mark.size(), value);
    }
    return pattern;
}

/// Job -> a stage that has one of that name.
using JobStages = std::map<std::string_view, std::string_view, LessIgnoringCase>;

class LevelChecker
{
public:
    /// `mayBeEmpty`: whether there are vertices depends on values that are not known yet.
    LevelChecker(const std::vector<Vertex> &vertices, const Wording &wording,
                 const schema::SourcePosition &owner, bool mayBeEmpty, const JobStages &elsewhere,
                 std::vector<Diagnostic> &diagnostics)
        : m_vertices(vertices)
        , m_wording(wording)
        , m_owner(owner)
        , m_mayBeEmpty(mayBeEmpty)
        , m_elsewhere(elsewhere)
        , m_diagnostics(diagnostics)
    {}

    void run()
    {
        for (std::size_t i = 0; i < m_vertices.size(); ++i) {
            if (!m_index.emplace(m_vertices[i].name, i).second)
                report(*m_vertices[i].position, "duplicate-name",
                       filled(m_wording.repeated, m_vertices[i].name), "rename one of the two");
        }
        bool unknown = false;
        std::vector<std::string_view> names;
        names.reserve(m_vertices.size());
        for (const Vertex &vertex : m_vertices)
            names.push_back(vertex.name);
        for (const Vertex &vertex : m_vertices) {
            for (const std::string &dependency : *vertex.dependsOn) {
                if (m_index.contains(dependency))
                    continue;
                unknown = true;
                const std::string close = nearest(dependency, names);
                const auto other = m_elsewhere.find(dependency);
                std::string hint;
                if (!close.empty())
                    hint = "did you mean `" + close + "`?";
                else if (other != m_elsewhere.end())
                    hint = "that job is in stage " + std::string(other->second) +
                           ": let this stage depend on that stage";
                report(*vertex.position, "unknown-dependency",
                       filled(m_wording.unknown, vertex.name, dependency), std::move(hint));
            }
        }
        const bool start =
            std::any_of(m_vertices.begin(), m_vertices.end(),
                        [](const Vertex &vertex) { return vertex.dependsOn->empty(); });
        if (!start)
            return report(m_owner, "no-start", m_wording.none,
                          m_vertices.empty() ? "add one; a condition may have removed all of them"
                                             : "give one of them `dependsOn: []`",
                          m_vertices.empty() && m_mayBeEmpty ? Severity::Warning : Severity::Error);
        if (!unknown)
            findCycle();
    }

private:
    void report(const schema::SourcePosition &position, std::string code, std::string message,
                std::string hint, Severity severity = Severity::Error)
    {
        append(m_diagnostics, makeDiagnostic(severity, std::move(code), std::move(message),
                                             position, std::move(hint)));
    }

    /// Iterative depth-first search: a chain may be as long as the file.
    void findCycle()
    {
        enum class Mark : std::uint8_t { New, Active, Done };
        std::vector<Mark> marks(m_vertices.size(), Mark::New);
        std::vector<std::pair<std::size_t, std::size_t>> stack;
        for (std::size_t root = 0; root < m_vertices.size(); ++root) {
            if (marks[root] != Mark::New)
                continue;
            stack.emplace_back(root, 0);
            marks[root] = Mark::Active;
            while (!stack.empty()) {
                auto &[vertex, next] = stack.back();
                const auto &edges = *m_vertices[vertex].dependsOn;
                if (next == edges.size()) {
                    marks[vertex] = Mark::Done;
                    stack.pop_back();
                    continue;
                }
                const std::size_t target = m_index.at(edges[next]);
                ++next;
                if (marks[target] == Mark::Active)
                    return report(
                        *m_vertices[vertex].position, "dependency-cycle",
                        filled(m_wording.cycle, m_vertices[vertex].name, m_vertices[target].name),
                        "remove one of the dependencies of the circle");
                if (marks[target] == Mark::New) {
                    marks[target] = Mark::Active;
                    stack.emplace_back(target, 0);
                }
            }
        }
    }

    const std::vector<Vertex> &m_vertices;
    const Wording &m_wording;
    const schema::SourcePosition &m_owner;
    bool m_mayBeEmpty;
    const JobStages &m_elsewhere;
    std::vector<Diagnostic> &m_diagnostics;
    std::map<std::string_view, std::size_t, LessIgnoringCase> m_index;
};

void checkNames(const Stage &stage, bool explicitStages, std::vector<Diagnostic> &diagnostics)
{
    const auto invalid = [&](const schema::SourcePosition &position, const std::string &what) {
        diagnostics.push_back(makeDiagnostic(Severity::Error, "invalid-name", what + kNameRule,
                                             position,
                                             "use letters, digits and _, at most 100 characters"));
    };
    if (explicitStages && !isValidName(stage.name))
        invalid(stage.position, "Stage " + stage.name);
    for (const Job &job : stage.jobs) {
        const std::string where =
            explicitStages ? "Stage " + stage.name + " job " + job.name : "Job " + job.name;
        if (!isValidName(job.name))
            invalid(job.position, where);
        const auto checkSteps = [&](const std::vector<Step> &steps) {
            for (const Step &step : steps) {
                if (!isValidName(step.name))
                    invalid(step.position, "Job " + job.name + ": Step " + step.name);
            }
        };
        checkSteps(job.steps);
        for (const auto &hook : job.hooks)
            checkSteps(hook.steps);
    }
}

} // namespace

void checkGraph(const RunPlan &plan, const yaml::Node &expanded, TreeState state,
                std::vector<Diagnostic> &diagnostics)
{
    const yaml::Node *const list = expanded.find("stages");
    const bool explicitStages = list != nullptr;
    const auto mayBeEmpty = [&](const yaml::Node *items) {
        return state.valuesMissing && items != nullptr && items->guessed;
    };
    JobStages jobStages;
    for (const Stage &stage : plan.stages) {
        for (const Job &job : stage.jobs)
            jobStages.emplace(job.name, stage.name);
    }
    const schema::SourcePosition nowhere;
    std::vector<Vertex> stages;
    stages.reserve(plan.stages.size());
    for (const Stage &stage : plan.stages)
        stages.push_back({stage.name, &stage.dependsOn, &stage.position});
    const Wording stageWording{
        "Stage {0} depends on unknown stage {1}.",
        "Stage {0} depends on stage {1} which creates a cycle in the dependency graph.",
        "The pipeline must contain at least one stage with no dependencies.",
        "The stage name {0} appears more than once. Stage names must be unique within a pipeline."};
    if (!stages.empty() || state.hasShape)
        LevelChecker(stages, stageWording, nowhere, mayBeEmpty(list), {}, diagnostics).run();
    std::map<std::string_view, std::size_t, LessIgnoringCase> order;
    for (std::size_t i = 0; i < plan.stages.size(); ++i)
        order.emplace(plan.stages[i].name, i);
    for (std::size_t i = 0; i < plan.stages.size(); ++i) {
        const Stage &stage = plan.stages[i];
        for (const std::string &name : stage.dependsOn) {
            const auto later = order.find(name);
            if (later != order.end() && later->second > i)
                diagnostics.push_back(makeDiagnostic(
                    Severity::Warning, "later-stage",
                    "Stage " + stage.name + " depends on stage " + plan.stages[later->second].name +
                        ", which is written after it",
                    stage.position, "write the stages in the order in which they run"));
        }
        const yaml::Node *const owner = !explicitStages            ? &expanded
                                        : i < list->items().size() ? list->items()[i]
                                                                   : nullptr;
        checkNames(stage, explicitStages, diagnostics);
        if (stage.jobs.empty() && !state.hasShape)
            continue;
        std::vector<Vertex> jobs;
        jobs.reserve(stage.jobs.size());
        for (const Job &job : stage.jobs)
            jobs.push_back({job.name, &job.dependsOn, &job.position});
        const std::string prefix = explicitStages ? "Stage " + stage.name + " job {0}" : "Job {0}";
        Wording wording;
        wording.unknown = prefix + " depends on unknown job {1}.";
        wording.cycle =
            prefix + " depends on job {1} which creates a cycle in the dependency graph.";
        wording.none =
            explicitStages
                ? "Stage " + stage.name + " must contain at least one job with no dependencies."
                : "The pipeline must contain at least one job with no dependencies.";
        wording.repeated = explicitStages
                               ? "Stage " + stage.name +
                                     " job {0} appears more than once. Job names must be unique "
                                     "within a stage."
                               : "The job name {0} appears more than once. Job names must be "
                                 "unique within a pipeline.";
        LevelChecker(jobs, wording, stage.position,
                     mayBeEmpty(owner == nullptr ? nullptr : owner->find("jobs")), jobStages,
                     diagnostics)
            .run();
    }
}

} // namespace pipelines::compiler
