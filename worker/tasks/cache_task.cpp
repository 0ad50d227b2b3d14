// Cache@2 (worker-and-tasks 10.5) with entries on this worker's disk, per pipeline and branch.
#include "worker/base/text.h"
#include "worker/glob/glob.h"
#include "worker/tasks/implementations.h"

#include <algorithm>
#include <fcntl.h>
#include <memory>
#include <openssl/evp.h>
#include <unistd.h>

namespace worker {
namespace {

using schema::TaskResult;

std::string hex(std::string_view bytes)
{
    static constexpr std::string_view kDigits = "0123456789abcdef";
    std::string out;
    for (const char c : bytes) {
        out += kDigits[static_cast<unsigned char>(c) >> 4U];
        out += kDigits[static_cast<unsigned char>(c) & 15U];
    }
    return out;
}

class Sha256
{
public:
    Sha256()
        : m_context(EVP_MD_CTX_new(), EVP_MD_CTX_free)
    {
        EVP_DigestInit_ex(m_context.get(), EVP_sha256(), nullptr);
    }

    void add(std::string_view bytes)
    {
        EVP_DigestUpdate(m_context.get(), bytes.data(), bytes.size());
    }

    std::string finish()
    {
        std::string out(32, '\0');
        EVP_DigestFinal_ex(m_context.get(), reinterpret_cast<unsigned char *>(out.data()), nullptr);
        return out;
    }

private:
    std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> m_context;
};

std::string sha256(std::string_view bytes)
{
    Sha256 hash;
    hash.add(bytes);
    return hash.finish();
}

Result<std::string> fileHash(const fs::path &path)
{
    const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!fd)
        return systemError("read", path, errno);
    Sha256 hash;
    std::vector<char> buffer(1U << 17U);
    while (true) {
        const auto count = ::read(fd.get(), buffer.data(), buffer.size());
        if (count < 0)
            return systemError("read", path, errno);
        if (count == 0)
            return hash.finish();
        hash.add({buffer.data(), static_cast<std::size_t>(count)});
    }
}

bool isFilePattern(const std::string &segment)
{
    if (segment.size() > 1 && segment.front() == '"' && segment.back() == '"')
        return false;
    return segment.find_first_of("./") != std::string::npos && !segment.ends_with('.') &&
           segment.find_first_of("<>|\"") == std::string::npos;
}

/// One segment of a key as it goes into the fingerprint.
Result<std::string> resolveSegment(TaskContext &task, const std::string &segment)
{
    if (segment == "*" || segment == "**" || segment.starts_with('\'') || segment.starts_with('`'))
        return {ErrorCode::InvalidArgument,
                "the key segment '" + segment + "' is not valid; name files, or quote it with \""};
    if (!isFilePattern(segment))
        return segment;
    ASSIGN_OR_RETURN(const auto files,
                     findMatches(task.defaultDirectory(), listEntries(segment, ","),
                                 {.matchBase = false, .directories = false}));
    if (files.empty())
        return {ErrorCode::NotFound, "no file matches the key segment '" + segment + "' below " +
                                         task.defaultDirectory().string() +
                                         " (quote it with \" if it is plain text)"};
    std::string all;
    std::error_code ignored;
    for (const auto &file : files) {
        ASSIGN_OR_RETURN(const auto content, fileHash(file));
        const auto relative =
            fs::path(file).lexically_relative(task.job().layout.workspace).string();
        all += "\nSHA256(" + relative + ")=[" + std::to_string(fs::file_size(file, ignored)) + "]" +
               hex(content);
    }
    return encodeBase64(sha256(all));
}

/// The fingerprint: resolved segments joined with '|'.
Result<std::string> resolveKey(TaskContext &task, const std::string &key)
{
    std::vector<std::string> segments;
    if (const auto salt = task.job().variables.value("AZP_CACHING_SALT"); !salt.empty())
        segments.push_back(salt);
    for (const auto &segment : listEntries(key, "|")) {
        ASSIGN_OR_RETURN(auto resolved, resolveSegment(task, segment));
        segments.push_back(std::move(resolved));
    }
    if (segments.empty())
        return {ErrorCode::InvalidArgument, "the input 'key' is empty"};
    return join(segments, "|");
}

fs::path cacheFolder(TaskContext &task)
{
    const JobContext &job = task.job();
    return job.layout.work / "_cache" /
           hex(sha256(job.message.project + "\n" + job.message.pipelineName)).substr(0, 16);
}

/// Entries are named by fingerprint; the text beside them serves prefix searches.
fs::path entry(const fs::path &folder, const std::string &fingerprint)
{
    return folder / hex(sha256(fingerprint));
}

/// Newest entry whose fingerprint begins with the segments of `prefix`.
std::optional<fs::path> findByPrefix(const fs::path &folder, const std::string &prefix)
{
    std::optional<fs::path> best;
    fs::file_time_type newest{};
    std::error_code error;
    for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
        if (it->path().extension() != ".key")
            continue;
        const auto text = readFile(it->path(), 1U << 16U).value_or("");
        if (text != prefix && !text.starts_with(prefix + "|"))
            continue;
        const auto time = it->last_write_time(error);
        if (!best || time > newest) {
            best = it->path();
            best->replace_extension();
            newest = time;
        }
    }
    return best;
}

Status unpack(TaskContext &task, const fs::path &archive, const fs::path &target)
{
    RETURN_IF_ERROR(makeDirectories(target));
    ToolCall call{"tar", {"-x", "-f", archive.string(), "-C", target.string()}};
    ASSIGN_OR_RETURN(const auto result, task.run(call));
    if (!result.ok())
        return {ErrorCode::Io, "the cache entry could not be unpacked: " + trimmed(result.errors)};
    return {};
}

void setHit(TaskContext &task, const std::string &value)
{
    if (const auto name = task.input("cacheHitVar"); !name.empty())
        task.job().variables.set(name, value);
}

Result<TaskResult> restore(TaskContext &task)
{
    const auto folder = cacheFolder(task);
    const auto target = task.path("path");
    ASSIGN_OR_RETURN(const auto fingerprint, resolveKey(task, task.input("key")));
    task.print("Resolved to: " + fingerprint);
    task.job().taskState["cache/" + task.step().id] = fingerprint;
    std::error_code error;
    if (const auto exact = entry(folder, fingerprint); fs::exists(exact, error)) {
        RETURN_IF_ERROR(unpack(task, exact, target));
        task.print("Cache hit: the entry was restored to " + target.string());
        setHit(task, "true");
        return TaskResult::Succeeded;
    }
    for (const auto &line : listEntries(task.input("restoreKeys"))) {
        ASSIGN_OR_RETURN(const auto prefix, resolveKey(task, line));
        if (const auto found = findByPrefix(folder, prefix)) {
            RETURN_IF_ERROR(unpack(task, *found, target));
            task.print("Cache hit for the restore key: " + prefix);
            setHit(task, "inexact");
            return TaskResult::Succeeded;
        }
    }
    task.print("There is a cache miss. (Entries are kept on this worker's disk.)");
    setHit(task, "false");
    return TaskResult::Succeeded;
}

Status save(TaskContext &task)
{
    JobContext &job = task.job();
    if (job.canceled() || job.result != TaskResult::Succeeded) {
        task.print("Skipping because the job status was not 'Succeeded'.");
        return {};
    }
    const auto remembered = job.taskState.find("cache/" + task.step().id);
    if (remembered == job.taskState.end()) {
        task.print("Skipping because restore step did not run.");
        return {};
    }
    const auto again = resolveKey(task, task.input("key"));
    if (!again || *again != remembered->second)
        task.warning("the key resolves differently than when it was restored; the entry is saved "
                     "under the first one");
    const auto folder = cacheFolder(task);
    const auto target = entry(folder, remembered->second);
    std::error_code error;
    if (fs::exists(target, error)) {
        task.print("The entry exists already; entries never change.");
        return {};
    }
    const auto path = task.path("path");
    if (!fs::is_directory(path, error))
        return {ErrorCode::InvalidArgument,
                "the input 'path' ('" + path.string() + "') must be a folder that exists"};
    RETURN_IF_ERROR(makeDirectories(folder));
    const fs::path temporary = target.string() + "." + job.message.jobId + ".new";
    ToolCall call{"tar", {"-c", "-f", temporary.string(), "-C", path.string(), "."}};
    const auto result = task.run(call);
    if (!result || !result->ok()) {
        fs::remove(temporary, error);
        return result ? schema::Error{ErrorCode::Io,
                                      "the folder could not be packed: " + trimmed(result->errors)}
                      : result.error();
    }
    RETURN_IF_ERROR(writeFile(target.string() + ".key", remembered->second));
    fs::rename(temporary, target, error);
    if (error)
        return systemError("save", target, error.value());
    task.print("Saved " + path.string());
    return {};
}

} // namespace

TaskResult runCache(TaskContext &task)
{
    const auto result = restore(task);
    return result ? *result : task.fail(result.error());
}

TaskResult saveCache(TaskContext &task)
{
    // A cache that could not be saved is slow, not wrong.
    if (const auto status = save(task); !status)
        task.warning(status.error().message);
    return TaskResult::Succeeded;
}

} // namespace worker
