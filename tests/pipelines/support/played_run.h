#pragma once
/// Plays whole runs by advance() alone, for tests of the run graph.

#include "pipelines/compile/compiler.h"
#include "pipelines/run/graph.h"
#include "tests/pipelines/support/memory_source.h"

#include <QByteArray>

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace tests {

using namespace pipelines;
using namespace pipelines::run;
using schema::TaskResult;
using schema::protocol::OutputVariable;

/// How instances end, by "stage.job.instance"; others succeed.
struct Script
{
    std::map<std::string, TaskResult> results;
    std::map<std::string, std::vector<OutputVariable>> outputs;
    std::string cancelAfter; ///< identifier of the instance after which the run is cancelled
};

struct Outcome
{
    std::vector<std::string> log;
    std::vector<JobInstance> instances;
    RunProgress progress;
    std::optional<schema::RunResult> result;
    std::size_t mostRunning = 0;

    const JobInstance *instance(const std::string &identifier) const
    {
        for (const JobInstance &one : instances) {
            if (one.identifier == identifier)
                return &one;
        }
        return nullptr;
    }

    QByteArray text() const
    {
        QByteArray out;
        for (const std::string &line : log)
            out += QByteArray::fromStdString(line) + "\n";
        return out;
    }
};

inline schema::RunPlan planOf(const std::string &yaml)
{
    CompileRequest request;
    request.text = yaml;
    tests::MemorySource files;
    const Compilation result = compile(request, files);
    for (const Diagnostic &diagnostic : result.diagnostics)
        qWarning("%u:%u %s", diagnostic.position.line, diagnostic.position.column,
                 diagnostic.message.c_str());
    return result.plan.value_or(schema::RunPlan{});
}

/// Plays a run to its end: ready stages start at once, one running instance ends per round.
inline Outcome play(const schema::RunPlan &plan, const Script &script, RunProgress progress = {})
{
    Outcome out;
    std::vector<JobInstance> running;
    for (int round = 0; round < 1000; ++round) {
        const auto steps = advance(plan, progress);
        for (const Step &step : steps) {
            apply(progress, step);
            if (const auto *ready = std::get_if<StageReady>(&step)) {
                out.log.push_back("stage " + ready->stage);
                startStage(progress, ready->stage);
            } else if (const auto *skipped = std::get_if<StageSkipped>(&step)) {
                out.log.push_back("skip stage " + skipped->stage);
            } else if (const auto *done = std::get_if<StageCompleted>(&step)) {
                out.log.push_back("done stage " + done->stage + " " +
                                  std::string(schema::toString(done->result)));
            } else if (const auto *noJob = std::get_if<JobSkipped>(&step)) {
                out.log.push_back("skip job " + noJob->stage + "." + noJob->job);
            } else if (const auto *expanded = std::get_if<JobExpanded>(&step)) {
                for (const JobInstance &instance : expanded->instances) {
                    out.log.push_back("start " + instance.identifier);
                    out.instances.push_back(instance);
                    running.push_back(instance);
                }
            } else if (const auto *job = std::get_if<JobCompleted>(&step)) {
                out.log.push_back("done job " + job->stage + "." + job->job + " " +
                                  std::string(schema::toString(job->result)) +
                                  (job->message.empty() ? "" : ": " + job->message));
            } else if (const auto *run = std::get_if<RunCompleted>(&step)) {
                out.result = run->result;
            }
        }
        out.mostRunning = std::max(out.mostRunning, running.size());
        if (!steps.empty())
            continue;
        if (running.empty())
            break;
        const JobInstance instance = running.front();
        running.erase(running.begin());
        InstanceResult result;
        result.name = instance.name;
        if (const auto found = script.results.find(instance.identifier);
            found != script.results.end())
            result.result = found->second;
        if (const auto found = script.outputs.find(instance.identifier);
            found != script.outputs.end())
            result.outputs = found->second;
        finishInstance(progress, instance.stage, instance.job, result);
        if (script.cancelAfter == instance.identifier)
            progress.cancelRequested = true;
    }
    out.progress = progress;
    return out;
}

inline std::string variable(const JobInstance &instance, const std::string &name)
{
    for (const auto &one : instance.variables) {
        if (one.name == name)
            return one.value;
    }
    return "(none)";
}

} // namespace tests
