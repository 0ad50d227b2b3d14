#include "worker/sink/spool.h"

#include "worker/base/text.h"

#include <nlohmann/json.hpp>

#include <cerrno>
#include <cstdio>
#include <fcntl.h>
#include <unistd.h>

namespace worker {
namespace {

using Json = nlohmann::ordered_json;

std::string dump(const Json &json)
{
    return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

UniqueFd openAppend(const fs::path &path)
{
    return UniqueFd(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
}

/// Start time of a process in clock ticks since boot: with the pid it names one process for good.
std::string startTime(int pid)
{
    const auto stat = readFile("/proc/" + std::to_string(pid) + "/stat", 1U << 16U);
    if (!stat)
        return {};
    const auto end = stat->rfind(')');
    if (end == std::string::npos)
        return {};
    const auto fields = listEntries(std::string_view(*stat).substr(end + 1), " ");
    if (fields.size() < 20 || fields[0] == "Z" || fields[0] == "X")
        return {};
    return fields[19];
}

} // namespace

Spool::Spool(fs::path folder)
    : m_folder(std::move(folder))
{}

Status Spool::create(const fs::path &folder, const schema::protocol::JobMessage &message)
{
    RETURN_IF_ERROR(makeDirectories(folder / "logs"));
    std::error_code ignored;
    fs::permissions(folder, fs::perms::owner_all, ignored);
    return writeFile(folder / "job.json", dump(toJson(message)), 0600);
}

Result<schema::protocol::JobMessage> Spool::readMessage() const
{
    ASSIGN_OR_RETURN(const auto text, readFile(m_folder / "job.json"));
    const auto json = Json::parse(text, nullptr, false);
    if (json.is_discarded())
        return {ErrorCode::InvalidArgument,
                "'" + (m_folder / "job.json").string() + "' is no job message"};
    return schema::protocol::jobMessageFromJson(json);
}

Status Spool::appendRecord(const schema::protocol::RecordUpdate &update)
{
    const auto path = m_folder / "records.jsonl";
    if (!m_records)
        m_records = openAppend(path);
    if (!m_records)
        return systemError("write", path, errno);
    return writeAll(m_records.get(), dump(toJson(update)) + "\n", path);
}

Status Spool::appendLog(const std::string &recordId, std::string_view bytes)
{
    const auto path = m_folder / "logs" / recordId;
    UniqueFd &fd = m_logs[recordId];
    if (!fd)
        fd = openAppend(path);
    if (!fd)
        return systemError("write", path, errno);
    return writeAll(fd.get(), bytes, path);
}

void Spool::forgetLog(const std::string &recordId, std::uint64_t length) const
{
    const UniqueFd fd(::open((m_folder / "logs" / recordId).c_str(), O_WRONLY | O_CLOEXEC));
    if (fd) // where it cannot be done, the bytes stay until the job ends
        ::fallocate(fd.get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0,
                    static_cast<off_t>(length));
}

Result<std::vector<schema::protocol::RecordUpdate>> Spool::readRecords() const
{
    std::vector<schema::protocol::RecordUpdate> out;
    auto text = readFile(m_folder / "records.jsonl", 512U << 20U);
    if (!text && text.error().code == ErrorCode::NotFound)
        return out;
    if (!text)
        return std::move(text).error();
    for (const auto &line : lines(*text)) {
        const auto json = Json::parse(line, nullptr, false);
        if (json.is_discarded())
            continue;
        if (auto update = schema::protocol::recordUpdateFromJson(json))
            out.push_back(std::move(*update));
    }
    return out;
}

std::vector<std::string> Spool::logIds() const
{
    std::vector<std::string> out;
    std::error_code error;
    for (fs::directory_iterator it(m_folder / "logs", error), end; !error && it != end;
         it.increment(error))
        out.push_back(it->path().filename().string());
    return out;
}

Result<std::string> Spool::readLog(const std::string &recordId, std::uint64_t offset,
                                   std::size_t limit) const
{
    const auto path = m_folder / "logs" / recordId;
    const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!fd)
        return systemError("read", path, errno);
    std::string out(limit, '\0');
    std::size_t length = 0;
    while (length < limit) {
        const auto count = ::pread(fd.get(), out.data() + length, limit - length,
                                   static_cast<off_t>(offset + length));
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return systemError("read", path, errno);
        if (count == 0)
            break;
        length += static_cast<std::size_t>(count);
    }
    out.resize(length);
    return out;
}

std::uint64_t Spool::logLength(const std::string &recordId) const
{
    std::error_code error;
    const auto size = fs::file_size(m_folder / "logs" / recordId, error);
    return error ? 0 : size;
}

Status Spool::writeCompletion(const schema::protocol::JobCompletion &completion)
{
    // Survives the process, as the rest of the folder does; a power failure ends the job anyway.
    const auto temporary = m_folder / "completion.new";
    RETURN_IF_ERROR(writeFile(temporary, dump(toJson(completion)), 0600));
    const auto path = m_folder / "completion.json";
    if (::rename(temporary.c_str(), path.c_str()) != 0)
        return systemError("write", path, errno);
    return {};
}

std::optional<schema::protocol::JobCompletion> Spool::readCompletion() const
{
    const auto text = readFile(m_folder / "completion.json");
    if (!text)
        return std::nullopt;
    const auto json = Json::parse(*text, nullptr, false);
    if (json.is_discarded())
        return std::nullopt;
    auto completion = schema::protocol::jobCompletionFromJson(json);
    if (!completion)
        return std::nullopt;
    return std::move(*completion);
}

Status Spool::markDone()
{
    return writeFile(m_folder / "done", "", 0600);
}

bool Spool::isDone() const
{
    std::error_code error;
    return fs::exists(m_folder / "done", error);
}

Status Spool::writePid() const
{
    const int pid = ::getpid();
    return writeFile(m_folder / "pid", std::to_string(pid) + " " + startTime(pid), 0600);
}

int Spool::livingPid() const
{
    const auto text = readFile(m_folder / "pid", 4096);
    if (!text)
        return 0;
    const auto fields = listEntries(*text, " ");
    if (fields.size() != 2 || fields[0].size() > 9 ||
        fields[0].find_first_not_of("0123456789") != std::string::npos)
        return 0;
    const int pid = std::stoi(fields[0]);
    return startTime(pid) == fields[1] ? pid : 0;
}

} // namespace worker
