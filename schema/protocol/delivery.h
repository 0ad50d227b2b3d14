#pragma once
/// What a job process says to the server in one call (README.md beside this file, "Bulk").

#include "schema/protocol/messages.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace schema::protocol {

/// A piece of the log of one record. Bytes before the stored length are skipped, so a repeat is
/// harmless; a piece that begins beyond it is not taken.
struct LogPiece
{
    std::string recordId;
    std::uint64_t offset = 0;
    std::string bytes;
    bool operator==(const LogPiece &) const = default;
};

/// POST deliver: everything a job process has to say at one moment, taken in one transaction: first
/// the records, then the pieces of logs, then the end of the job.
struct Delivery
{
    std::vector<RecordUpdate> records;
    std::vector<LogPiece> logs;
    std::optional<JobCompletion> completion;
    bool operator==(const Delivery &) const = default;
};

/// Answer to a delivery: the stored length of each log it named, in its order. A length that is not
/// the end of the piece tells from where to go on; the job is not completed then.
struct Delivered
{
    std::vector<std::uint64_t> lengths;
    bool completed = false;
    bool operator==(const Delivered &) const = default;
};

/// Largest body of one delivery, bytes.
inline constexpr std::size_t kMaxDeliveryBytes = 2 * kMaxLogChunkBytes;

/// One line of JSON (records, completion, and of each log its record, offset and length), then the
/// bytes of the logs one after the other.
std::string encode(const Delivery &delivery);
/// Takes the body apart; the last log, mostly the only one, keeps its memory. Errors:
/// InvalidArgument naming the member or the length that does not fit; LimitExceeded.
Result<Delivery> decodeDelivery(std::string body);
nlohmann::ordered_json toJson(const Delivered &delivered);
Result<Delivered> deliveredFromJson(const nlohmann::ordered_json &json);

} // namespace schema::protocol
