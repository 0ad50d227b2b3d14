// The whole compiler; a valid result must be stable when compiled again.
#include "fuzz_compile_input.h"
#include "pipelines/run/graph.h"
#include "schema/model/plan_json.h"

#include <cstdint>
#include <cstdlib>
#include <iostream>

using namespace pipelines;

namespace {

/// Every run ends: instances end at once, checks pass at once.
void play(const schema::RunPlan &plan)
{
    run::RunProgress progress;
    for (int round = 0; round < 10'000; ++round) {
        const auto steps = run::advance(plan, progress);
        for (const run::Step &step : steps) {
            run::apply(progress, step);
            if (const auto *ready = std::get_if<run::StageReady>(&step))
                run::startStage(progress, ready->stage);
            if (const auto *expanded = std::get_if<run::JobExpanded>(&step)) {
                for (const auto &instance : expanded->instances)
                    run::finishInstance(progress, instance.stage, instance.job,
                                        {instance.name, schema::TaskResult::Succeeded, {}});
            }
        }
        if (steps.empty())
            break;
    }
    if (!progress.completed)
        std::abort();
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
    fuzz::Files files(std::string_view(reinterpret_cast<const char *>(data), size));
    CompileRequest request;
    request.text = files.entry;
    request.limits = fuzz::shortLimits();
    const Compilation first = compile(request, files);
    std::vector<Diagnostic> ignored;
    (void)scanTriggers(request.path, request.text, ignored);
    if (!first.ok()) {
        if (first.diagnostics.empty())
            std::abort();
        return 0;
    }
    const auto plan = schema::planFromText(schema::planToText(*first.plan));
    if (!plan || !(*plan == *first.plan))
        std::abort();
    play(*first.plan);
    if (first.finalYaml.find("${{") != std::string::npos)
        return 0; // a literal `${{` cannot be fed back
    request.text = first.finalYaml;
    const Compilation second = compile(request, files);
    if (!second.ok() || second.finalYaml != first.finalYaml) {
        std::cerr << first.finalYaml << "-----\n" << second.finalYaml;
        for (const Diagnostic &diagnostic : second.diagnostics)
            std::cerr << diagnostic.position.line << ": " << diagnostic.message << "\n";
        std::abort();
    }
    return 0;
}
