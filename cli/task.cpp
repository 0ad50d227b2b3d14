// `slipway task`: the server's store of tasks that are not built in.
#include "cli/client/options.h"
#include "cli/client/text_table.h"
#include "cli/command.h"
#include "schema/base/guid.h"
#include "worker/node/package.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <filesystem>
#include <iostream>
#include <string>

namespace cli {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using schema::ErrorCode;

struct Options
{
    std::string package, sha256, reference;
};

/// A file that is gone when this is.
struct TemporaryFile
{
    fs::path path;

    TemporaryFile() = default;
    TemporaryFile(const TemporaryFile &) = delete;
    TemporaryFile &operator=(const TemporaryFile &) = delete;

    ~TemporaryFile()
    {
        std::error_code ignored; // the system clears its temporary folder
        if (!path.empty())
            fs::remove(path, ignored);
    }
};

void printTasks(const ClientOptions &client, const json &answer, const char *verb)
{
    if (client.json())
        return printJson(memberOf(answer, "value"));
    for (const json &task : memberOf(answer, "value"))
        std::cout << fmt::format("{} {} {}\n", verb, textOf(task, "name"), textOf(task, "version"));
}

schema::Result<int> install(const ClientOptions &client, const Options &options)
{
    std::error_code code;
    TemporaryFile packed;
    std::string file = options.package;
    if (fs::is_directory(file, code)) {
        if (!options.sha256.empty())
            return {ErrorCode::InvalidArgument, "--sha256 is the checksum of a file; a folder is "
                                                "packed on the way and has none"};
        packed.path = fs::temp_directory_path(code) /
                      fmt::format("slipway-task-{}.zip", schema::randomGuid());
        RETURN_IF_ERROR(worker::packFolder(file, packed.path));
        file = packed.path.string();
    }
    ASSIGN_OR_RETURN(const ApiClient server, connectServer(client));
    ASSIGN_OR_RETURN(
        const json answer,
        server.upload("/_apis/slipway/tasks" + (options.sha256.empty()
                                                    ? std::string()
                                                    : "?sha256=" + urlEncoded(options.sha256)),
                      file));
    printTasks(client, answer, "installed");
    return 0;
}

schema::Result<int> list(const ClientOptions &client)
{
    ASSIGN_OR_RETURN(const ApiClient server, connectServer(client));
    ASSIGN_OR_RETURN(const json answer, server.get("/_apis/slipway/tasks"));
    if (client.json()) {
        printJson(memberOf(answer, "value"));
        return 0;
    }
    std::vector<TableRow> rows{{"TASK", "VERSION", "EXTENSION", "SIZE", "SHA-256"}};
    for (const json &task : memberOf(answer, "value"))
        rows.push_back({textOf(task, "name"), textOf(task, "version"),
                        textOf(task, "contributionIdentifier"),
                        fmt::format("{} KiB", (numberOf(task, "size") + 1023) / 1024),
                        textOf(task, "sha256").substr(0, 12)});
    if (rows.size() == 1)
        std::cout << "No tasks are installed; the built-in ones need no package.\n";
    else
        std::cout << formatTable(rows);
    return 0;
}

schema::Result<int> remove(const ClientOptions &client, const std::string &reference)
{
    const auto at = reference.rfind('@');
    const std::string version = at == std::string::npos ? std::string() : reference.substr(at + 1);
    ASSIGN_OR_RETURN(const ApiClient server, connectServer(client));
    ASSIGN_OR_RETURN(
        const json answer,
        server.remove(fmt::format("/_apis/slipway/tasks/{}?version={}",
                                  urlEncoded(reference.substr(0, at)), urlEncoded(version))));
    printTasks(client, answer, "removed");
    return 0;
}

} // namespace

void registerTask(CLI::App &app, int &exitCode)
{
    CLI::App *task = app.add_subcommand("task", "Packages of tasks that are not built in");
    task->require_subcommand(1);
    const auto options = std::make_shared<Options>();

    CLI::App *installCommand = task->add_subcommand(
        "install", "Put a task into the server's store; workers fetch it from there");
    installCommand
        ->add_option("PACKAGE", options->package,
                     "An extension (.vsix), a task's zip archive, or a folder with task.json")
        ->required()
        ->check(CLI::ExistingPath);
    installCommand->add_option("--sha256", options->sha256,
                               "Refuse the file when it has another checksum");
    const auto installClient = addClientOptions(*installCommand);
    installCommand->callback([options, installClient, &exitCode] {
        const auto result = install(*installClient, *options);
        exitCode = result ? *result : fail(result.error());
    });

    CLI::App *listCommand = task->add_subcommand("list", "What is installed");
    const auto listClient = addClientOptions(*listCommand);
    listCommand->callback([listClient, &exitCode] {
        const auto result = list(*listClient);
        exitCode = result ? *result : fail(result.error());
    });

    CLI::App *removeCommand = task->add_subcommand("remove", "Take a task out of the store");
    removeCommand->add_option("TASK", options->reference, "NAME, NAME@2 (all 2.x) or NAME@2.1.3")
        ->required();
    const auto removeClient = addClientOptions(*removeCommand);
    removeCommand->callback([options, removeClient, &exitCode] {
        const auto result = remove(*removeClient, options->reference);
        exitCode = result ? *result : fail(result.error());
    });
}

} // namespace cli
