#include "worker/local/local_sink.h"

#include "worker/artifact/archive_stream.h"

#include <nlohmann/json.hpp>

#include <fstream>

namespace worker {
namespace {

/// More than this is not held back.
constexpr std::size_t kQueueBytes = 64U << 10U;

std::string dump(const nlohmann::ordered_json &json)
{
    return json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

} // namespace

LocalSink::LocalSink(UniqueFd pipe, fs::path artifacts)
    : m_pipe(std::move(pipe))
    , m_artifacts(std::move(artifacts))
{}

void LocalSink::queue(char type, std::string_view payload)
{
    const auto length = static_cast<std::uint32_t>(payload.size());
    m_queued += type;
    m_queued.append(reinterpret_cast<const char *>(&length), sizeof length);
    m_queued += payload;
    m_ended = false;
    if (m_queued.size() >= kQueueBytes)
        write();
}

void LocalSink::flush()
{
    if (!m_ended)
        write();
}

void LocalSink::write()
{
    if (m_queued.empty())
        return;
    if (auto status = writeAll(m_pipe.get(), m_queued, "pipe"); !status && m_health)
        m_health = std::move(status);
    m_queued.clear();
}

void LocalSink::record(const schema::protocol::RecordUpdate &update)
{
    queue('R', dump(toJson(update)));
    m_ended = update.state == schema::RecordState::Completed;
    if (update.state == schema::RecordState::InProgress)
        write(); // what begins may take long, and print nothing
}

void LocalSink::log(const std::string &recordId, std::string_view bytes)
{
    queue('L', recordId + "\n" + std::string(bytes));
}

Result<ArtifactInfo> LocalSink::publishArtifact(const std::string &name, const fs::path &path)
{
    if (!isArtifactName(name))
        return {ErrorCode::InvalidArgument, "'" + name + "' is no artifact name"};
    const fs::path file = m_artifacts / (name + ".tar.zst");
    std::error_code error;
    if (fs::exists(file, error))
        return {ErrorCode::AlreadyExists, "the run has an artifact '" + name + "' already"};
    RETURN_IF_ERROR(makeDirectories(m_artifacts));
    const fs::path temporary = file.string() + ".new";
    std::ofstream out(temporary, std::ios::binary);
    auto info = packArtifact(path, out, Packing::Zstd);
    out.close();
    if (info && !out)
        info = schema::Error{ErrorCode::Io, "write '" + temporary.string() + "' failed"};
    if (!info) {
        fs::remove(temporary, error);
        return info;
    }
    fs::rename(temporary, file, error);
    if (error)
        return systemError("write", file, error.value());
    info->name = name;
    return info;
}

Result<std::vector<std::string>> LocalSink::artifacts()
{
    std::vector<std::string> out;
    std::error_code error;
    for (fs::directory_iterator it(m_artifacts, error), end; !error && it != end;
         it.increment(error)) {
        auto name = it->path().filename().string();
        if (name.ends_with(".tar.zst"))
            out.push_back(name.substr(0, name.size() - 8));
    }
    return out;
}

Result<ArtifactInfo>
LocalSink::downloadArtifact(const std::string &name, const fs::path &target,
                            const std::function<bool(const std::string &path)> &wanted)
{
    std::ifstream in;
    if (isArtifactName(name))
        in.open(m_artifacts / (name + ".tar.zst"), std::ios::binary);
    if (!in.is_open())
        return {ErrorCode::NotFound, "the run has no artifact '" + name + "'"};
    return unpackArtifact(in, target, wanted);
}

Status LocalSink::publishTestRun(const schema::protocol::TestRunUpload & /*run*/)
{
    return {}; // the step's log says it
}

Status LocalSink::publishCoverage(const schema::protocol::CoverageUpload & /*coverage*/)
{
    return {}; // the step's log says it
}

Status LocalSink::publishImage(const schema::protocol::PushedImage & /*image*/)
{
    return {};
}

Status LocalSink::publishDeployed(const std::vector<schema::protocol::DeployedItem> & /*items*/)
{
    return {};
}

Status LocalSink::attach(const std::string & /*recordId*/, const std::string & /*type*/,
                         const std::string &name, const fs::path &path)
{
    if (!isArtifactName(name))
        return {ErrorCode::InvalidArgument, "'" + name + "' is no attachment name"};
    const auto folder = m_artifacts / "attachments";
    RETURN_IF_ERROR(makeDirectories(folder));
    std::error_code error;
    fs::copy_file(path, folder / name, fs::copy_options::overwrite_existing, error);
    if (error)
        return systemError("keep the attachment", folder / name, error.value());
    return {};
}

Status LocalSink::updateRun(const std::vector<std::string> & /*addTags*/,
                            const std::string &runNumber)
{
    if (!runNumber.empty()) // a local run has no tags
        queue('N', dump({{"number", runNumber}}));
    return {};
}

void LocalSink::failed(const FailedStep &step)
{
    nlohmann::ordered_json environment = nlohmann::ordered_json::array();
    for (const auto &[name, value] : step.environment)
        environment.push_back({name, value});
    queue('F', dump({{"name", step.name},
                     {"folder", step.folder.string()},
                     {"container", step.container},
                     {"environment", environment}}));
    write();
}

Status LocalSink::complete(const schema::protocol::JobCompletion &completion)
{
    queue('C', dump(toJson(completion)));
    write();
    return m_health;
}

} // namespace worker
