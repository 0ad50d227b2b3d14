// JSON form of the control frames.
#include "schema/protocol/fields.h"
#include "schema/protocol/messages.h"

namespace schema::protocol {
namespace {

Json jobFrame(const char *type, const std::string &jobId)
{
    return {{"type", type}, {"jobId", jobId}};
}

Json capabilitiesJson(const std::vector<Capability> &capabilities)
{
    Json out = Json::array();
    for (const auto &capability : capabilities)
        out.push_back({{"name", capability.name}, {"value", capability.value}});
    return out;
}

void readCapabilities(Fields &fields, std::vector<Capability> &into, Need need)
{
    const auto read = [&into](const Json &element, const std::string &path) {
        Capability capability;
        Fields members(element, path + ".");
        members.text("name", capability.name, Need::Required);
        members.text("value", capability.value);
        into.push_back(std::move(capability));
        return members.status();
    };
    fields.list("capabilities", read, need);
}

struct FrameWriter
{
    Json operator()(const Hello &hello) const
    {
        return {{"type", "hello"},
                {"protocol", hello.protocol},
                {"version", hello.version},
                {"slots", hello.slots},
                {"capabilities", capabilitiesJson(hello.capabilities)},
                {"running", hello.running}};
    }

    Json operator()(const CapabilitiesChanged &frame) const
    {
        return {{"type", "capabilitiesChanged"},
                {"capabilities", capabilitiesJson(frame.capabilities)}};
    }

    Json operator()(const Accepted &frame) const { return jobFrame("accepted", frame.jobId); }

    Json operator()(const Refused &frame) const
    {
        return {{"type", "refused"}, {"jobId", frame.jobId}, {"reason", frame.reason}};
    }

    Json operator()(const Renew &frame) const
    {
        return {{"type", "renew"}, {"jobIds", frame.jobIds}};
    }

    Json operator()(const Finished &frame) const { return jobFrame("finished", frame.jobId); }

    Json operator()(const Welcome &frame) const
    {
        return {{"type", "welcome"},
                {"leaseSeconds", frame.leaseSeconds},
                {"workerName", frame.workerName}};
    }

    Json operator()(const JobOffer &frame) const
    {
        return {{"type", "jobOffer"}, {"job", toJson(frame.job)}};
    }

    Json operator()(const CancelJob &frame) const
    {
        return {{"type", "cancelJob"}, {"jobId", frame.jobId}, {"reason", frame.reason}};
    }

    Json operator()(const Renewed &frame) const
    {
        return {{"type", "renewed"}, {"jobIds", frame.jobIds}};
    }

    Json operator()(const LeaseLost &frame) const { return jobFrame("leaseLost", frame.jobId); }

    Json operator()(const Drain &) const { return {{"type", "drain"}}; }
};

/// Parses a frame as far as its type. Errors as decode*.
Result<Json> parseFrame(std::string_view text, std::string &type)
{
    if (text.size() > kMaxFrameBytes)
        return {ErrorCode::LimitExceeded, "frame of " + std::to_string(text.size()) +
                                              " bytes; the limit is " +
                                              std::to_string(kMaxFrameBytes)};
    Json json = Json::parse(text, nullptr, false);
    if (json.is_discarded())
        return {ErrorCode::InvalidArgument, "frame: not JSON"};
    Fields fields(json, "");
    fields.text("type", type, Need::Required);
    if (auto status = fields.status(); !status)
        return std::move(status).error();
    return json;
}

/// `frame` as the variant Frame once its members are read, or the error of reading them.
template <typename Frame, typename T> Result<Frame> finish(const Fields &fields, T frame)
{
    if (auto status = fields.status(); !status)
        return std::move(status).error();
    return Frame(std::move(frame));
}

template <typename Frame> Error unknownType(const std::string &type)
{
    return {ErrorCode::NotFound, "type: unknown frame \"" + type.substr(0, 40) + "\""};
}

} // namespace

std::string encode(const WorkerFrame &frame)
{
    return dumpJson(std::visit(FrameWriter{}, frame));
}

std::string encode(const ServerFrame &frame)
{
    return dumpJson(std::visit(FrameWriter{}, frame));
}

Result<WorkerFrame> decodeWorkerFrame(std::string_view text)
{
    std::string type;
    ASSIGN_OR_RETURN(const Json json, parseFrame(text, type));
    Fields fields(json, "");
    if (type == "hello") {
        Hello frame;
        fields.integer("protocol", frame.protocol, Need::Required);
        fields.text("version", frame.version);
        fields.integer("slots", frame.slots);
        readCapabilities(fields, frame.capabilities, Need::Optional);
        fields.texts("running", frame.running);
        if (!fields.failed() && (frame.slots < 0 || frame.slots > 10'000))
            fields.fail("slots", "expected 0 to 10000");
        return finish<WorkerFrame>(fields, std::move(frame));
    }
    if (type == "capabilitiesChanged") {
        CapabilitiesChanged frame;
        readCapabilities(fields, frame.capabilities, Need::Required);
        return finish<WorkerFrame>(fields, std::move(frame));
    }
    if (type == "accepted") {
        Accepted frame;
        fields.text("jobId", frame.jobId, Need::Required);
        return finish<WorkerFrame>(fields, std::move(frame));
    }
    if (type == "refused") {
        Refused frame;
        fields.text("jobId", frame.jobId, Need::Required);
        fields.text("reason", frame.reason);
        return finish<WorkerFrame>(fields, std::move(frame));
    }
    if (type == "renew") {
        Renew frame;
        fields.texts("jobIds", frame.jobIds, Need::Required);
        return finish<WorkerFrame>(fields, std::move(frame));
    }
    if (type == "finished") {
        Finished frame;
        fields.text("jobId", frame.jobId, Need::Required);
        return finish<WorkerFrame>(fields, std::move(frame));
    }
    return unknownType<WorkerFrame>(type);
}

Result<ServerFrame> decodeServerFrame(std::string_view text)
{
    std::string type;
    ASSIGN_OR_RETURN(const Json json, parseFrame(text, type));
    Fields fields(json, "");
    if (type == "welcome") {
        Welcome frame;
        fields.integer("leaseSeconds", frame.leaseSeconds);
        fields.text("workerName", frame.workerName);
        if (!fields.failed() && frame.leaseSeconds < 1)
            fields.fail("leaseSeconds", "must be at least 1");
        return finish<ServerFrame>(fields, std::move(frame));
    }
    if (type == "jobOffer") {
        JobOffer frame;
        fields.member(
            "job",
            [&frame](const Json &value, const std::string &path) -> Status {
                auto message = jobMessageFromJson(value);
                if (!message)
                    return message.error().withContext(path);
                frame.job = std::move(*message);
                return {};
            },
            Need::Required);
        return finish<ServerFrame>(fields, std::move(frame));
    }
    if (type == "cancelJob") {
        CancelJob frame;
        fields.text("jobId", frame.jobId, Need::Required);
        fields.text("reason", frame.reason);
        return finish<ServerFrame>(fields, std::move(frame));
    }
    if (type == "renewed") {
        Renewed frame;
        fields.texts("jobIds", frame.jobIds, Need::Required);
        return finish<ServerFrame>(fields, std::move(frame));
    }
    if (type == "leaseLost") {
        LeaseLost frame;
        fields.text("jobId", frame.jobId, Need::Required);
        return finish<ServerFrame>(fields, std::move(frame));
    }
    if (type == "drain")
        return ServerFrame(Drain{});
    return unknownType<ServerFrame>(type);
}

} // namespace schema::protocol
