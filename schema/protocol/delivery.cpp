// The form of a delivery: a line of JSON, then raw bytes, so that logs are neither escaped nor
// copied into JSON.
#include "schema/protocol/delivery.h"

#include "schema/protocol/fields.h"

namespace schema::protocol {
namespace {

struct PieceHead
{
    std::string record;
    std::uint64_t offset = 0;
    std::uint64_t bytes = 0;
};

Status read(const Json &json, const std::string &path, PieceHead &out)
{
    Fields fields(json, path + ".");
    fields.text("record", out.record, Need::Required);
    fields.integer("offset", out.offset, Need::Required);
    fields.integer("bytes", out.bytes, Need::Required);
    return fields.status();
}

} // namespace

std::string encode(const Delivery &delivery)
{
    Json head = Json::object();
    if (!delivery.records.empty()) {
        Json records = Json::array();
        for (const RecordUpdate &update : delivery.records)
            records.push_back(toJson(update));
        head["records"] = std::move(records);
    }
    std::size_t bytes = 0;
    if (!delivery.logs.empty()) {
        Json logs = Json::array();
        for (const LogPiece &piece : delivery.logs) {
            logs.push_back({{"record", piece.recordId},
                            {"offset", piece.offset},
                            {"bytes", piece.bytes.size()}});
            bytes += piece.bytes.size();
        }
        head["logs"] = std::move(logs);
    }
    if (delivery.completion)
        head["completion"] = toJson(*delivery.completion);
    std::string out = head.dump(-1, ' ', false, Json::error_handler_t::replace);
    out.reserve(out.size() + 1 + bytes);
    out += '\n';
    for (const LogPiece &piece : delivery.logs)
        out += piece.bytes;
    return out;
}

Result<Delivery> decodeDelivery(std::string body)
{
    if (body.size() > kMaxDeliveryBytes)
        return {ErrorCode::LimitExceeded, "a delivery has at most " +
                                              std::to_string(kMaxDeliveryBytes) + " bytes, not " +
                                              std::to_string(body.size())};
    const auto end = body.find('\n');
    const std::string_view line = std::string_view(body).substr(0, end);
    std::size_t at = end == std::string::npos ? body.size() : end + 1;
    // No callback for the depth: what is nested deeper than these messages is refused member by
    // member.
    const Json json = Json::parse(line.begin(), line.end(), nullptr, false);
    if (!json.is_object())
        return {ErrorCode::InvalidArgument, "the first line of a delivery must be a JSON object"};
    Delivery out;
    std::vector<PieceHead> heads;
    Fields fields(json, "");
    fields.list("records", [&out](const Json &element, const std::string &path) -> Status {
        auto update = recordUpdateFromJson(element);
        if (!update)
            return update.error().withContext(path);
        out.records.push_back(std::move(*update));
        return {};
    });
    fields.list("logs", [&heads](const Json &element, const std::string &path) -> Status {
        return read(element, path, heads.emplace_back());
    });
    fields.member("completion", [&out](const Json &value, const std::string &path) -> Status {
        auto completion = jobCompletionFromJson(value);
        if (!completion)
            return completion.error().withContext(path);
        out.completion = std::move(*completion);
        return {};
    });
    RETURN_IF_ERROR(fields.status());
    const auto tooShort = [](const PieceHead &head) -> schema::Error {
        return {ErrorCode::InvalidArgument,
                "logs: the body ends before the bytes that were announced for '" + head.record +
                    "'"};
    };
    std::size_t rest = body.size() - at;
    for (const PieceHead &head : heads) {
        if (head.bytes > rest)
            return tooShort(head);
        rest -= static_cast<std::size_t>(head.bytes);
    }
    if (rest > 0)
        return {ErrorCode::InvalidArgument,
                "logs: the body has more bytes than its first line announced"};
    for (PieceHead &head : heads) {
        const auto length = static_cast<std::size_t>(head.bytes);
        std::string bytes;
        if (&head == &heads.back())
            bytes = std::move(body.erase(0, at));
        else
            bytes = body.substr(at, length);
        at += length;
        out.logs.push_back({std::move(head.record), head.offset, std::move(bytes)});
    }
    return out;
}

Json toJson(const Delivered &delivered)
{
    return {{"lengths", delivered.lengths}, {"completed", delivered.completed}};
}

Result<Delivered> deliveredFromJson(const Json &json)
{
    Delivered out;
    Fields fields(json, "");
    fields.boolean("completed", out.completed);
    fields.list("lengths", [&out](const Json &element, const std::string &path) -> Status {
        if (!element.is_number_unsigned())
            return {ErrorCode::InvalidArgument, path + ": expected a length"};
        out.lengths.push_back(element.get<std::uint64_t>());
        return {};
    });
    RETURN_IF_ERROR(fields.status());
    return out;
}

} // namespace schema::protocol
