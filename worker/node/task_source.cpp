#include "worker/node/task_source.h"

#include "schema/base/guid.h"
#include "schema/tasks/task_execution.h"
#include "worker/base/text.h"
#include "worker/node/package.h"
#include "worker/sink/http_client.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <fcntl.h>
#include <fstream>
#include <poll.h>
#include <sys/stat.h>

namespace worker {
namespace {

constexpr int kDeepest = 3;
/// Tries of a download, and the pause between them; a stop of the job ends the waiting.
constexpr int kTries = 20;
constexpr int kPauseMs = 3000;

class FolderTasks final : public TaskSource
{
public:
    explicit FolderTasks(const std::vector<std::string> &folders)
    {
        for (const auto &folder : folders)
            scan(folder);
    }

    Result<FoundTask> find(std::string_view reference, std::string_view version,
                           const std::function<void(const std::string &)> & /*say*/) override
    {
        const FoundTask *best = nullptr;
        std::string others;
        const auto dot = reference.rfind('.');
        const auto last = dot == std::string_view::npos ? reference : reference.substr(dot + 1);
        for (const auto &task : m_tasks) {
            if (!equalsIgnoringCase(task.id, reference) && !equalsIgnoringCase(task.name, last))
                continue;
            others += (others.empty() ? "" : ", ") + task.version;
            const auto numbers = schema::versionNumbers(task.version);
            if (schema::answersTo(numbers, version) &&
                (best == nullptr || schema::versionNumbers(best->version) < numbers))
                best = &task;
        }
        if (best != nullptr)
            return *best;
        return {ErrorCode::NotFound,
                others.empty() ? "" : "the task folders hold version " + others + " of it"};
    }

private:
    void scan(const fs::path &folder)
    {
        std::error_code error;
        auto found = fs::recursive_directory_iterator(
            folder, fs::directory_options::skip_permission_denied, error);
        for (; !error && found != fs::recursive_directory_iterator(); found.increment(error)) {
            if (found.depth() >= kDeepest || found->path().filename() == "node_modules")
                found.disable_recursion_pending();
            if (found->path().filename() == "task.json")
                add(found->path());
        }
    }

    void add(const fs::path &file)
    {
        const auto text = readFile(file, 16U << 20U);
        if (!text)
            return;
        const auto task = schema::parseTaskExecution(*text);
        if (!task || (task->main.empty() && task->pre.empty() && task->post.empty()))
            return;
        std::error_code error;
        m_tasks.push_back({task->definition.id, task->definition.name, task->version(),
                           fs::absolute(file, error).lexically_normal().parent_path()});
    }

    std::vector<FoundTask> m_tasks;
};

class ServerTasks final : public TaskSource
{
public:
    ServerTasks(std::string serverUrl, std::string jobToken, const std::string &jobId,
                fs::path cache, const StopSignal &stop, std::string authorityFile)
        : m_url(std::move(serverUrl))
        , m_token(std::move(jobToken))
        , m_base("/_apis/slipway/jobs/" + jobId + "/tasks")
        , m_cache(std::move(cache))
        , m_stop(stop)
        , m_authorityFile(std::move(authorityFile))
    {}

    Result<FoundTask> find(std::string_view reference, std::string_view version,
                           const std::function<void(const std::string &)> &say) override
    {
        ASSIGN_OR_RETURN(const auto reply, ask(m_base + "?reference=" + pathSegment(reference) +
                                               "&version=" + pathSegment(version)));
        if (reply.status == 404)
            return {ErrorCode::NotFound, replyMessage(reply)};
        if (!reply.ok())
            return {ErrorCode::Unavailable,
                    "the server's task store answers: " + replyMessage(reply)};
        const auto json = nlohmann::json::parse(reply.body, nullptr, false);
        const auto member = [&json](const char *name) {
            return json.is_object() && json.contains(name) && json[name].is_string()
                       ? json[name].get<std::string>()
                       : std::string();
        };
        FoundTask task{member("id"), member("name"), member("version"), {}};
        const auto sha256 = member("sha256");
        // They become folder names: nothing but what such names consist of.
        if (!schema::isGuid(task.id) || sha256.size() != 64 || task.version.empty() ||
            task.version.find_first_not_of("0123456789.") != std::string::npos ||
            task.name.empty() || task.name.find_first_of("/\\") != std::string::npos)
            return {ErrorCode::InvalidArgument, "the server's task store gave no usable answer"};
        const fs::path parent = m_cache / (task.name + "_" + task.id);
        task.folder = parent / task.version;
        const fs::path mark = parent / (task.version + ".completed");
        if (auto known = readFile(mark, 256); known && trimmed(*known) == sha256) {
            ::utimensat(AT_FDCWD, mark.c_str(), nullptr, 0); // when it was used last
            return task;
        }
        say("Downloading the task " + task.name + " (" + task.version + ")");
        RETURN_IF_ERROR(fetch(task, sha256, parent, mark));
        return task;
    }

private:
    Result<HttpReply> ask(const std::string &path)
    {
        return repeated([&](HttpClient &client) { return client.call("GET", path); });
    }

    template <typename Call> Result<HttpReply> repeated(const Call &call)
    {
        for (int attempt = 1;; ++attempt) {
            if (m_stop.reason() != StopReason::None)
                return {ErrorCode::Canceled, "the job was canceled"};
            ASSIGN_OR_RETURN(const auto client,
                             HttpClient::create(m_url, m_token, m_authorityFile));
            Result<HttpReply> reply = call(*client);
            const bool again =
                reply ? reply->status >= 500 : reply.error().code == ErrorCode::Unavailable;
            if (!again || attempt >= kTries)
                return reply;
            pollfd stop{m_stop.fd(), POLLIN, 0};
            ::poll(&stop, 1, kPauseMs);
        }
    }

    Status fetch(const FoundTask &task, const std::string &sha256, const fs::path &parent,
                 const fs::path &mark)
    {
        RETURN_IF_ERROR(makeDirectories(parent));
        const fs::path fresh = m_cache / ("_temp_" + schema::randomGuid());
        const auto status = fetchInto(task, sha256, fresh);
        if (!status) {
            static_cast<void>(removeTree(fresh)); // nobody looks at it; the next try has its own
            return status;
        }
        std::error_code error;
        fs::remove(mark, error);
        RETURN_IF_ERROR(removeTree(task.folder));
        fs::rename(fresh / "task", task.folder, error);
        // Another job on this machine may have been first: then its folder is as good.
        const bool raced = error && fs::exists(task.folder / "task.json");
        static_cast<void>(removeTree(fresh));
        if (error && !raced)
            return systemError("move the task to", task.folder, error.value());
        return writeFileDurably(mark, sha256);
    }

    Status fetchInto(const FoundTask &task, const std::string &sha256, const fs::path &fresh)
    {
        RETURN_IF_ERROR(makeDirectories(fresh));
        const fs::path zip = fresh / "package.zip";
        const auto path = m_base + "/" + task.id + "/" + task.version;
        ASSIGN_OR_RETURN(const auto reply, repeated([&](HttpClient &client) {
                             return client.download(path, [&zip](std::istream &in) -> Status {
                                 std::ofstream out(zip, std::ios::binary | std::ios::trunc);
                                 std::array<char, 1U << 16U> buffer{};
                                 while (in.good() && out.good()) {
                                     in.read(buffer.data(), buffer.size());
                                     out.write(buffer.data(), in.gcount());
                                 }
                                 out.close();
                                 if (!out)
                                     return systemError("write", zip, errno == 0 ? EIO : errno);
                                 return {};
                             });
                         }));
        if (!reply.ok())
            return {ErrorCode::Unavailable, "the task " + task.name + " " + task.version +
                                                " cannot be fetched: " + replyMessage(reply)};
        ASSIGN_OR_RETURN(const auto actual, sha256OfFile(zip));
        if (actual != sha256)
            return {ErrorCode::InvalidArgument,
                    "the package of the task " + task.name + " " + task.version +
                        " has a wrong checksum: expected SHA-256 " + sha256 + ", got " + actual +
                        "; nothing of it was run. Install it again: slipway task install"};
        return unpackPackage(zip, fresh / "task");
    }

    std::string m_url, m_token, m_base;
    fs::path m_cache;
    const StopSignal &m_stop;
    std::string m_authorityFile;
};

} // namespace

std::unique_ptr<TaskSource> folderTaskSource(const std::vector<std::string> &folders)
{
    return std::make_unique<FolderTasks>(folders);
}

std::unique_ptr<TaskSource> serverTaskSource(const std::string &serverUrl,
                                             const std::string &jobToken, const std::string &jobId,
                                             const fs::path &cache, const StopSignal &stop,
                                             const std::string &authorityFile)
{
    return std::make_unique<ServerTasks>(serverUrl, jobToken, jobId, cache, stop, authorityFile);
}

} // namespace worker
