// `slipway language-server`: the language for editors, over standard input and output.
#include "cli/command.h"
#include "cli/language_server/framing.h"
#include "cli/language_server/server.h"
#include "cli/validate_options.h"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <iostream>
#include <memory>
#include <poll.h>
#include <unistd.h>

namespace cli {
namespace {

using language_server::FrameReader;
using language_server::Server;

struct Options
{
    std::vector<std::string> repositories, tasks;
    bool stdio = true;
};

class DiskWorkspace : public language_server::Workspace
{
public:
    explicit DiskWorkspace(FolderSource &repositories)
        : m_repositories(repositories)
    {}

    std::optional<std::string> read(const std::string &path) override
    {
        auto text = readTextFile(path);
        return text ? std::optional(std::move(*text)) : std::nullopt;
    }

    std::vector<std::string> list(const std::string &folder) override
    {
        namespace fs = std::filesystem;
        constexpr std::size_t kMost = 1'000;
        std::vector<std::string> out;
        std::error_code error;
        for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
             entry.increment(error)) {
            const std::string name = entry->path().filename().string();
            const std::string extension = entry->path().extension().string();
            std::error_code unknown;
            if (name.starts_with('.') && name != ".azure-pipelines" && name != ".pipelines")
                continue;
            if (entry->is_directory(unknown))
                out.push_back(name + "/");
            else if (extension == ".yml" || extension == ".yaml")
                out.push_back(name);
            if (out.size() == kMost)
                break;
        }
        std::sort(out.begin(), out.end());
        return out;
    }

    std::string rootOf(const std::string &path) override { return repositoryFolder(path); }

    std::optional<std::string> folderOf(const std::string &alias,
                                        const schema::RepositoryResource *repository) override
    {
        const std::string *const folder = m_repositories.folderOf(alias, repository);
        return folder == nullptr ? std::nullopt : std::optional(*folder);
    }

private:
    FolderSource &m_repositories;
};

bool writeAll(std::string_view bytes)
{
    while (!bytes.empty()) {
        const ssize_t written = ::write(STDOUT_FILENO, bytes.data(), bytes.size());
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return false;
        bytes.remove_prefix(static_cast<std::size_t>(written));
    }
    return true;
}

bool sendAll(const std::vector<std::string> &messages)
{
    for (const std::string &message : messages) {
        if (!writeAll(language_server::frame(message)))
            return false;
    }
    return true;
}

/// Is there more to read at once?
bool hasInput()
{
    pollfd input{STDIN_FILENO, POLLIN, 0};
    return ::poll(&input, 1, 0) > 0;
}

int serve(Server &server)
{
    FrameReader frames;
    constexpr std::size_t kChunk = 64U << 10U;
    std::vector<char> buffer(kChunk);
    while (true) {
        const ssize_t count = ::read(STDIN_FILENO, buffer.data(), buffer.size());
        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0)
            return server.exitStatus(); // the editor went away
        frames.feed(std::string_view(buffer.data(), static_cast<std::size_t>(count)));
        while (const auto message = frames.next()) {
            if (!sendAll(server.handle(*message)))
                return 1;
            if (server.hasEnded())
                return server.exitStatus();
        }
        if (!frames.error().empty()) {
            std::cerr << "slipway language-server: " << frames.error() << "\n";
            return 1;
        }
        if (!hasInput() && !sendAll(server.publish()))
            return 1;
    }
}

int runLanguageServer(const Options &options)
{
    auto repositories = readRepositories(options.repositories);
    auto tasks = readTasks(options.tasks);
    if (!repositories || !tasks) {
        std::cerr << "slipway language-server: "
                  << (repositories ? tasks.error() : repositories.error()).message << "\n";
        return 2;
    }
    FolderSource folders({}, std::move(*repositories));
    DiskWorkspace workspace(folders);
    Server server(workspace, *tasks);
    return serve(server);
}

} // namespace

void registerLanguageServer(CLI::App &app, int &exitCode)
{
    auto *const command = app.add_subcommand(
        "language-server", "Serve an editor: the language server protocol over standard input");
    const auto options = std::make_shared<Options>();
    command
        ->add_option("--repository", options->repositories,
                     "NAME=DIR: folder of another repository")
        ->allow_extra_args(false);
    command
        ->add_option("--tasks", options->tasks,
                     "Folder with task.json files, for the inputs of further tasks")
        ->allow_extra_args(false);
    command->add_flag("--stdio", options->stdio,
                      "Accepted, since editors pass it: there is no other way");
    command->callback([options, &exitCode] { exitCode = runLanguageServer(*options); });
}

} // namespace cli
