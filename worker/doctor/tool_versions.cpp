#include "worker/doctor/tool_versions.h"

#include "worker/base/text.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <future>

namespace worker {
namespace {

struct Tool
{
    std::string_view program;
    std::vector<std::string> arguments;
};

const std::vector<Tool> &tools()
{
    static const std::vector<Tool> all{
        {"bash", {"--version"}},
        {"clang", {"--version"}},
        {"cmake", {"--version"}},
        {"curl", {"--version"}},
        {"docker", {"--version"}},
        {"dotnet", {"--version"}},
        {"gcc", {"--version"}},
        {"git", {"--version"}},
        {"git-lfs", {"--version"}},
        {"go", {"version"}},
        {"helm", {"version", "--short"}},
        {"java", {"-version"}},
        {"kubectl", {"version", "--client", "--short"}},
        {"make", {"--version"}},
        {"mvn", {"--version"}},
        {"node", {"--version"}},
        {"npm", {"--version"}},
        {"podman", {"--version"}},
        {"pwsh", {"--version"}},
        {"python3", {"--version"}},
    };
    return all;
}

const std::string &pathOf(const Environment &environment)
{
    static const std::string none;
    const auto *path = findEnvironment(environment, "PATH");
    return path == nullptr ? none : *path;
}

} // namespace

std::string versionIn(const std::string &text)
{
    const auto digit = [](char c) { return std::isdigit(static_cast<unsigned char>(c)) != 0; };
    for (std::size_t at = 0; at < text.size(); ++at) {
        if (!digit(text[at]))
            continue;
        std::size_t end = at;
        while (end < text.size() && (digit(text[end]) || text[end] == '.'))
            ++end;
        const auto found = trimmed(text.substr(at, end - at));
        if (std::count(found.begin(), found.end(), '.') >= 1 && digit(found.back()))
            return found;
        at = end;
    }
    return {};
}

std::string toolVersion(const std::string &program, const Environment &environment)
{
    const auto tool = std::find_if(tools().begin(), tools().end(), [&program](const Tool &known) {
        return known.program == program;
    });
    ProcessSpec spec;
    spec.program = findProgram(program, pathOf(environment));
    if (spec.program.empty())
        return {};
    spec.arguments =
        tool == tools().end() ? std::vector<std::string>{"--version"} : tool->arguments;
    spec.environment = environment;
    ProcessLimits limits;
    limits.deadline = Clock::now() + std::chrono::seconds(10);
    limits.interruptGrace = limits.terminateGrace = limits.drain = std::chrono::milliseconds(100);
    std::string output;
    ProcessCallbacks callbacks;
    callbacks.output = [&output](std::string_view bytes, Stream /*stream*/) {
        if (output.size() < 65536) // java says it on standard error
            output += bytes;
    };
    const auto end = runProcess(spec, limits, nullptr, callbacks);
    return end && end->exitCode == 0 ? versionIn(output) : std::string();
}

std::vector<std::pair<std::string, std::string>> toolVersions(const Environment &environment)
{
    std::vector<std::future<std::string>> asked;
    for (const auto &tool : tools())
        asked.push_back(
            std::async(std::launch::async, [program = std::string(tool.program), &environment] {
                return toolVersion(program, environment);
            }));
    std::vector<std::pair<std::string, std::string>> out;
    for (std::size_t i = 0; i < asked.size(); ++i) {
        if (auto version = asked[i].get(); !version.empty())
            out.emplace_back(std::string(tools()[i].program) + ".version", std::move(version));
    }
    return out;
}

} // namespace worker
