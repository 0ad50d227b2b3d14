#include "pipelines/compile/compiler.h"

#include "pipelines/base/text.h"
#include "pipelines/compile/plan_builder.h"
#include "pipelines/compile/template_file.h"
#include "pipelines/compile/triggers.h"
#include "pipelines/shape/normalise.h"
#include "pipelines/shape/shape.h"
#include "pipelines/template/expander.h"
#include "pipelines/yaml/writer.h"

#include <algorithm>
#include <array>
#include <map>
#include <tuple>
#include <utility>

namespace pipelines {
namespace {

using yaml::Node;

/// Diagnostics in file order: by the order in which files were first read, then by position. Those
/// without a position come last.
void sortDiagnostics(Compilation &result)
{
    std::map<std::string, std::size_t> order;
    for (std::size_t i = 0; i < result.files.size(); ++i)
        order.emplace(result.files[i], i);
    // Ties keep their order by their index: std::stable_sort would need a deprecated buffer.
    std::vector<
        std::pair<std::tuple<std::size_t, std::uint32_t, std::uint32_t, std::size_t>, Diagnostic>>
        ranked;
    ranked.reserve(result.diagnostics.size());
    for (Diagnostic &diagnostic : result.diagnostics) {
        const auto found = order.find(diagnostic.position.file);
        const std::size_t file = found == order.end() ? order.size() : found->second;
        const auto &position = diagnostic.position;
        ranked.emplace_back(std::tuple(file, position.line, position.column, ranked.size()),
                            std::move(diagnostic));
    }
    std::sort(ranked.begin(), ranked.end(),
              [](const auto &a, const auto &b) { return a.first < b.first; });
    result.diagnostics.clear();
    for (auto &entry : ranked)
        result.diagnostics.push_back(std::move(entry.second));
    // The same file included twice reports the same problem twice.
    const auto same = [](const Diagnostic &a, const Diagnostic &b) {
        return a.code == b.code && a.message == b.message && a.position == b.position;
    };
    result.diagnostics.erase(
        std::unique(result.diagnostics.begin(), result.diagnostics.end(), same),
        result.diagnostics.end());
}

/// Names in dependsOn spelled as declared; unknown ones stay (and were reported).
void spellDependencies(schema::RunPlan &plan)
{
    using Declared = std::map<std::string_view, std::string_view, LessIgnoringCase>;
    const auto namesOf = [](const auto &items) {
        Declared declared;
        for (const auto &item : items)
            declared.emplace(item.name, item.name);
        return declared;
    };
    const auto spell = [](std::vector<std::string> &names, const Declared &declared) {
        for (std::string &name : names) {
            if (const auto found = declared.find(name); found != declared.end())
                name = found->second;
        }
    };
    const Declared stages = namesOf(plan.stages);
    for (schema::Stage &stage : plan.stages) {
        spell(stage.dependsOn, stages);
        const Declared jobs = namesOf(stage.jobs);
        for (schema::Job &job : stage.jobs)
            spell(job.dependsOn, jobs);
    }
}

enum class Opened : std::uint8_t { AsPipeline, AsTemplate };

/// What only the pipeline around a template, or the values of its parameters, can prove.
bool isOfCaller(const Diagnostic &diagnostic)
{
    constexpr std::array<std::string_view, 11> kCodes{
        "condition-never-holds", "empty-mapping",     "missing-dependency",
        "missing-environment",   "no-start",          "not-enough-info",
        "undeclared-repository", "unknown-container", "unknown-dependency",
        "unknown-pipeline",      "unknown-repository"};
    if (std::find(kCodes.begin(), kCodes.end(), diagnostic.code) != kCodes.end())
        return true;
    // A sentence as a key is how templates refuse values on purpose.
    const std::size_t blank = diagnostic.message.find(' ', diagnostic.message.find('\'') + 1);
    if (diagnostic.code == "unexpected-value" &&
        diagnostic.message.starts_with("Unexpected value '") && blank != std::string::npos &&
        diagnostic.message.find(' ', blank + 1) != std::string::npos)
        return true;
    // Of what it includes, only what no value changes.
    constexpr std::array<std::string_view, 4> kOfTexts{"expression-syntax", "expression-unclosed",
                                                       "file-not-found", "yaml-syntax"};
    return !diagnostic.includedFrom.empty() &&
           std::find(kOfTexts.begin(), kOfTexts.end(), diagnostic.code) == kOfTexts.end();
}

void compileInto(const CompileRequest &request, FileSource &files, Opened opened,
                 Compilation &result)
{
    yaml::Arena arena;
    templates::Expander expander(request, files, arena, result);
    if (opened == Opened::AsTemplate)
        expander.openAsTemplate();
    const Node *const expanded = expander.run();
    if (expanded == nullptr) {
        std::vector<Diagnostic> reportedAlready;
        result.triggers = scanTriggers(request.path, request.text, reportedAlready);
        return;
    }
    result.triggers = compiler::readTriggers(*expanded);
    const bool expandedCleanly = !hasErrors(result.diagnostics);
    shape::check(*expanded, shape::kRoot, result.diagnostics);
    const bool hasShape = !hasErrors(result.diagnostics);
    compiler::checkTriggers(*expanded, result.diagnostics);
    const Node *const canonical = shape::Normaliser(arena).root(*expanded);
    result.finalYaml = yaml::write(*canonical);
    result.plan = compiler::buildPlan(
        *canonical, expander.repositories(), request.tasks, request.limits.expression,
        [&expander](std::string_view name) { return expander.isDependencyOfBranch(name); },
        result.diagnostics);
    // After an error in a template the graph has holes that are no mistakes of their own.
    if (expandedCleanly && canonical->find("stages") != nullptr)
        compiler::checkGraph(*result.plan, *expanded, *canonical,
                             {.valuesMissing = !request.requireParameters, .hasShape = hasShape},
                             result.diagnostics);
    spellDependencies(*result.plan);
}

Compilation compileFile(const CompileRequest &request, FileSource &files, Opened opened)
{
    Compilation result;
    try {
        compileInto(request, files, opened, result);
    } catch (const std::bad_alloc &) {
        result.plan.reset();
        result.diagnostics.push_back(makeDiagnostic(
            Severity::Error, "limit-size", "Maximum object size exceeded", {request.path, 1, 1},
            "there is no memory left to expand the file: lower --limit expanded-nodes"));
    } catch (const std::exception &error) {
        result.plan.reset();
        result.diagnostics.push_back(makeDiagnostic(
            Severity::Error, "internal", std::string("The compiler failed: ") + error.what(),
            {request.path, 0, 0}, "this is a defect of Slipway: please report it"));
    }
    if (opened == Opened::AsTemplate)
        std::erase_if(result.diagnostics, isOfCaller);
    sortDiagnostics(result);
    result.complete = result.plan.has_value() && !hasErrors(result.diagnostics);
    return result;
}

} // namespace

Compilation compile(const CompileRequest &request, FileSource &files)
{
    return compileFile(request, files, Opened::AsPipeline);
}

std::vector<Diagnostic> checkTemplate(CompileRequest request, FileSource &files)
{
    request.requireParameters = false;
    return compileFile(request, files, Opened::AsTemplate).diagnostics;
}

} // namespace pipelines
