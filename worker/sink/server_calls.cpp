// What a running job asks of the server besides its deliveries: artifacts, results, secure files.
#include "worker/artifact/archive_stream.h"
#include "worker/artifact/compression.h"
#include "worker/sink/server_sink.h"

#include <nlohmann/json.hpp>

#include <fstream>
#include <iterator>

namespace worker {
namespace {

using Json = nlohmann::ordered_json;

std::string dump(const Json &json)
{
    return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

} // namespace

Status ServerSink::callWithBody(const std::string &path, const std::string &body)
{
    ASSIGN_OR_RETURN(const auto reply,
                     insist([&] { return m_calls->call("POST", m_base + path, body); }));
    if (!reply.ok())
        return replyError(reply);
    return {};
}

Result<ArtifactInfo> ServerSink::publishArtifact(const std::string &name, const fs::path &path)
{
    ArtifactInfo info;
    const Packing packing = isWorthCompressing(path) ? Packing::Zstd : Packing::Plain;
    const auto *type = packing == Packing::Zstd ? "application/zstd" : "application/x-tar";
    const auto write = [&](std::ostream &out) -> Status {
        ASSIGN_OR_RETURN(info, packArtifact(path, out, packing));
        return {};
    };
    ASSIGN_OR_RETURN(const auto reply, insist([&] {
                         return m_calls->upload("PUT", m_base + "artifacts/" + pathSegment(name),
                                                type, write);
                     }));
    if (!reply.ok())
        return replyError(reply);
    info.name = name;
    return info;
}

Result<std::vector<std::string>> ServerSink::artifacts()
{
    return artifactNames("artifacts");
}

Result<std::vector<std::string>> ServerSink::artifactsOf(std::int64_t runId)
{
    return artifactNames("runs/" + std::to_string(runId) + "/artifacts");
}

Result<std::vector<std::string>> ServerSink::artifactNames(const std::string &path)
{
    ASSIGN_OR_RETURN(const auto reply, insist([&] { return m_calls->call("GET", m_base + path); }));
    if (!reply.ok())
        return replyError(reply);
    auto json = Json::parse(reply.body, nullptr, false);
    if (json.is_object() && json.contains("value"))
        json = Json(json["value"]);
    if (json.is_object() && json.contains("artifacts"))
        json = Json(json["artifacts"]);
    if (!json.is_array())
        return {ErrorCode::InvalidArgument, "the server's list of artifacts is no list"};
    std::vector<std::string> names;
    for (const auto &entry : json) {
        if (entry.is_string())
            names.push_back(entry.get<std::string>());
        else if (entry.is_object() && entry.contains("name") && entry["name"].is_string())
            names.push_back(entry["name"].get<std::string>());
    }
    return names;
}

Result<ArtifactInfo>
ServerSink::downloadArtifact(const std::string &name, const fs::path &target,
                             const std::function<bool(const std::string &path)> &wanted)
{
    return fetchArtifact("artifacts/", name, target, wanted);
}

Result<ArtifactInfo>
ServerSink::downloadArtifactOf(std::int64_t runId, const std::string &name, const fs::path &target,
                               const std::function<bool(const std::string &path)> &wanted)
{
    return fetchArtifact("runs/" + std::to_string(runId) + "/artifacts/", name, target, wanted);
}

Result<ArtifactInfo>
ServerSink::fetchArtifact(const std::string &path, const std::string &name, const fs::path &target,
                          const std::function<bool(const std::string &path)> &wanted)
{
    ArtifactInfo info;
    ASSIGN_OR_RETURN(const auto reply, insist([&] {
                         return m_calls->download(
                             m_base + path + pathSegment(name), [&](std::istream &in) -> Status {
                                 ASSIGN_OR_RETURN(info, unpackArtifact(in, target, wanted));
                                 return {};
                             });
                     }));
    if (reply.status == 404)
        return {ErrorCode::NotFound, "the run has no artifact '" + name + "'"};
    if (!reply.ok())
        return replyError(reply);
    info.name = name;
    return info;
}

Status ServerSink::publishTestRun(const schema::protocol::TestRunUpload &run)
{
    return callWithBody("testruns", dump(toJson(run)));
}

Status ServerSink::publishCoverage(const schema::protocol::CoverageUpload &coverage)
{
    return callWithBody("coverage", dump(toJson(coverage)));
}

Result<schema::protocol::RunFound> ServerSink::findRun(const schema::protocol::RunQuery &query)
{
    const auto body = dump(toJson(query));
    ASSIGN_OR_RETURN(const auto reply,
                     insist([&] { return m_calls->call("POST", m_base + "runs/find", body); }));
    if (!reply.ok())
        return replyError(reply);
    return schema::protocol::runFoundFromJson(Json::parse(reply.body, nullptr, false));
}

Status ServerSink::secureFile(const std::string &name, const fs::path &target)
{
    ASSIGN_OR_RETURN(const auto reply, insist([&] {
                         return m_calls->download(m_base + "securefiles/" + pathSegment(name),
                                                  [&target](std::istream &in) -> Status {
                                                      const std::string bytes{
                                                          std::istreambuf_iterator<char>(in), {}};
                                                      return writeFile(target, bytes, 0600);
                                                  });
                     }));
    if (!reply.ok())
        return replyError(reply);
    return {};
}

Result<SecureFileTicket> ServerSink::secureFileTicket(const std::string &nameOrId)
{
    ASSIGN_OR_RETURN(const auto reply, insist([&] {
                         return m_calls->call("POST", m_base + "securefiles/" +
                                                          pathSegment(nameOrId) + "/ticket");
                     }));
    if (!reply.ok())
        return replyError(reply);
    const auto json = Json::parse(reply.body, nullptr, false);
    const auto text = [&json](const char *name) {
        return json.is_object() && json.contains(name) && json[name].is_string()
                   ? json[name].get<std::string>()
                   : std::string();
    };
    SecureFileTicket out{text("id"), text("name"), text("ticket")};
    if (out.id.empty() || out.ticket.empty())
        return {ErrorCode::InvalidArgument, "the server's ticket for '" + nameOrId + "' is none"};
    return out;
}

Status ServerSink::publishImage(const schema::protocol::PushedImage &image)
{
    return callWithBody("images", dump(toJson(image)));
}

Status ServerSink::publishDeployed(const std::vector<schema::protocol::DeployedItem> &items)
{
    Json list = Json::array();
    for (const auto &item : items)
        list.push_back(toJson(item));
    return callWithBody("deployed", dump({{"items", std::move(list)}}));
}

Status ServerSink::attach(const std::string &recordId, const std::string &type,
                          const std::string &name, const fs::path &path)
{
    ASSIGN_OR_RETURN(const auto reply, insist([&] {
                         return m_calls->upload(
                             "PUT",
                             m_base + "attachments/" + pathSegment(recordId) + "/" +
                                 pathSegment(type) + "/" + pathSegment(name),
                             "application/octet-stream", [&path](std::ostream &out) -> Status {
                                 std::ifstream in(path, std::ios::binary);
                                 if (!in)
                                     return {ErrorCode::Io, "read '" + path.string() + "'"};
                                 if (in.peek() != std::ifstream::traits_type::eof())
                                     out << in.rdbuf();
                                 return {};
                             });
                     }));
    if (!reply.ok())
        return replyError(reply);
    return {};
}

Status ServerSink::updateRun(const std::vector<std::string> &addTags, const std::string &runNumber)
{
    Json body = {{"addTags", addTags}};
    if (!runNumber.empty())
        body["runNumber"] = runNumber;
    return callWithBody("run", dump(body));
}

} // namespace worker
