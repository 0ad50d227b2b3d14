#include "server/triggers/resource_triggers.h"

#include "pipelines/trigger/resource.h"
#include "server/store/open_stages.h"
#include "server/store/setting_store.h"

#include <QLoggingCategory>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

namespace server::triggers {

using pipelines::Triggers;
using schema::ErrorCode;
using schema::Result;
using schema::Status;
using store::Connection;

namespace {

Q_LOGGING_CATEGORY(lcResources, "server.resourcetriggers", QtInfoMsg)

constexpr std::size_t kMaxFileBytes = 10U << 20U;
constexpr const char *kCursor = "completionCursor";
/// Runs that start runs that start runs: a circle ends here.
constexpr int kLongestChain = 16;
constexpr const char *kChain = "Slipway.TriggerChain";
/// Variable that holds what started the run, so that an event counts once.
constexpr const char *kEvent = "Slipway.TriggerEvent";

bool sameText(std::string_view a, std::string_view b)
{
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](unsigned char x, unsigned char y) {
        return std::tolower(x) == std::tolower(y);
    });
}

std::string hmacHex(const EVP_MD *digest, std::string_view secret, std::string_view body)
{
    std::array<unsigned char, EVP_MAX_MD_SIZE> sum{};
    unsigned int size = 0;
    HMAC(digest, secret.data(), static_cast<int>(secret.size()),
         reinterpret_cast<const unsigned char *>(body.data()), body.size(), sum.data(), &size);
    std::string out;
    for (unsigned int i = 0; i < size; ++i)
        out += fmt::format("{:02x}", sum[i]);
    return out;
}

/// Text at "a.b[0].c" of the payload; numbers and truth values as text.
std::optional<std::string> valueAt(const nlohmann::json &payload, const std::string &path)
{
    const nlohmann::json *at = &payload;
    std::string_view rest = path;
    while (!rest.empty()) {
        if (rest.front() == '.') {
            rest.remove_prefix(1);
            continue;
        }
        if (rest.front() == '[') {
            const auto end = rest.find(']');
            std::size_t index = 0;
            if (end == std::string_view::npos || !at->is_array())
                return std::nullopt;
            const auto digits = rest.substr(1, end - 1);
            const auto [stop, code] =
                std::from_chars(digits.data(), digits.data() + digits.size(), index);
            if (code != std::errc{} || stop != digits.data() + digits.size() || index >= at->size())
                return std::nullopt;
            at = &(*at)[index];
            rest.remove_prefix(end + 1);
            continue;
        }
        const auto name = rest.substr(0, rest.find_first_of(".["));
        const auto found = at->is_object() ? at->find(name) : at->end();
        if (!at->is_object() || found == at->end())
            return std::nullopt;
        at = &*found;
        rest.remove_prefix(name.size());
    }
    if (at->is_string())
        return at->get<std::string>();
    if (at->is_structured() || at->is_null())
        return std::nullopt;
    return at->dump();
}

int chainOf(const store::RunRow &run)
{
    const auto variables = nlohmann::json::parse(run.triggerJson, nullptr, false);
    if (!variables.is_object() || !variables.contains(kChain))
        return 0;
    const std::string text =
        variables[kChain].is_string() ? variables[kChain].get<std::string>() : std::string();
    int chain = 0;
    std::from_chars(text.data(), text.data() + text.size(), chain);
    return chain;
}

/// Image of a resource against the one that was pushed: with or without its registry.
bool isImage(const std::string &source, const PushedImage &image)
{
    const std::string withoutTag = source.substr(0, source.rfind(':') > source.rfind('/') &&
                                                            source.rfind(':') != std::string::npos
                                                        ? source.rfind(':')
                                                        : source.size());
    return sameText(withoutTag, image.repository) ||
           (!image.registry.empty() &&
            sameText(withoutTag, image.registry + "/" + image.repository));
}

const std::string *find(const schema::TextMap &map, std::string_view name)
{
    for (const auto &[key, value] : map)
        if (sameText(key, name))
            return &value;
    return nullptr;
}

} // namespace

bool isSignedBy(std::string_view signature, std::string_view secret, std::string_view body)
{
    const auto equals = signature.find('=');
    const std::string_view kind =
        equals == std::string_view::npos ? std::string_view{} : signature.substr(0, equals);
    const std::string_view digits =
        equals == std::string_view::npos ? signature : signature.substr(equals + 1);
    const bool is256 = kind == "sha256" || (kind.empty() && digits.size() == 64);
    if (!is256 && kind != "sha1" && !(kind.empty() && digits.size() == 40))
        return false;
    std::string given(digits);
    for (char &c : given)
        c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    const std::string wanted = hmacHex(is256 ? EVP_sha256() : EVP_sha1(), secret, body);
    return given.size() == wanted.size() &&
           CRYPTO_memcmp(given.data(), wanted.data(), wanted.size()) == 0;
}

ResourceTriggers::ResourceTriggers(store::Database &database, library::ProjectService &projects,
                                   RepositoryService &repositories, PipelineService &pipelines,
                                   library::LibraryService &library, scheduler::RunService &runs)
    : m_database(database)
    , m_projects(projects)
    , m_repositories(repositories)
    , m_pipelines(pipelines)
    , m_library(library)
    , m_runs(runs)
{}

Result<std::vector<ResourceTriggers::Listener>>
ResourceTriggers::listeners(Triggers::Resource::Kind kind)
{
    ASSIGN_OR_RETURN(const auto all, m_pipelines.all());
    std::vector<Listener> out;
    decltype(m_cache) used;
    const std::lock_guard lock(m_mutex);
    for (const auto &pipeline : all) {
        if (pipeline.queueStatus != 0)
            continue;
        const auto repository = m_repositories.findById(pipeline.repositoryId);
        const auto git = repository ? m_repositories.open(*repository)
                                    : Result<GitRepository>(repository.error());
        const auto head =
            git ? git->resolve(pipeline.defaultBranch) : Result<std::string>(git.error());
        if (!head)
            continue; // nothing was pushed yet
        const auto key = std::pair(pipeline.id, *head);
        if (auto cached = m_cache.extract(key)) {
            used.insert(std::move(cached));
        } else {
            Resources resources;
            if (const auto text = git->readFile(*head, pipeline.yamlPath, kMaxFileBytes)) {
                std::vector<pipelines::Diagnostic> ignored; // reported when it is compiled
                resources = pipelines::scanTriggers(pipeline.yamlPath, *text, ignored).resources;
            }
            used.emplace(key, std::move(resources));
        }
        for (const auto &resource : used.at(key)) {
            if (resource.kind != kind)
                continue;
            ASSIGN_OR_RETURN(const auto project, m_projects.find(pipeline.projectId));
            out.push_back({pipeline, project.name, resource});
        }
    }
    m_cache = std::move(used);
    return out;
}

Result<std::optional<std::int64_t>>
ResourceTriggers::start(const Listener &listener, QueueRequest request, const std::string &event)
{
    request.pipelineId = listener.pipeline.id;
    request.reason = schema::RunReason::ResourceTrigger;
    request.triggerVariables.emplace_back("Resources.TriggeringAlias", listener.resource.alias);
    if (!event.empty()) {
        store::RunFilter filter;
        filter.pipelineId = listener.pipeline.id;
        filter.reason = schema::RunReason::ResourceTrigger;
        filter.top = 200;
        ASSIGN_OR_RETURN(const auto earlier, m_runs.list(filter));
        for (const auto &run : earlier) {
            const auto variables = nlohmann::json::parse(run.triggerJson, nullptr, false);
            if (variables.is_object() && variables.value(kEvent, "") == event)
                return std::optional<std::int64_t>{};
        }
        request.triggerVariables.emplace_back(kEvent, event);
    }
    ASSIGN_OR_RETURN(const auto queued, m_pipelines.queue(request));
    qCInfo(lcResources, "run=%lld pipeline=%s alias=%s", static_cast<long long>(queued.runId),
           listener.pipeline.name.c_str(), listener.resource.alias.c_str());
    return std::optional(queued.runId);
}

Result<std::vector<std::int64_t>> ResourceTriggers::webhook(const WebhookCall &call)
{
    const auto payload = nlohmann::json::parse(call.body, nullptr, false);
    if (payload.is_discarded())
        return {ErrorCode::InvalidArgument, "the body is no JSON"};
    ASSIGN_OR_RETURN(const auto all, listeners(Triggers::Resource::Kind::Webhook));
    std::vector<std::int64_t> started;
    bool known = false;
    bool trusted = false;
    for (const auto &listener : all) {
        const auto connection =
            m_library.serviceConnection(listener.pipeline.projectId, listener.resource.connection);
        if (!connection || !sameText(connection->type, "incomingwebhook"))
            continue;
        const auto *name = find(connection->data, "webhookname");
        if (!sameText(name ? *name : connection->name, call.name))
            continue;
        known = true;
        const auto *secret = find(connection->parameters, "secret");
        const auto *header = find(connection->data, "header");
        const auto *unsignedCalls = find(connection->data, "allowUnsigned");
        const std::string signature =
            call.header(header && !header->empty() ? *header : "X-Hub-Signature-256");
        const bool accepted = secret && !secret->empty()
                                  ? isSignedBy(signature, *secret, call.body)
                                  : unsignedCalls && sameText(*unsignedCalls, "true");
        if (!accepted)
            continue;
        trusted = true;
        const auto at = [&](const std::string &path) { return valueAt(payload, path); };
        if (!pipelines::trigger::matchesPayload(listener.resource, at))
            continue;
        QueueRequest request;
        request.triggerVariables = {{"Resources.TriggeringCategory", "webhook"}};
        // The file reads the payload as ${{ parameters.ALIAS.path }}.
        request.parameters = {{listener.resource.alias, call.body}};
        ASSIGN_OR_RETURN(const auto run, start(listener, std::move(request), {}));
        if (run)
            started.push_back(*run);
    }
    if (!known)
        return {ErrorCode::NotFound, "no pipeline listens to a webhook '" + call.name + "'"};
    if (!trusted)
        return {ErrorCode::Unauthenticated,
                "the checksum of the body is missing or wrong: send the HMAC (SHA-1 or SHA-256) "
                "with the connection's secret in the header that the connection names"};
    return started;
}

Result<std::vector<std::int64_t>> ResourceTriggers::imagePushed(const std::string &projectId,
                                                                const PushedImage &image)
{
    ASSIGN_OR_RETURN(const auto all, listeners(Triggers::Resource::Kind::Container));
    std::vector<std::int64_t> started;
    for (const auto &listener : all) {
        const auto &resource = listener.resource;
        if (listener.pipeline.projectId != projectId || !isImage(resource.source, image) ||
            !pipelines::trigger::matchesTag(resource, image.tag))
            continue;
        const std::string prefix = "resources.container." + resource.alias + ".";
        QueueRequest request;
        request.triggerVariables = {{"Resources.TriggeringCategory", "container"},
                                    {prefix + "tag", image.tag},
                                    {prefix + "digest", image.digest},
                                    {prefix + "repository", image.repository},
                                    {prefix + "registry", image.registry}};
        // Registries repeat notifications that were not answered in time.
        ASSIGN_OR_RETURN(const auto run,
                         start(listener, std::move(request),
                               image.digest.empty() ? std::string()
                                                    : "image " + image.repository + ":" +
                                                          image.tag + "@" + image.digest));
        if (run)
            started.push_back(*run);
    }
    return started;
}

Result<int> ResourceTriggers::repositoryPushed(const store::Repository &repository,
                                               const std::string &ref, const std::string &commit,
                                               const std::vector<std::string> &changedPaths,
                                               schema::TimePoint pushedAt)
{
    ASSIGN_OR_RETURN(const auto all, listeners(Triggers::Resource::Kind::Repository));
    int started = 0;
    for (const auto &listener : all) {
        const auto &resource = listener.resource;
        const auto slash = resource.source.rfind('/');
        const std::string name =
            slash == std::string::npos ? resource.source : resource.source.substr(slash + 1);
        const bool sameProject =
            slash == std::string::npos ? listener.pipeline.projectId == repository.projectId : true;
        if (listener.pipeline.repositoryId == repository.id || !sameProject ||
            listener.pipeline.createdAt >= pushedAt || !sameText(name, repository.name) ||
            !pipelines::trigger::matchesPush(resource, ref, changedPaths))
            continue;
        if (slash != std::string::npos) {
            const auto project = m_projects.find(resource.source.substr(0, slash));
            if (!project || project->id != repository.projectId)
                continue;
        }
        const std::string prefix = "resources.repositories." + resource.alias + ".";
        QueueRequest request;
        request.triggerVariables = {{"Resources.TriggeringCategory", "repository"},
                                    {prefix + "ref", ref},
                                    {prefix + "version", commit}};
        ASSIGN_OR_RETURN(const auto run,
                         start(listener, std::move(request),
                               fmt::format("push {} {} {}", repository.id, ref, commit)));
        started += run ? 1 : 0;
    }
    return started;
}

Result<int> ResourceTriggers::follow(std::int64_t runId, const std::vector<Listener> &all)
{
    if (all.empty())
        return 0;
    const auto found = m_runs.detail(runId);
    if (!found && found.error().code == ErrorCode::NotFound)
        return 0; // deleted meanwhile
    if (!found)
        return found.error();
    const auto &run = found->run;
    ASSIGN_OR_RETURN(const auto project, m_projects.find(run.projectId));
    ASSIGN_OR_RETURN(const auto producer, m_pipelines.find("", run.pipelineId));
    pipelines::trigger::Completion completion;
    completion.pipeline = run.pipelineName;
    completion.project = project.name;
    completion.branch = run.sourceBranch;
    completion.isRunComplete = run.result == schema::RunResult::Succeeded ||
                               run.result == schema::RunResult::PartiallySucceeded;
    auto happenedAt = run.finishedAt;
    for (const auto &stage : found->stages) {
        if (stage.result != schema::TaskResult::Succeeded &&
            stage.result != schema::TaskResult::SucceededWithIssues)
            continue;
        completion.succeededStages.push_back(stage.name);
        if (!run.finishedAt && stage.finishedAt)
            happenedAt = std::max(happenedAt, stage.finishedAt);
    }
    const int chain = chainOf(run) + 1;
    int started = 0;
    for (const auto &listener : all) {
        auto tried = completion;
        if (!pipelines::trigger::matches(listener.resource, tried, listener.projectName)) {
            // Sources may be named with their folder.
            tried.pipeline = run.pipelineFolder == "\\"
                                 ? run.pipelineName
                                 : run.pipelineFolder.substr(1) + "\\" + run.pipelineName;
            if (!pipelines::trigger::matches(listener.resource, tried, listener.projectName))
                continue;
        }
        if (happenedAt && listener.pipeline.createdAt > *happenedAt)
            continue;
        if (chain > kLongestChain) {
            qCWarning(lcResources, "run=%lld pipeline=%s not started: a circle of %d triggers",
                      static_cast<long long>(runId), listener.pipeline.name.c_str(), chain - 1);
            continue;
        }
        const std::string id = std::to_string(run.id);
        const std::string prefix = "resources.pipeline." + listener.resource.alias + ".";
        QueueRequest request;
        request.triggerVariables = {
            {"Resources.TriggeringCategory", "pipeline"},
            {"Build.TriggeredBy.BuildId", id},
            {"Build.TriggeredBy.BuildNumber", run.number},
            {"Build.TriggeredBy.DefinitionId", std::to_string(run.pipelineId)},
            {"Build.TriggeredBy.DefinitionName", run.pipelineName},
            {"Build.TriggeredBy.ProjectID", run.projectId},
            {prefix + "projectID", run.projectId},
            {prefix + "projectName", project.name},
            {prefix + "pipelineID", std::to_string(run.pipelineId)},
            {prefix + "pipelineName", run.pipelineName},
            {prefix + "runID", id},
            {prefix + "runName", run.number},
            {prefix + "sourceBranch", run.sourceBranch},
            {prefix + "sourceCommit", run.sourceVersion},
            {prefix + "sourceProvider", "TfsGit"},
            {kChain, std::to_string(chain)}};
        // A pipeline of the same repository runs on what the other one ran on.
        if (producer.repositoryId == listener.pipeline.repositoryId) {
            request.branch = run.sourceBranch;
            request.version = run.sourceVersion;
        }
        ASSIGN_OR_RETURN(const auto queued, start(listener, std::move(request), "run " + id));
        started += queued ? 1 : 0;
    }
    return started;
}

Status ResourceTriggers::begin()
{
    if (m_seen)
        return {};
    return m_database.read([&](Connection &connection) -> Status {
        const auto text = store::SettingStore(connection).find(kCursor);
        std::int64_t cursor = 0;
        if (text &&
            std::from_chars(text->data(), text->data() + text->size(), cursor).ec == std::errc{})
            m_storedCursor = cursor;
        // A server without a cursor is new here: what ended before does not count.
        m_seen = m_storedCursor.value_or(store::RunStore(connection).newestId());
        return {};
    });
}

Result<int> ResourceTriggers::completions()
{
    RETURN_IF_ERROR(begin());
    std::set<std::int64_t> open;
    std::vector<std::int64_t> fresh;
    std::map<std::int64_t, std::int64_t> succeeded;
    RETURN_IF_ERROR(m_database.read([&](Connection &connection) -> Status {
        store::RunStore runs(connection);
        fresh = runs.idsAfter(*m_seen, 10000);
        for (const auto id : runs.openRuns())
            open.insert(id);
        succeeded = store::succeededStagesOfOpenRuns(connection);
        return {};
    }));
    // Read from the pipelines' files once for all that happened, and only when something did.
    std::optional<std::vector<Listener>> all;
    const auto followed = [&](std::int64_t id) -> Result<int> {
        if (!all) {
            ASSIGN_OR_RETURN(all, listeners(Triggers::Resource::Kind::Pipeline));
        }
        return follow(id, *all);
    };
    int started = 0;
    // A run counts once for a listener: what its stages start, its end does not start again.
    for (const auto &[id, count] : succeeded) {
        const auto known = m_succeeded.find(id);
        if (known != m_succeeded.end() && known->second == count)
            continue;
        ASSIGN_OR_RETURN(const int runs, followed(id));
        started += runs;
    }
    m_succeeded = std::move(succeeded);
    std::set<std::int64_t> ended;
    for (const auto &ids : {std::vector(m_open.begin(), m_open.end()), fresh})
        for (const auto id : ids)
            if (!open.contains(id))
                ended.insert(id);
    for (const auto id : ended) {
        ASSIGN_OR_RETURN(const int runs, followed(id));
        started += runs;
        m_open.erase(id);
        if (m_onCompleted)
            m_onCompleted(id);
    }
    const std::int64_t seen = fresh.empty() ? m_seen.value_or(0) : fresh.back();
    m_seen = seen;
    for (const auto id : open)
        if (id <= seen)
            m_open.insert(id);
    // Everything up to here counts as seen after a restart; written rarely, because looking at a
    // run twice does no harm.
    const std::int64_t cursor = m_open.empty() ? seen : *m_open.begin() - 1;
    const bool worthIt = !m_storedCursor || cursor > *m_storedCursor + 1000 ||
                         (started > 0 && cursor > *m_storedCursor);
    if (worthIt) {
        RETURN_IF_ERROR(m_database.write([&](Connection &connection) -> Status {
            store::SettingStore(connection).put(kCursor, std::to_string(cursor));
            return {};
        }));
        m_storedCursor = cursor;
    }
    return started;
}

} // namespace server::triggers
