// The checkout step (worker-and-tasks 1.4 to 1.6): git by its command line, credentials through the
// environment only.
#include "worker/base/text.h"
#include "worker/tasks/implementations.h"
#include "worker/tasks/local_history.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <poll.h>

namespace worker {
namespace {

using schema::TaskResult;
using schema::protocol::JobRepository;

constexpr int kFetchTries = 3;

/// Configuration for one git call without touching files or arguments: GIT_CONFIG_COUNT and
/// friends (git 2.31 and newer).
class GitConfig
{
public:
    void add(const std::string &key, const std::string &value)
    {
        m_entries.emplace_back(key, value);
    }

    [[nodiscard]] Environment environment() const
    {
        Environment out{{"GIT_TERMINAL_PROMPT", "0"},
                        {"GIT_CONFIG_COUNT", std::to_string(m_entries.size())}};
        for (std::size_t i = 0; i < m_entries.size(); ++i) {
            out.emplace_back("GIT_CONFIG_KEY_" + std::to_string(i), m_entries[i].first);
            out.emplace_back("GIT_CONFIG_VALUE_" + std::to_string(i), m_entries[i].second);
        }
        return out;
    }

private:
    std::vector<std::pair<std::string, std::string>> m_entries;
};

/// The address (empty: unknown) that git was refused at, when its errors say that nobody was let
/// in: another try would change nothing.
std::optional<std::string> refusedAddress(std::string_view errors)
{
    constexpr std::array<std::string_view, 5> kRefusals{
        "returned error: 403", "returned error: 401", "Authentication failed for",
        "could not read Username for", "could not read Password for"};
    for (const std::string_view refusal : kRefusals) {
        const std::size_t at = errors.find(refusal);
        if (at == std::string_view::npos)
            continue;
        std::string_view line = errors.substr(errors.rfind('\n', at) + 1);
        line = line.substr(0, line.find('\n'));
        const std::size_t open = line.find('\'');
        const std::size_t close = open == std::string_view::npos ? open : line.find('\'', open + 1);
        return close == std::string_view::npos
                   ? std::string()
                   : std::string(line.substr(open + 1, close - open - 1));
    }
    return std::nullopt;
}

class Checkout
{
public:
    Checkout(TaskContext &task, const JobRepository &repository)
        : m_task(task)
        , m_repository(repository)
    {}

    Status run();

private:
    Result<fs::path> targetFolder() const;
    void authorize();
    void trustServer();
    Status git(const std::vector<std::string> &arguments, const std::string &remedy = {},
               bool echo = true);
    [[nodiscard]] std::string refusal(const std::string &address) const;
    Result<std::string> ask(const std::vector<std::string> &arguments);
    Status prepareFolder();
    Status cleanExisting();
    Status sparse();
    Status fetch();
    Status fetchLargeFiles();
    [[nodiscard]] std::string wanted() const;
    Status checkOut();
    Status submodules();
    void announce() const;
    Status copyLocal();

    TaskContext &m_task;
    const JobRepository &m_repository;
    fs::path m_folder;
    GitConfig m_config;
    std::string m_header;
    int m_depth = 0;
    bool m_existing = false, m_lfs = false;
};

Result<fs::path> Checkout::targetFolder() const
{
    const JobContext &job = m_task.job();
    const auto &layout = job.layout;
    fs::path folder = layout.sources;
    if (const auto path = m_task.input("path"); !path.empty()) {
        folder = (layout.workspace / path).lexically_normal();
        const auto relative = folder.lexically_relative(layout.workspace);
        if (relative.empty() || *relative.begin() == ".." || relative == ".")
            return {ErrorCode::InvalidArgument, "the input 'path' ('" + path +
                                                    "') must name a folder below " +
                                                    layout.workspace.string()};
    } else if (job.checkouts > 1) {
        const auto slash = m_repository.name.rfind('/');
        folder =
            layout.sources /
            (slash == std::string::npos ? m_repository.name : m_repository.name.substr(slash + 1));
    }
    return folder;
}

void Checkout::authorize()
{
    const JobContext &job = m_task.job();
    if (m_repository.url.find("://") == std::string::npos || m_repository.url.starts_with("ssh"))
        return;
    if (const auto *connection = job.connection(m_repository.connection);
        connection != nullptr && !m_repository.connection.empty()) {
        const auto *user = schema::findText(connection->parameters, "username");
        const auto *password = schema::findText(connection->parameters, "password");
        if (password == nullptr)
            password = schema::findText(connection->parameters, "apitoken");
        if (password == nullptr)
            password = schema::findText(connection->parameters, "accesstoken");
        if (password != nullptr && !password->empty()) {
            const std::string name =
                user != nullptr && !user->empty() ? *user : std::string("x-access-token");
            m_header = "AUTHORIZATION: basic " + encodeBase64(name + ":" + *password);
        }
    } else if (m_repository.connection.empty() && !job.message.jobToken.empty()) {
        m_header = "AUTHORIZATION: bearer " + job.message.jobToken;
    }
    if (m_header.empty() || job.variables.isTrue("system.selfmanagegitcreds"))
        return;
    // Scoped to the repository's own server: submodules and redirects elsewhere get nothing.
    const auto authority = m_repository.url.find('/', m_repository.url.find("://") + 3);
    m_config.add("http." + m_repository.url.substr(0, authority) + "/.extraheader", m_header);
}

/// The server's own repositories may stand behind a certificate that only the worker's --ca vouches
/// for.
void Checkout::trustServer()
{
    const JobContext &job = m_task.job();
    const std::string &file = job.options.authorityFile;
    if (file.empty() || !m_repository.url.starts_with(job.message.serverUrl + "/"))
        return;
    const bool folder = fs::is_directory(file);
    m_config.add("http." + job.message.serverUrl + (folder ? "/.sslCAPath" : "/.sslCAInfo"), file);
}

Status Checkout::git(const std::vector<std::string> &arguments, const std::string &remedy,
                     bool echo)
{
    ToolCall call;
    call.program = "git";
    call.arguments = arguments;
    call.environment = m_config.environment();
    call.workingDirectory = m_folder.string();
    call.echo = echo;
    ASSIGN_OR_RETURN(const auto result, m_task.run(call));
    if (result.ok())
        return {};
    const std::string failure =
        "git " + arguments.front() + " failed with exit code " + std::to_string(result.exitCode);
    if (const auto address = refusedAddress(result.errors))
        return {ErrorCode::PermissionDenied, failure + ": " + refusal(*address)};
    return {ErrorCode::Unavailable, failure + (remedy.empty() ? "" : ": " + remedy)};
}

/// What to do where the server of `address` knows who asks, or that nobody does, and says no.
std::string Checkout::refusal(const std::string &address) const
{
    const std::string what = "this job may not read the repository " +
                             (address.empty() ? m_repository.url : address) + "; ";
    if (!m_repository.connection.empty())
        return what + "give the service connection '" + m_repository.connection +
               "' credentials that may";
    return what + "if this server hosts it, name it under `uses: repositories` of the job, else "
                  "declare it with an `endpoint` that holds the credentials";
}

Result<std::string> Checkout::ask(const std::vector<std::string> &arguments)
{
    ToolCall call;
    call.program = "git";
    call.arguments = arguments;
    call.environment = m_config.environment();
    call.workingDirectory = m_folder.string();
    call.echo = false;
    call.print = false;
    ASSIGN_OR_RETURN(const auto result, m_task.run(call));
    if (!result.ok())
        return {ErrorCode::NotFound, trimmed(result.errors)};
    return trimmed(result.output);
}

Status Checkout::cleanExisting()
{
    std::error_code ignored;
    fs::remove(m_folder / ".git" / "index.lock", ignored);
    fs::remove(m_folder / ".git" / "shallow.lock", ignored);
    if (!m_task.flag("clean"))
        return {};
    auto status = git({"clean", "-ffdx"});
    if (status)
        status = git({"reset", "--hard", "HEAD"});
    if (status || status.error().code == ErrorCode::Canceled ||
        status.error().code == ErrorCode::Timeout)
        return status;
    m_task.warning("cleaning failed; the folder is deleted and cloned anew");
    m_existing = false;
    return emptyDirectory(m_folder);
}

Status Checkout::prepareFolder()
{
    RETURN_IF_ERROR(makeDirectories(m_folder));
    std::error_code error;
    m_existing = fs::exists(m_folder / ".git", error);
    if (m_existing) {
        const auto url = ask({"config", "--get", "remote.origin.url"});
        if (!url && url.error().code == ErrorCode::NotFound &&
            m_task.stopped() == StopReason::None) {
            m_existing = false;
        } else if (url && *url != m_repository.url) {
            m_task.print("The folder holds a clone of another repository; it is deleted.");
            m_existing = false;
        }
        if (!m_existing)
            RETURN_IF_ERROR(emptyDirectory(m_folder));
    } else if (!fs::is_empty(m_folder, error)) {
        // Other checkouts may live below: only what is no clone goes.
        if (m_task.job().checkouts <= 1)
            RETURN_IF_ERROR(emptyDirectory(m_folder));
    }
    if (m_existing)
        RETURN_IF_ERROR(cleanExisting());
    if (!m_existing) {
        RETURN_IF_ERROR(git({"init", "--quiet", m_folder.string()}));
        RETURN_IF_ERROR(git({"remote", "add", "origin", m_repository.url}));
    }
    RETURN_IF_ERROR(sparse());
    return git({"config", "gc.auto", "0"}, {}, false);
}

Status Checkout::sparse()
{
    const auto directories = m_task.input("sparseCheckoutDirectories");
    const auto patterns = m_task.input("sparseCheckoutPatterns");
    if (directories.empty() && patterns.empty()) {
        if (m_existing && fs::exists(m_folder / ".git" / "info" / "sparse-checkout"))
            return git({"sparse-checkout", "disable"});
        return {};
    }
    const bool cone = !directories.empty();
    RETURN_IF_ERROR(git({"sparse-checkout", "init", cone ? "--cone" : "--no-cone"}));
    std::vector<std::string> set{"sparse-checkout", "set"};
    for (auto &entry : listEntries(cone ? directories : patterns, " \n"))
        set.push_back(entry);
    return git(set);
}

Status Checkout::fetch()
{
    std::vector<std::string> base{
        "fetch",
        "--force",
        equalsIgnoringCase(m_task.input("fetchTags"), "false") ? "--no-tags" : "--tags",
        "--prune",
        "--no-recurse-submodules",
        "origin"};
    if (m_depth > 0)
        base.push_back("--depth=" + std::to_string(m_depth));
    else if (fs::exists(m_folder / ".git" / "shallow"))
        base.emplace_back("--unshallow");
    if (const auto filter = m_task.input("fetchFilter"); !filter.empty())
        base.push_back("--filter=" + filter);
    const std::string &version = m_repository.version;
    auto first = base;
    if (!version.empty() && m_depth > 0) {
        first.push_back("+" + version + ":refs/remotes/origin/" + version);
    } else {
        first.emplace_back("+refs/heads/*:refs/remotes/origin/*");
        if (m_repository.ref.starts_with("refs/pull/"))
            first.push_back("+" + m_repository.ref + ":refs/remotes/" + m_repository.ref.substr(5));
    }
    const std::string remedy =
        "the repository " + m_repository.url +
        " could not be read; check that it exists, that the server is reachable and that " +
        (m_repository.connection.empty() ? "this pipeline may read it"
                                         : "the credentials of its service connection are right");
    for (int round = 1;; ++round) {
        auto status = git(first, remedy);
        if (status)
            break;
        if (status.error().code != ErrorCode::Unavailable || round == kFetchTries)
            return status;
        m_task.warning("git fetch failed; trying again in " + counted(1U << (round - 1), "second"));
        pollfd stop{m_task.job().stop.fd(), POLLIN, 0};
        ::poll(&stop, 1, 1000 << (round - 1));
    }
    if (!version.empty() && m_depth == 0 && !ask({"cat-file", "-e", version + "^{commit}"})) {
        // A commit that is on no branch tip any more.
        auto second = base;
        std::erase(second, "--unshallow");
        second.push_back("+" + version);
        return git(second, "the commit " + version + " is not in the repository any more");
    }
    return {};
}

/// What is checked out: the commit, else the tip of the branch.
std::string Checkout::wanted() const
{
    if (!m_repository.version.empty())
        return m_repository.version;
    const std::string &ref = m_repository.ref;
    if (ref.starts_with("refs/heads/"))
        return "refs/remotes/origin/" + ref.substr(11);
    return ref.empty() ? "FETCH_HEAD" : ref;
}

Status Checkout::fetchLargeFiles()
{
    if (!m_lfs)
        return {};
    if (const auto version = ask({"lfs", "version"}); !version)
        return {
            ErrorCode::NotFound,
            "the checkout asks for large files (lfs: true) and git-lfs is not installed on this "
            "worker: install it (Debian: git-lfs) or run the job where it is"};
    RETURN_IF_ERROR(git({"lfs", "install", "--local", "--skip-repo"}, {}, false));
    auto status = git({"lfs", "fetch", "origin", wanted()});
    if (!status && status.error().code == ErrorCode::Unavailable) {
        m_task.warning("git lfs fetch failed; the checkout fetches file by file");
        return {};
    }
    return status;
}

Status Checkout::checkOut()
{
    return git({"checkout", "--quiet", "--force", "--detach", wanted()},
               m_depth > 0 ? "the commit may be deeper than fetchDepth " + std::to_string(m_depth)
                           : "the commit or branch does not exist in the repository");
}

Status Checkout::submodules()
{
    const auto mode = toLower(m_task.input("submodules"));
    if (mode.empty() || mode == "false")
        return {};
    std::vector<std::string> sync{"submodule", "sync"};
    std::vector<std::string> update{"submodule", "update", "--init", "--force"};
    if (m_depth > 0)
        update.push_back("--depth=" + std::to_string(m_depth));
    if (mode == "recursive") {
        sync.emplace_back("--recursive");
        update.emplace_back("--recursive");
    }
    RETURN_IF_ERROR(git(sync));
    return git(update, "a submodule could not be fetched");
}

void Checkout::announce() const
{
    JobContext &job = m_task.job();
    job.repositoryPaths[toLower(m_repository.alias)] = m_folder.string();
    const bool self = equalsIgnoringCase(m_repository.alias, "self");
    if (self || job.checkouts == 1)
        job.variables.set("Build.Repository.LocalPath", m_folder.string());
    if (job.checkouts == 1) {
        job.variables.set("Build.SourcesDirectory", m_folder.string());
        job.variables.set("System.DefaultWorkingDirectory", m_folder.string());
    } else if (m_task.flag("workspaceRepo")) {
        job.variables.set("System.DefaultWorkingDirectory", m_folder.string());
    }
}

Status Checkout::copyLocal()
{
    // What git knows and what is new and not ignored: the tree as its author sees it.
    m_task.print("Copying " + m_task.job().options.localSources.string());
    RETURN_IF_ERROR(emptyDirectory(m_folder));
    ToolCall list;
    list.program = "git";
    list.arguments = {"ls-files", "-z", "--cached", "--others", "--exclude-standard"};
    list.workingDirectory = m_task.job().options.localSources.string();
    list.echo = false;
    list.print = false;
    const auto listed = m_task.run(list);
    std::vector<std::string> files;
    const fs::path root = m_task.job().options.localSources;
    if (listed && listed->ok()) {
        std::string_view rest(listed->output);
        while (!rest.empty()) {
            const auto end = rest.find('\0');
            files.emplace_back(rest.substr(0, end));
            rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
        }
    } else {
        for (const auto &entry : fs::recursive_directory_iterator(root)) {
            if (!entry.is_directory() || entry.is_symlink())
                files.push_back(entry.path().lexically_relative(root).string());
        }
    }
    std::error_code error;
    // The run's own folder may lie in the tree.
    const auto own = m_task.job().options.work.parent_path().lexically_relative(root).string();
    std::erase_if(files, [&own](const std::string &file) { return file.starts_with(own + "/"); });
    for (const auto &file : files) {
        const auto from = root / file;
        if (!fs::is_symlink(from, error) && !fs::is_regular_file(from, error))
            continue; // deleted in the tree, or a submodule
        RETURN_IF_ERROR(makeDirectories((m_folder / file).parent_path()));
        fs::copy(from, m_folder / file,
                 fs::copy_options::copy_symlinks | fs::copy_options::overwrite_existing, error);
        if (error)
            return systemError("copy", from, error.value());
    }
    m_task.print("Copied " + counted(files.size(), "file") + " (uncommitted changes included)");
    return lendHistory(root, m_folder);
}

Status Checkout::run()
{
    ASSIGN_OR_RETURN(m_folder, targetFolder());
    JobContext &job = m_task.job();
    if (job.options.local && equalsIgnoringCase(m_repository.alias, "self")) {
        RETURN_IF_ERROR(copyLocal());
        announce();
        return {};
    }
    if (m_repository.url.empty())
        return {ErrorCode::NotFound,
                "the server has no repository '" + m_repository.name + "' ('" + m_repository.alias +
                    "'); create it, or correct its name or endpoint below resources.repositories"};
    auto depth = job.variables.value("agent.source.git.shallowFetchDepth");
    if (depth.empty())
        depth = m_task.input("fetchDepth");
    const auto parsed = std::from_chars(depth.data(), depth.data() + depth.size(), m_depth);
    if (!depth.empty() && (parsed.ec != std::errc() || m_depth < 0))
        return {ErrorCode::InvalidArgument,
                "the input 'fetchDepth' ('" + depth + "') must be a number, 0 for everything"};
    authorize();
    trustServer();
    const auto lfs = job.variables.value("agent.source.git.lfs");
    m_lfs = lfs.empty() ? m_task.flag("lfs") : isTrue(lfs);
    if (!m_lfs)
        setEnvironment(m_task.environment, "GIT_LFS_SKIP_SMUDGE", "1");
    RETURN_IF_ERROR(prepareFolder());
    RETURN_IF_ERROR(fetch());
    RETURN_IF_ERROR(fetchLargeFiles());
    m_task.state().progress(80, "");
    RETURN_IF_ERROR(checkOut());
    RETURN_IF_ERROR(submodules());
    if (m_task.flag("persistCredentials") && !m_header.empty()) {
        // In the job's temporary folder, which is deleted after every kind of end; the clone only
        // refers to it. Nothing of it is in an argument.
        const fs::path file = m_task.temporary(".gitconfig");
        RETURN_IF_ERROR(writeFile(
            file, "[http \"" + m_repository.url + "\"]\n\textraheader = " + m_header + "\n", 0600));
        RETURN_IF_ERROR(git({"config", "--replace-all", "include.path", file.string()}, {}, false));
        job.taskState["checkout/" + m_task.step().id] = m_folder.string();
    }
    announce();
    if (const auto head = ask({"log", "-1", "--format=%H %s"}))
        m_task.print("HEAD is now at " + defuseCommands(*head));
    return {};
}

} // namespace

TaskResult runCheckout(TaskContext &task)
{
    JobContext &job = task.job();
    if (job.variables.isTrue("agent.source.skip") ||
        equalsIgnoringCase(job.variables.value("build.syncSources"), "false")) {
        task.print("Sources are not fetched (agent.source.skip or build.syncSources).");
        return TaskResult::Succeeded;
    }
    const auto alias = task.input("repository");
    const auto &repositories = job.message.repositories;
    const auto it =
        std::find_if(repositories.begin(), repositories.end(), [&alias](const auto &repository) {
            return equalsIgnoringCase(repository.alias, alias.empty() ? "self" : alias);
        });
    if (it == repositories.end())
        return task.fail("this job has no repository '" + alias +
                         "'; declare it in resources.repositories and, when only the run knows "
                         "its name, under `uses: repositories` of the job");
    if (const auto status = Checkout(task, *it).run(); !status)
        return task.fail(status.error());
    return TaskResult::Succeeded;
}

TaskResult finishCheckout(TaskContext &task)
{
    const auto it = task.job().taskState.find("checkout/" + task.step().id);
    if (it == task.job().taskState.end())
        return TaskResult::Succeeded;
    ToolCall call;
    call.program = "git";
    call.arguments = {"config", "--unset-all", "include.path"};
    call.workingDirectory = it->second;
    call.echo = call.print = false;
    // The file it refers to goes with the job's temporary folder in any case.
    if (const auto result = task.run(call); !result)
        return task.fail(result.error());
    task.print("Removed the credentials that persistCredentials had left in the clone.");
    return TaskResult::Succeeded;
}

} // namespace worker
