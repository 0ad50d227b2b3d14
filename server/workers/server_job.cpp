#include "server/workers/server_job.h"

#include "pipelines/run/step_context.h"
#include "schema/base/guid.h"
#include "schema/tasks/task_definition.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <charconv>

namespace server::workers {
namespace {

using schema::ErrorCode;
using schema::RecordState;
using schema::TaskResult;
using Json = nlohmann::ordered_json;
using Phase = ServerJob::Phase;

/// No validation waits longer (the service's limit).
constexpr auto kLongestWait = std::chrono::hours(24 * 30);
/// Of a response that is shown.
constexpr std::size_t kShownBody = 16U << 10U;

bool same(std::string_view a, std::string_view b)
{
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char l, char r) {
        return std::tolower(static_cast<unsigned char>(l)) ==
               std::tolower(static_cast<unsigned char>(r));
    });
}

bool good(TaskResult result)
{
    return result == TaskResult::Succeeded || result == TaskResult::SucceededWithIssues;
}

class Advance
{
public:
    Advance(ServerJob &job, TimePoint now)
        : m_job(job)
        , m_now(now)
    {}

    ServerStep run(const ServerEvent &event)
    {
        if (m_job.startedAt == TimePoint{})
            m_job.startedAt = m_now;
        m_job.logBytes.resize(m_job.message.steps.size());
        std::visit([this](const auto &one) { on(one); }, event);
        while (!m_out.refused && !m_out.completion && m_job.phase == Phase::Next)
            next();
        return std::move(m_out);
    }

private:
    // ---- events ----

    void on(const Tick &)
    {
        const bool over = m_job.due && *m_job.due <= m_now;
        if (m_job.phase == Phase::Delaying && over) {
            end(m_job.message.steps[m_job.step].timeoutMinutes > 0 && timedOut()
                    ? TaskResult::Failed
                    : TaskResult::Succeeded,
                "");
        } else if (m_job.phase == Phase::Asking && over) {
            const bool resume = same(input("onTimeout"), "resume");
            end(resume ? TaskResult::Succeeded : TaskResult::Failed,
                resume ? "Nobody answered in time: resumed."
                       : "Nobody answered in time: rejected.");
        } else if (m_job.phase == Phase::Calling && m_job.called) {
            // This process never saw an answer: another one made the call and ended.
            m_job.called = false;
            const auto method = input("method");
            if (same(method, "POST") || same(method, "PATCH"))
                end(TaskResult::Failed,
                    "The server was restarted during the call; whether it arrived is not known, "
                    "and a " +
                        method + " is not repeated.");
            else
                call();
        }
    }

    void on(const Answered &event)
    {
        if (m_job.phase != Phase::Asking || event.recordId != stepRecordId(m_job, m_job.step)) {
            m_out.refused = schema::Error{ErrorCode::Conflict,
                                          "this validation does not wait for an answer (any more)"};
            return;
        }
        end(event.approve ? TaskResult::Succeeded : TaskResult::Failed,
            fmt::format("{} by {}{}{}", event.approve ? "Resumed" : "Rejected", event.byName,
                        event.comment.empty() ? "" : ": ", event.comment));
    }

    void on(const CallEnded &event)
    {
        if (m_job.phase != Phase::Calling)
            return;
        m_job.called = false;
        const auto &reply = event.reply;
        if (reply.status == 0)
            return end(TaskResult::Failed, "The call failed: " + reply.body);
        print(fmt::format("Response Code: {}", reply.status));
        if (!reply.body.empty())
            print("Response: " + reply.body.substr(0, kShownBody));
        if (reply.status < 200 || reply.status > 299)
            return end(TaskResult::Failed,
                       fmt::format("The call was answered with status {}.", reply.status));
        const auto criteria = input("successCriteria");
        if (criteria.empty())
            return end(TaskResult::Succeeded, "");
        const auto met = meetsCriteria(criteria, reply.body);
        if (!met)
            return end(TaskResult::Failed, "successCriteria: " + met.error().message);
        end(*met ? TaskResult::Succeeded : TaskResult::Failed,
            fmt::format("{} => {}", criteria, *met ? "True" : "False"));
    }

    void on(const CancelWanted &event)
    {
        m_job.canceled = event.reason.empty() ? "canceled" : event.reason;
        if (m_job.phase != Phase::Next)
            end(TaskResult::Canceled, m_job.canceled);
    }

    // ---- steps ----

    void next()
    {
        if (m_job.step >= m_job.message.steps.size()) {
            m_out.completion = schema::protocol::JobCompletion{m_job.result, m_job.canceled, {}};
            return;
        }
        const auto &step = m_job.message.steps[m_job.step];
        m_job.stepStartedAt = m_now;
        m_job.due.reset();
        const auto condition = pipelines::run::evaluateStepCondition(
            step.condition, {m_job.result, !m_job.canceled.empty()}, lookup());
        begin();
        if (!condition)
            return end(TaskResult::Failed,
                       "The condition '" + step.condition +
                           "' cannot be evaluated: " + condition.error().message);
        if (!condition->run)
            return end(TaskResult::Skipped, "Skipped: the condition was false.");
        if (is("Delay"))
            return delay();
        if (is("ManualValidation"))
            return ask();
        if (is("InvokeRESTAPI"))
            return call();
        end(TaskResult::Failed,
            "The task '" + step.task + "@" + step.taskVersion +
                "' does not run on the server: a job of 'pool: server' may have Delay, "
                "InvokeRESTAPI and ManualValidation; give the job a pool with workers");
    }

    void delay()
    {
        const auto text = input("delayForMinutes");
        double minutes = -1;
        const auto [end_, error] = std::from_chars(text.data(), text.data() + text.size(), minutes);
        if (error != std::errc() || end_ != text.data() + text.size() || !(minutes >= 0) ||
            minutes > 60.0 * 24 * 60)
            return end(TaskResult::Failed,
                       "the input 'delayForMinutes' ('" + text + "') must be 0 to 86400");
        m_job.phase = Phase::Delaying;
        m_job.due = m_now + std::chrono::milliseconds(static_cast<std::int64_t>(minutes * 60'000));
        limitDue();
        print(fmt::format("Waiting for {} minutes.", text));
        on(Tick{}); // 0 minutes
    }

    void ask()
    {
        m_job.phase = Phase::Asking;
        m_job.due = m_now + kLongestWait;
        limitDue();
        print("Waiting for manual validation.");
        if (const auto text = input("instructions"); !text.empty())
            print("Instructions: " + text);
    }

    void call()
    {
        if (same(input("waitForCompletion"), "true"))
            return end(TaskResult::Failed, "waitForCompletion 'Callback' is not available; use "
                                           "'ApiResponse'");
        const auto selector = input("connectedServiceNameSelector");
        if (!same(selector, "connectedServiceName"))
            return end(TaskResult::Failed,
                       "connectionType '" + selector + "' is not available; use a generic one");
        const auto name = input("connectedServiceName");
        const schema::protocol::ServiceConnection *connection = nullptr;
        for (const auto &one : m_job.message.connections) {
            if (same(one.name, name) || same(one.id, name))
                connection = &one;
        }
        if (connection == nullptr)
            return end(TaskResult::Failed, "there is no service connection '" + name + "'");
        RestRequest request{
            input("method"), connection->url + input("urlSuffix"), input("body"), {}};
        const auto headers = Json::parse(input("headers"), nullptr, false);
        if (!input("headers").empty() && !headers.is_object())
            return end(TaskResult::Failed, "the input 'headers' is no JSON object");
        for (const auto &[key, value] : headers.items())
            request.headers.emplace_back(key, value.is_string() ? value.get<std::string>()
                                                                : value.dump());
        request.headers.push_back({"\x01user", parameter(*connection, "username")});
        request.headers.push_back({"\x01password", parameter(*connection, "password")});
        request.headers.push_back({"\x01token", parameter(*connection, "apitoken")});
        m_job.phase = Phase::Calling;
        m_job.called = true;
        print(request.method + " " + request.url);
        m_out.call = std::move(request);
    }

    static std::string parameter(const schema::protocol::ServiceConnection &connection,
                                 std::string_view name)
    {
        const auto *value = schema::findText(connection.parameters, name);
        return value == nullptr ? std::string() : *value;
    }

    /// The step's own limit and the job's, which the scheduler would enforce without an answer.
    void limitDue()
    {
        const auto limit = [this](TimePoint from, std::uint32_t minutes) {
            if (minutes > 0)
                m_job.due = std::min(*m_job.due, from + std::chrono::minutes(minutes));
        };
        limit(m_job.stepStartedAt, m_job.message.steps[m_job.step].timeoutMinutes);
        if (m_job.message.timeoutMinutes > 0)
            m_job.due = std::min(
                *m_job.due, m_job.startedAt + std::chrono::minutes(m_job.message.timeoutMinutes) -
                                std::chrono::seconds(1));
    }

    bool timedOut() const
    {
        const auto minutes = m_job.message.steps[m_job.step].timeoutMinutes;
        return m_now >= m_job.stepStartedAt + std::chrono::minutes(minutes);
    }

    void begin()
    {
        const auto &step = m_job.message.steps[m_job.step];
        auto update = record();
        update.name = step.displayName.empty() ? step.task : expanded(step.displayName);
        update.refName = step.name;
        update.order = static_cast<int>(m_job.step) + 1;
        update.state = RecordState::InProgress;
        update.startTime = m_now;
        update.taskName = step.task;
        update.taskVersion = step.taskVersion;
        m_out.records.push_back(std::move(update));
        print("##[section]Starting: " + *m_out.records.back().name);
    }

    void end(TaskResult result, const std::string &message)
    {
        const auto &step = m_job.message.steps[m_job.step];
        auto update = record();
        if (!message.empty())
            print(result == TaskResult::Failed ? "##[error]" + message : message);
        if (result == TaskResult::Failed) {
            update.issues = std::vector<schema::protocol::Issue>{{true, message, {}}};
            update.errorCount = 1;
            if (step.continueOnError)
                result = TaskResult::SucceededWithIssues;
        }
        update.state = RecordState::Completed;
        update.result = result;
        update.finishTime = m_now;
        update.percentComplete = 100;
        m_out.records.push_back(std::move(update));
        if (result == TaskResult::SucceededWithIssues && m_job.result == TaskResult::Succeeded)
            m_job.result = result;
        else if (!good(result) && result != TaskResult::Skipped && good(m_job.result))
            m_job.result = result;
        ++m_job.step;
        m_job.phase = Phase::Next;
        m_job.due.reset();
    }

    // ---- parts ----

    schema::protocol::RecordUpdate record()
    {
        schema::protocol::RecordUpdate update;
        update.id = stepRecordId(m_job, m_job.step);
        update.parentId = m_job.message.recordId;
        update.sequence = ++m_job.sequence;
        return update;
    }

    void print(std::string line)
    {
        for (const auto &variable : m_job.message.variables) {
            if (!variable.isSecret || variable.value.size() < 4)
                continue;
            for (auto at = line.find(variable.value); at != std::string::npos;
                 at = line.find(variable.value, at + 3))
                line.replace(at, variable.value.size(), "***");
        }
        m_out.lines.emplace_back(m_job.step, std::move(line));
    }

    bool is(std::string_view task) const
    {
        const auto &step = m_job.message.steps[m_job.step];
        const auto *known = schema::builtInTaskCatalogue().find(step.task, step.taskVersion);
        return known != nullptr && known->name == task;
    }

    std::string input(std::string_view name) const
    {
        const auto &step = m_job.message.steps[m_job.step];
        const auto *known = schema::builtInTaskCatalogue().find(step.task, step.taskVersion);
        const auto *row = known == nullptr ? nullptr : known->findInput(name);
        std::string value = row == nullptr ? std::string() : row->defaultValue;
        for (const auto &[key, given] : step.inputs) {
            if (same(key, name) || (row != nullptr && known->findInput(key) == row))
                value = given;
        }
        return expanded(value);
    }

    pipelines::run::VariableLookup lookup() const
    {
        return [this](std::string_view name) -> std::optional<std::string> {
            for (const auto &variable : m_job.message.variables) {
                if (same(variable.name, name))
                    return variable.value;
            }
            return std::nullopt;
        };
    }

    std::string expanded(std::string_view text) const
    {
        return pipelines::run::expandMacros(text, lookup());
    }

    ServerJob &m_job;
    TimePoint m_now;
    ServerStep m_out;
};

} // namespace

ServerStep advance(ServerJob &job, const ServerEvent &event, TimePoint now)
{
    return Advance(job, now).run(event);
}

std::string stepRecordId(const ServerJob &job, std::size_t step)
{
    return schema::nameGuid(job.message.recordId, job.message.steps.at(step).id);
}

std::optional<Validation> validationOf(const ServerJob &job)
{
    if (job.phase != Phase::Asking)
        return std::nullopt;
    const auto &inputs = job.message.steps[job.step].inputs;
    Validation out;
    out.recordId = stepRecordId(job, job.step);
    for (const auto &[name, value] : inputs) {
        if (same(name, "instructions"))
            out.instructions = value;
        if (same(name, "notifyUsers"))
            out.notifyUsers = value;
    }
    out.askedAt = job.stepStartedAt;
    out.expiresAt = job.due;
    return out;
}

std::string toText(const ServerJob &job)
{
    Json json{{"message", toJson(job.message)},
              {"step", job.step},
              {"phase", static_cast<int>(job.phase)},
              {"result", static_cast<int>(job.result)},
              {"startedAt", schema::toEpochMillis(job.startedAt)},
              {"stepStartedAt", schema::toEpochMillis(job.stepStartedAt)},
              {"called", job.called},
              {"sequence", job.sequence},
              {"logBytes", job.logBytes},
              {"canceled", job.canceled}};
    if (job.due)
        json["due"] = schema::toEpochMillis(*job.due);
    return json.dump();
}

schema::Result<ServerJob> serverJobFromText(std::string_view text)
{
    const auto json = Json::parse(text, nullptr, false);
    if (!json.is_object())
        return {ErrorCode::Internal, "the stored job of 'pool: server' is damaged"};
    ServerJob job;
    ASSIGN_OR_RETURN(job.message,
                     schema::protocol::jobMessageFromJson(json.value("message", Json())));
    job.step = json.value("step", std::size_t{0});
    job.phase = static_cast<Phase>(json.value("phase", 0));
    job.result = static_cast<TaskResult>(json.value("result", 0));
    job.startedAt = schema::fromEpochMillis(json.value("startedAt", std::int64_t{0}));
    job.stepStartedAt = schema::fromEpochMillis(json.value("stepStartedAt", std::int64_t{0}));
    job.called = json.value("called", false);
    job.sequence = json.value("sequence", std::uint64_t{0});
    job.logBytes = json.value("logBytes", std::vector<std::uint64_t>());
    job.canceled = json.value("canceled", std::string());
    if (json.contains("due"))
        job.due = schema::fromEpochMillis(json.value("due", std::int64_t{0}));
    return job;
}

} // namespace server::workers
