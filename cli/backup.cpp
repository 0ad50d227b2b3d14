// `slipway backup` and `slipway restore`.
#include "cli/client/options.h"
#include "cli/command.h"
#include "server/app/data_copy.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <iostream>
#include <memory>
#include <string>

namespace cli {
namespace {

struct Options
{
    std::string path; ///< of the backup
    std::string data; ///< empty: default
    std::string format = "text";
    bool verify = false;
};

std::filesystem::path dataOf(const Options &options)
{
    return options.data.empty() ? defaultDataDirectory() : std::filesystem::path(options.data);
}

std::string sizeText(std::uint64_t bytes)
{
    static constexpr const char *kUnits[] = {"B", "KiB", "MiB", "GiB", "TiB"};
    double value = static_cast<double>(bytes);
    std::size_t unit = 0;
    for (; value >= 1024 && unit + 1 < std::size(kUnits); ++unit)
        value /= 1024;
    return fmt::format("{:.{}f} {}", value, unit == 0 ? 0 : 1, kUnits[unit]);
}

void print(const Options &options, const server::app::BackupSummary &summary,
           const std::string &sentence)
{
    if (options.format == "json") {
        printJson({{"createdAt", summary.createdAt},
                   {"dataVersion", summary.dataVersion},
                   {"runs", summary.runs},
                   {"files", summary.files},
                   {"bytes", summary.bytes}});
        return;
    }
    std::cout << sentence
              << fmt::format(": {} runs, {} files, {}, taken at {}\n", summary.runs, summary.files,
                             sizeText(summary.bytes), summary.createdAt);
}

int backUp(const Options &options)
{
    const auto made = server::app::backUp(dataOf(options), options.path);
    if (!made)
        return fail(made.error());
    print(options, *made, fmt::format("backup {}", options.path));
    if (options.format != "json")
        std::cout << "It holds the sealing key: keep it as safe as the server itself.\n";
    return 0;
}

int restore(const Options &options)
{
    if (options.verify) {
        const auto checked = server::app::verifyBackup(options.path);
        if (!checked)
            return fail(checked.error());
        print(options, *checked, fmt::format("backup {} is whole", options.path));
        return 0;
    }
    const auto restored = server::app::restoreBackup(options.path, dataOf(options));
    if (!restored)
        return fail(restored.error());
    print(options, *restored, fmt::format("restored into {}", dataOf(options).string()));
    return 0;
}

std::shared_ptr<Options> addOptions(CLI::App &command, const char *what)
{
    auto options = std::make_shared<Options>();
    command.add_option("BACKUP", options->path, what)->required()->type_name("FILE|DIR");
    command
        .add_option("--data", options->data,
                    "Data directory (also SLIPWAY_DATA; default: $XDG_DATA_HOME/slipway)")
        ->envname("SLIPWAY_DATA")
        ->type_name("DIR");
    command.add_option("--format", options->format, "text or json")
        ->check(CLI::IsMember({"text", "json"}))
        ->type_name("FORMAT");
    return options;
}

} // namespace

void registerBackup(CLI::App &app, int &exitCode)
{
    CLI::App *backup = app.add_subcommand(
        "backup", "Copy a server's data while it runs: database, logs, artifacts, repositories");
    const auto backupOptions = addOptions(*backup, "New folder, or new file ending in .tar.zst");
    backup->callback([backupOptions, &exitCode] { exitCode = backUp(*backupOptions); });

    CLI::App *restored =
        app.add_subcommand("restore", "Put a backup into an empty data directory, checked first");
    const auto restoreOptions = addOptions(*restored, "The backup");
    restored->add_flag("--verify", restoreOptions->verify, "Only check the backup, keep nothing");
    restored->callback([restoreOptions, &exitCode] { exitCode = restore(*restoreOptions); });
}

} // namespace cli
