#include "cli/command.h"
#include "cli/validate_format.h"
#include "cli/validate_options.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <iostream>
#include <memory>

namespace cli {
namespace {

using pipelines::Compilation;

std::string summary(const schema::RunPlan &plan, std::size_t files)
{
    std::size_t jobs = 0;
    std::size_t steps = 0;
    for (const auto &stage : plan.stages) {
        jobs += stage.jobs.size();
        for (const auto &job : stage.jobs) {
            steps += job.steps.size();
            for (const auto &hook : job.hooks)
                steps += hook.steps.size();
        }
    }
    const auto counted = [](std::size_t count, const char *noun) {
        return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
    };
    return fmt::format("valid: {}, {}, {}, {}\n", counted(plan.stages.size(), "stage"),
                       counted(jobs, "job"), counted(steps, "step"), counted(files, "file"));
}

int runValidate(const LanguageOptions &options)
{
    const auto compiled = compileFile(options, false);
    if (!compiled) {
        std::cerr << "slipway validate: " << compiled.error().message << "\n";
        return 2;
    }
    const Compilation &result = compiled->result;
    if (options.format == "json") {
        std::cout << diagnosticsAsJson(result.diagnostics);
    } else if (options.format == "sarif") {
        std::cout << diagnosticsAsSarif(result.diagnostics);
    } else {
        std::cerr << diagnosticsAsText(result.diagnostics, excerpts(*compiled));
        if (result.ok() && result.plan)
            std::cout << options.file << " is " << summary(*result.plan, result.files.size());
    }
    return result.ok() ? 0 : 1;
}

} // namespace

void registerValidate(CLI::App &app, int &exitCode)
{
    auto *const command =
        app.add_subcommand("validate", "Check a pipeline file with everything it includes");
    const auto options = std::make_shared<LanguageOptions>();
    options->format = "text";
    addLanguageOptions(*command, *options);
    command->add_option("--format", options->format, "How problems are printed")
        ->check(CLI::IsMember({"text", "json", "sarif"}))
        ->capture_default_str();
    command->footer("Exit status: 0 valid, 1 invalid, 2 usage or unreadable input.");
    command->callback([options, &exitCode] { exitCode = runValidate(*options); });
}

} // namespace cli
