#pragma once
/// A job of `pool: server`: its tasks (Delay, InvokeRESTAPI, ManualValidation) run on the server.
/// Pure: `advance(job, event, now)` says what happens next; ServerWorker does it and keeps the job
/// on disk.

#include "schema/base/result.h"
#include "schema/protocol/messages.h"

#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace server::workers {

using schema::TimePoint;

/// One HTTP call that a step asks for.
struct RestRequest
{
    std::string method, url, body;
    std::vector<std::pair<std::string, std::string>> headers; ///< credentials among them
};

struct RestReply
{
    int status = 0; ///< 0: no answer, `body` says why
    std::string body;
};

/// Everything that must outlive the process.
struct ServerJob
{
    schema::protocol::JobMessage message;
    std::size_t step = 0; ///< the one that runs, or comes next
    enum class Phase : std::uint8_t { Next, Delaying, Asking, Calling } phase = Phase::Next;
    schema::TaskResult result = schema::TaskResult::Succeeded; ///< of the steps so far
    TimePoint startedAt{}, stepStartedAt{};
    std::optional<TimePoint> due; ///< of the step that runs
    bool called = false;          ///< the call of this step was begun; its answer is not known
    std::uint64_t sequence = 0;   ///< of the last record update
    std::vector<std::uint64_t> logBytes; ///< per step, delivered so far
    std::string canceled;                ///< why, when somebody wants the job to end
};

/// JSON, with secrets in it: sealed before it is written anywhere.
std::string toText(const ServerJob &job);
schema::Result<ServerJob> serverJobFromText(std::string_view text);

struct Tick
{
};

struct Answered
{
    std::string recordId; ///< of the step
    bool approve = false;
    std::string byName, comment;
};

struct CallEnded
{
    RestReply reply;
};

struct CancelWanted
{
    std::string reason;
};

using ServerEvent = std::variant<Tick, Answered, CallEnded, CancelWanted>;

struct ServerStep
{
    std::vector<schema::protocol::RecordUpdate> records;
    std::vector<std::pair<std::size_t, std::string>> lines; ///< step and line of its log
    std::optional<RestRequest> call;
    std::optional<schema::protocol::JobCompletion> completion;
    std::optional<schema::Error> refused; ///< the event does not fit; nothing changed
};

/// Brings the job on as far as it goes now. A restarted server gives Tick.
ServerStep advance(ServerJob &job, const ServerEvent &event, TimePoint now);

/// Record id of a step of the job, as a worker would make it.
std::string stepRecordId(const ServerJob &job, std::size_t step);

/// A step that waits for a person.
struct Validation
{
    std::string recordId, instructions, notifyUsers;
    TimePoint askedAt{};
    std::optional<TimePoint> expiresAt;
};

std::optional<Validation> validationOf(const ServerJob &job);

/// Whether a response fits `successCriteria` ("eq(root['status'], 'ok')"). Errors: InvalidArgument.
schema::Result<bool> meetsCriteria(const std::string &criteria, const std::string &body);

} // namespace server::workers
