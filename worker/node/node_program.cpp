#include "worker/node/node_program.h"

#include "worker/base/text.h"

#include <algorithm>
#include <charconv>

namespace worker {
namespace {

/// "v20.20.2" -> 20; 0 when it does not run.
int majorVersion(const std::string &program, const Environment &environment)
{
    ProcessSpec spec;
    spec.program = program;
    spec.arguments = {"--version"};
    spec.environment = environment;
    ProcessLimits limits;
    limits.deadline = Clock::now() + std::chrono::seconds(20);
    limits.interruptGrace = limits.terminateGrace = std::chrono::milliseconds(100);
    std::string output;
    ProcessCallbacks callbacks;
    callbacks.output = [&output](std::string_view bytes, Stream stream) {
        if (stream == Stream::Out && output.size() < 256)
            output += bytes;
    };
    const auto end = runProcess(spec, limits, nullptr, callbacks);
    if (!end || end->exitCode != 0 || !output.starts_with('v'))
        return 0;
    int major = 0;
    std::from_chars(output.data() + 1, output.data() + output.size(), major);
    return major;
}

/// "20", "node20_1", "Node24" -> the number; 0: none.
int majorIn(std::string_view text)
{
    const auto digit = text.find_first_of("0123456789");
    int major = 0;
    if (digit != std::string_view::npos)
        std::from_chars(text.data() + digit, text.data() + text.size(), major);
    return major;
}

std::vector<NodeProgram> installedNodes(const JobContext &job)
{
    std::vector<NodeProgram> out;
    const auto add = [&](const std::string &program) {
        if (program.empty())
            return;
        if (const int major = majorVersion(program, job.options.environment); major > 0)
            out.push_back({program, major});
    };
    std::error_code error;
    if (!job.options.nodeFolder.empty()) {
        for (fs::directory_iterator it(job.options.nodeFolder, error), end; !error && it != end;
             it.increment(error)) {
            if (it->path().filename().string().starts_with("node"))
                add(findProgram((it->path() / "bin" / "node").string(), {}));
        }
        add(findProgram((job.options.nodeFolder / "bin" / "node").string(), {}));
    }
    const auto *path = findEnvironment(job.options.environment, "PATH");
    add(findProgram("node", path == nullptr ? std::string() : *path));
    std::stable_sort(out.begin(), out.end(),
                     [](const auto &a, const auto &b) { return a.major > b.major; });
    return out;
}

} // namespace

Result<NodeProgram> chooseNode(JobContext &job, const ContainerTarget *target)
{
    if (target != nullptr)
        return NodeProgram{target->node.empty() ? "node" : target->node, 0};
    const int wanted = majorIn(job.variables.value("AGENT_USE_NODE"));
    if (!job.nodeMajor || *job.nodeMajor != wanted) {
        job.nodeMajor = wanted;
        job.nodeProgram.clear();
        std::string have;
        for (const auto &node : installedNodes(job)) {
            if (job.nodeProgram.empty() && (wanted == 0 || node.major == wanted)) {
                job.nodeProgram = node.program;
                job.nodeRuns = node.major;
            }
            have += (have.empty() ? "" : ", ") + std::to_string(node.major);
        }
        if (job.nodeProgram.empty()) {
            job.nodeMajor.reset();
            return {ErrorCode::NotFound,
                    have.empty()
                        ? "Node.js is not installed on this worker: install it (Debian: nodejs), "
                          "give the folder that holds node*/bin/node with --node-folder, or run "
                          "the job on a worker with the capability 'node'"
                        : "Node.js " + std::to_string(wanted) +
                              " (AGENT_USE_NODE) is not installed on this worker; it has " + have};
        }
    }
    return NodeProgram{job.nodeProgram, job.nodeRuns};
}

} // namespace worker
