#include "cli/command.h"
#include "cli/validate_format.h"
#include "cli/validate_options.h"
#include "schema/model/plan_json.h"

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <iostream>
#include <memory>

namespace cli {
namespace {

int runPreview(const LanguageOptions &options)
{
    const auto compiled = compileFile(options, true);
    if (!compiled) {
        std::cerr << "slipway preview: " << compiled.error().message << "\n";
        return 2;
    }
    const pipelines::Compilation &result = compiled->result;
    std::cerr << diagnosticsAsText(result.diagnostics, excerpts(*compiled));
    if (result.ok() || options.keepGoing) {
        if (options.format != "yaml")
            std::cout << (result.plan ? schema::toJson(*result.plan)
                                      : nlohmann::ordered_json::object())
                             .dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace)
                      << "\n";
        else
            std::cout << result.finalYaml;
    }
    return result.ok() ? 0 : 1;
}

} // namespace

void registerPreview(CLI::App &app, int &exitCode)
{
    auto *const command =
        app.add_subcommand("preview", "Print the fully expanded pipeline, or its run plan");
    const auto options = std::make_shared<LanguageOptions>();
    options->format = "yaml";
    addLanguageOptions(*command, *options);
    command
        ->add_option(
            "--format", options->format,
            "What is printed: the document, or the run plan as JSON (plan and json are the same)")
        ->check(CLI::IsMember({"yaml", "plan", "json"}))
        ->capture_default_str();
    command->add_flag("--keep-going", options->keepGoing,
                      "Print what could be expanded although there are errors");
    command->footer("Exit status: 0 valid, 1 invalid, 2 usage or unreadable input.");
    command->callback([options, &exitCode] { exitCode = runPreview(*options); });
}

} // namespace cli
