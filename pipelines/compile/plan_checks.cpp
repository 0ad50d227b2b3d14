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
    const yaml::Source *source; ///< with the template references that led there; may be null
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
    LevelChecker(const std::vector<Vertex> &vertices, const Wording &wording, const Vertex &owner,
                 bool mayBeEmpty, const JobStages &elsewhere, std::vector<Diagnostic> &diagnostics)
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
                report(m_vertices[i], "duplicate-name",
                       filled(m_wording.repeated, m_vertices[i].name), "rename one of the two");
        }
        std::vector<std::string_view> names;
        names.reserve(m_vertices.size());
        for (const Vertex &vertex : m_vertices)
            names.push_back(vertex.name);
        for (const Vertex &vertex : m_vertices) {
            for (const std::string &dependency : *vertex.dependsOn) {
                if (m_index.contains(dependency))
                    continue;
                const std::string close = nearest(dependency, names);
                const auto other = m_elsewhere.find(dependency);
                std::string hint;
                if (!close.empty())
                    hint = "did you mean `" + close + "`?";
                else if (other != m_elsewhere.end())
                    hint = "that job is in stage " + std::string(other->second) +
                           ": let this stage depend on that stage";
                report(vertex, "unknown-dependency",
                       filled(m_wording.unknown, vertex.name, dependency), std::move(hint));
            }
        }
        const bool start =
            std::any_of(m_vertices.begin(), m_vertices.end(),
                        [](const Vertex &vertex) { return vertex.dependsOn->empty(); });
        if (m_vertices.empty() && m_mayBeEmpty)
            return; // there may be some once the values are there
        if (!start)
            return report(m_owner, "no-start", m_wording.none,
                          m_vertices.empty() ? "add one; a condition may have removed all of them"
                                             : "give one of them `dependsOn: []`");
        findCycle();
    }

private:
    void report(const Vertex &vertex, std::string code, std::string message, std::string hint)
    {
        Diagnostic diagnostic = makeDiagnostic(Severity::Error, std::move(code), std::move(message),
                                               *vertex.position, std::move(hint));
        diagnostic.includedFrom = yaml::includeChain(vertex.source);
        append(m_diagnostics, std::move(diagnostic));
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
                const auto found = m_index.find(edges[next]);
                ++next;
                if (found == m_index.end())
                    continue; // reported above
                const std::size_t target = found->second;
                if (marks[target] == Mark::Active)
                    return report(
                        m_vertices[vertex], "dependency-cycle",
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
    const Vertex &m_owner; ///< the stage of the jobs; of the stages themselves, nothing
    bool m_mayBeEmpty;
    const JobStages &m_elsewhere;
    std::vector<Diagnostic> &m_diagnostics;
    std::map<std::string_view, std::size_t, LessIgnoringCase> m_index;
};

using IncludeChain = std::vector<schema::SourcePosition>;

/// `jobs` are the sources of the stage's jobs, in their order.
void checkNames(const Stage &stage, const Vertex &owner, const std::vector<Vertex> &jobs,
                bool explicitStages, std::vector<Diagnostic> &diagnostics)
{
    const auto invalid = [&](const schema::SourcePosition &position, const std::string &what,
                             IncludeChain chain) {
        Diagnostic diagnostic =
            makeDiagnostic(Severity::Error, "invalid-name", what + kNameRule, position,
                           "use letters, digits and _, at most 100 characters");
        diagnostic.includedFrom = std::move(chain);
        append(diagnostics, std::move(diagnostic));
    };
    if (explicitStages && !isValidName(stage.name))
        invalid(stage.position, "Stage " + stage.name, yaml::includeChain(owner.source));
    for (std::size_t i = 0; i < stage.jobs.size(); ++i) {
        const Job &job = stage.jobs[i];
        const std::string where =
            explicitStages ? "Stage " + stage.name + " job " + job.name : "Job " + job.name;
        if (!isValidName(job.name))
            invalid(job.position, where, yaml::includeChain(jobs[i].source));
        const auto checkSteps = [&](const std::vector<Step> &steps) {
            for (const Step &step : steps) {
                if (!isValidName(step.name))
                    invalid(step.position, "Job " + job.name + ": Step " + step.name,
                            step.includedFrom);
            }
        };
        checkSteps(job.steps);
        for (const auto &hook : job.hooks)
            checkSteps(hook.steps);
    }
}

/// The mappings of a list of the canonical tree: what the plan has a stage or a job for.
std::vector<const yaml::Node *> mappingsOf(const yaml::Node *list)
{
    std::vector<const yaml::Node *> out;
    if (list == nullptr)
        return out;
    for (const yaml::Node *item : list->items()) {
        if (item->isMapping())
            out.push_back(item);
    }
    return out;
}

template <typename Item>
std::vector<Vertex> verticesOf(const std::vector<Item> &items,
                               const std::vector<const yaml::Node *> &nodes)
{
    std::vector<Vertex> out;
    out.reserve(items.size());
    for (std::size_t i = 0; i < items.size(); ++i)
        out.push_back({items[i].name, &items[i].dependsOn, &items[i].position,
                       i < nodes.size() ? nodes[i]->source : nullptr});
    return out;
}

} // namespace

void checkGraph(const RunPlan &plan, const yaml::Node &expanded, const yaml::Node &canonical,
                TreeState state, std::vector<Diagnostic> &diagnostics)
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
    const Vertex nothing{{}, nullptr, &nowhere, nullptr};
    const auto stageNodes = mappingsOf(canonical.find("stages"));
    const std::vector<Vertex> stages = verticesOf(plan.stages, stageNodes);
    const Wording stageWording{
        "Stage {0} depends on unknown stage {1}.",
        "Stage {0} depends on stage {1} which creates a cycle in the dependency graph.",
        "The pipeline must contain at least one stage with no dependencies.",
        "The stage name {0} appears more than once. Stage names must be unique within a pipeline."};
    if (!stages.empty() || state.hasShape)
        LevelChecker(stages, stageWording, nothing, mayBeEmpty(list), {}, diagnostics).run();
    std::map<std::string_view, std::size_t, LessIgnoringCase> order;
    for (std::size_t i = 0; i < plan.stages.size(); ++i)
        order.emplace(plan.stages[i].name, i);
    for (std::size_t i = 0; i < plan.stages.size(); ++i) {
        const Stage &stage = plan.stages[i];
        for (const std::string &name : stage.dependsOn) {
            const auto later = order.find(name);
            if (later == order.end() || later->second <= i)
                continue;
            Diagnostic diagnostic =
                makeDiagnostic(Severity::Warning, "later-stage",
                               "Stage " + stage.name + " depends on stage " +
                                   plan.stages[later->second].name + ", which is written after it",
                               stage.position, "write the stages in the order in which they run");
            diagnostic.includedFrom = yaml::includeChain(stages[i].source);
            append(diagnostics, std::move(diagnostic));
        }
        const yaml::Node *const owner = !explicitStages            ? &expanded
                                        : i < list->items().size() ? list->items()[i]
                                                                   : nullptr;
        const std::vector<Vertex> jobs = verticesOf(
            stage.jobs, mappingsOf(i < stageNodes.size() ? stageNodes[i]->find("jobs") : nullptr));
        checkNames(stage, stages[i], jobs, explicitStages, diagnostics);
        if (stage.jobs.empty() && !state.hasShape)
            continue;
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
        LevelChecker(jobs, wording, stages[i],
                     mayBeEmpty(owner == nullptr ? nullptr : owner->find("jobs")), jobStages,
                     diagnostics)
            .run();
    }
}

} // namespace pipelines::compiler
