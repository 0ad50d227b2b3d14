#include "schema/model/plan_json.h"

#include <nlohmann/json.hpp>

#include <array>
#include <limits>
#include <type_traits>

// One field list per struct (`visit`) serves both directions: the writer leaves out members that
// equal the default, the reader keeps the default for members that are missing.

namespace schema {
namespace {

using Json = nlohmann::ordered_json;

template <typename Enum, std::size_t N> struct Words
{
    std::array<std::pair<Enum, const char *>, N> all;
};

constexpr Words<HookKind, 6> kHookWords{{{{HookKind::PreDeploy, "preDeploy"},
                                          {HookKind::Deploy, "deploy"},
                                          {HookKind::RouteTraffic, "routeTraffic"},
                                          {HookKind::PostRouteTraffic, "postRouteTraffic"},
                                          {HookKind::OnFailure, "on.failure"},
                                          {HookKind::OnSuccess, "on.success"}}}};
constexpr Words<DeploymentStrategy, 3> kStrategyWords{{{{DeploymentStrategy::RunOnce, "runOnce"},
                                                        {DeploymentStrategy::Rolling, "rolling"},
                                                        {DeploymentStrategy::Canary, "canary"}}}};
constexpr Words<LockBehavior, 2> kLockWords{
    {{{LockBehavior::RunLatest, "runLatest"}, {LockBehavior::Sequential, "sequential"}}}};

constexpr const auto &wordsOf(HookKind)
{
    return kHookWords;
}

constexpr const auto &wordsOf(DeploymentStrategy)
{
    return kStrategyWords;
}

constexpr const auto &wordsOf(LockBehavior)
{
    return kLockWords;
}

template <typename T> inline constexpr bool kIsList = false;
template <typename T> inline constexpr bool kIsList<std::vector<T>> = true;
template <typename T> inline constexpr bool kIsOptional = false;
template <typename T> inline constexpr bool kIsOptional<std::optional<T>> = true;
template <typename T> inline constexpr bool kIsPair = false;
template <typename A, typename B> inline constexpr bool kIsPair<std::pair<A, B>> = true;

#define FIELD(member) io(#member, s.member, d.member)

template <typename T, typename Struct>
concept Is = std::is_same_v<std::remove_const_t<T>, Struct>;

template <typename Io, Is<SourcePosition> S> void visit(Io &io, S &s, const SourcePosition &d)
{
    FIELD(file);
    FIELD(line);
    FIELD(column);
}

template <typename Io, Is<VariableEntry> S> void visit(Io &io, S &s, const VariableEntry &d)
{
    FIELD(name);
    FIELD(value);
    FIELD(group);
    FIELD(readOnly);
    FIELD(position);
}

template <typename Io, Is<Pool> S> void visit(Io &io, S &s, const Pool &d)
{
    FIELD(name);
    FIELD(vmImage);
    FIELD(demands);
    FIELD(server);
}

template <typename Io, Is<Container> S> void visit(Io &io, S &s, const Container &d)
{
    FIELD(alias);
    FIELD(image);
    FIELD(endpoint);
    FIELD(endpointPosition);
    FIELD(options);
    FIELD(env);
    FIELD(ports);
    FIELD(volumes);
    FIELD(mapDockerSocket);
    FIELD(mountReadOnly);
    FIELD(localImage);
}

template <typename Io, Is<StepTarget> S> void visit(Io &io, S &s, const StepTarget &d)
{
    FIELD(container);
    FIELD(restrictedCommands);
    FIELD(settableVariables);
}

template <typename Io, Is<Step> S> void visit(Io &io, S &s, const Step &d)
{
    FIELD(id);
    FIELD(name);
    FIELD(displayName);
    FIELD(task);
    FIELD(taskVersion);
    FIELD(condition);
    FIELD(continueOnError);
    FIELD(timeoutMinutes);
    FIELD(retryCount);
    FIELD(target);
    FIELD(inputs);
    FIELD(env);
    FIELD(position);
    FIELD(includedFrom);
}

template <typename Io, Is<EnvironmentReference> S>
void visit(Io &io, S &s, const EnvironmentReference &d)
{
    FIELD(name);
    FIELD(resourceName);
    FIELD(resourceType);
    FIELD(tags);
}

template <typename Io, Is<DeploymentHook> S> void visit(Io &io, S &s, const DeploymentHook &d)
{
    FIELD(kind);
    FIELD(steps);
    FIELD(pool);
}

template <typename Io, Is<MatrixLeg> S> void visit(Io &io, S &s, const MatrixLeg &d)
{
    FIELD(name);
    FIELD(variables);
}

template <typename Io, Is<Job> S> void visit(Io &io, S &s, const Job &d)
{
    FIELD(id);
    FIELD(name);
    FIELD(displayName);
    FIELD(dependsOn);
    FIELD(condition);
    FIELD(continueOnError);
    FIELD(timeoutMinutes);
    FIELD(cancelTimeoutMinutes);
    FIELD(pool);
    FIELD(container);
    FIELD(services);
    FIELD(workspaceClean);
    FIELD(usedRepositories);
    FIELD(usedPools);
    FIELD(variables);
    FIELD(steps);
    FIELD(matrix);
    FIELD(matrixExpression);
    FIELD(maxParallel);
    FIELD(parallel);
    FIELD(isDeployment);
    FIELD(environment);
    FIELD(strategy);
    FIELD(rollingMaxParallel);
    FIELD(canaryIncrements);
    FIELD(hooks);
    FIELD(position);
}

template <typename Io, Is<Stage> S> void visit(Io &io, S &s, const Stage &d)
{
    FIELD(id);
    FIELD(name);
    FIELD(displayName);
    FIELD(dependsOn);
    FIELD(condition);
    FIELD(lockBehavior);
    FIELD(manualTrigger);
    FIELD(isSkippable);
    FIELD(variables);
    FIELD(jobs);
    FIELD(position);
}

template <typename Io, Is<RepositoryResource> S>
void visit(Io &io, S &s, const RepositoryResource &d)
{
    FIELD(alias);
    FIELD(type);
    FIELD(name);
    FIELD(ref);
    FIELD(endpoint);
    FIELD(endpointPosition);
}

template <typename Io, Is<PipelineResource> S> void visit(Io &io, S &s, const PipelineResource &d)
{
    FIELD(alias);
    FIELD(source);
    FIELD(project);
    FIELD(version);
    FIELD(branch);
}

template <typename Io, Is<RunPlan> S> void visit(Io &io, S &s, const RunPlan &d)
{
    FIELD(name);
    FIELD(appendCommitMessageToRunName);
    FIELD(lockBehavior);
    FIELD(variables);
    FIELD(stages);
    FIELD(repositories);
    FIELD(pipelines);
    FIELD(containers);
}

#undef FIELD

template <typename T> Json write(const T &value);

struct Writer
{
    Json json = Json::object();

    template <typename T> void operator()(const char *key, const T &value, const T &normal)
    {
        if (!(value == normal))
            json[key] = write(value);
    }
};

template <typename T> Json write(const T &value)
{
    if constexpr (std::is_same_v<T, std::string> || std::is_same_v<T, bool> ||
                  std::is_same_v<T, std::uint32_t>) {
        return value;
    } else if constexpr (std::is_enum_v<T>) {
        for (const auto &[word, text] : wordsOf(value).all) {
            if (word == value)
                return text;
        }
        return nullptr;
    } else if constexpr (kIsOptional<T>) {
        return value ? write(*value) : Json(nullptr);
    } else if constexpr (kIsList<T>) {
        Json list = Json::array();
        for (const auto &item : value)
            list.push_back(write(item));
        return list;
    } else if constexpr (kIsPair<T>) {
        Json pair = Json::array();
        pair.push_back(write(value.first));
        pair.push_back(write(value.second));
        return pair;
    } else {
        static const T normal{};
        Writer writer;
        visit(writer, value, normal);
        return std::move(writer.json);
    }
}

/// Reads members of one JSON object; the first problem is kept with the path that leads to it.
struct Problem
{
    std::string message; ///< empty: none

    void set(const std::string &path, const std::string &what)
    {
        if (message.empty())
            message = (path.empty() ? std::string("document") : path) + ": " + what;
    }
};

template <typename T>
void read(const Json &json, T &value, const std::string &path, Problem &problem);

struct Reader
{
    const Json &json;
    const std::string &path;
    Problem &problem;

    template <typename T> void operator()(const char *key, T &value, const T &)
    {
        const auto found = json.find(key);
        if (found != json.end() && problem.message.empty())
            read(*found, value, path.empty() ? std::string(key) : path + "." + key, problem);
    }
};

template <typename Enum>
void readWord(const Json &json, Enum &value, const std::string &path, Problem &problem)
{
    std::string expected;
    for (const auto &[word, text] : wordsOf(value).all) {
        if (json.is_string() && json.get_ref<const std::string &>() == text) {
            value = word;
            return;
        }
        expected += (expected.empty() ? "" : ", ") + std::string(text);
    }
    problem.set(path, "expected one of " + expected);
}

template <typename T>
void readList(const Json &json, T &value, const std::string &path, Problem &problem)
{
    if (!json.is_array())
        return problem.set(path, "expected a list");
    value.clear();
    value.reserve(json.size());
    for (std::size_t i = 0; i < json.size() && problem.message.empty(); ++i) {
        value.emplace_back();
        read(json[i], value.back(), path + "[" + std::to_string(i) + "]", problem);
    }
}

template <typename T>
void read(const Json &json, T &value, const std::string &path, Problem &problem)
{
    if constexpr (std::is_same_v<T, std::string>) {
        if (!json.is_string())
            return problem.set(path, "expected text");
        value = json.get<std::string>();
    } else if constexpr (std::is_same_v<T, bool>) {
        if (!json.is_boolean())
            return problem.set(path, "expected true or false");
        value = json.get<bool>();
    } else if constexpr (std::is_same_v<T, std::uint32_t>) {
        if (!json.is_number_unsigned() ||
            json.get<std::uint64_t>() > std::numeric_limits<std::uint32_t>::max())
            return problem.set(path, "expected a whole number from 0 to 4294967295");
        value = json.get<std::uint32_t>();
    } else if constexpr (std::is_enum_v<T>) {
        readWord(json, value, path, problem);
    } else if constexpr (kIsOptional<T>) {
        if (json.is_null())
            return value.reset();
        read(json, value.emplace(), path, problem);
    } else if constexpr (kIsList<T>) {
        readList(json, value, path, problem);
    } else if constexpr (kIsPair<T>) {
        if (!json.is_array() || json.size() != 2)
            return problem.set(path, "expected a list of two: name and value");
        read(json[0], value.first, path + "[0]", problem);
        read(json[1], value.second, path + "[1]", problem);
    } else {
        if (!json.is_object())
            return problem.set(path, "expected an object");
        static const T normal{};
        value = normal;
        Reader reader{json, path, problem};
        visit(reader, value, normal);
    }
}

template <typename T> Result<T> fromJson(const Json &json)
{
    T value{};
    Problem problem;
    read(json, value, "", problem);
    if (!problem.message.empty())
        return Error{ErrorCode::InvalidArgument, std::move(problem.message)};
    return value;
}

} // namespace

nlohmann::ordered_json toJson(const RunPlan &plan)
{
    return write(plan);
}

nlohmann::ordered_json toJson(const Stage &stage)
{
    return write(stage);
}

nlohmann::ordered_json toJson(const Job &job)
{
    return write(job);
}

nlohmann::ordered_json toJson(const Step &step)
{
    return write(step);
}

nlohmann::ordered_json toJson(const Container &container)
{
    return write(container);
}

nlohmann::ordered_json toJson(const TextMap &map)
{
    return write(map);
}

Result<RunPlan> runPlanFromJson(const nlohmann::ordered_json &json)
{
    return fromJson<RunPlan>(json);
}

Result<Step> stepFromJson(const nlohmann::ordered_json &json)
{
    return fromJson<Step>(json);
}

Result<Container> containerFromJson(const nlohmann::ordered_json &json)
{
    return fromJson<Container>(json);
}

Result<TextMap> textMapFromJson(const nlohmann::ordered_json &json)
{
    return fromJson<TextMap>(json);
}

std::string planToText(const RunPlan &plan)
{
    // `replace`: texts come from files that were checked to be UTF-8, but never throw for one
    // that was not.
    return write(plan).dump(-1, ' ', false, Json::error_handler_t::replace);
}

Result<RunPlan> planFromText(std::string_view text)
{
    const Json json = Json::parse(text, nullptr, false);
    if (json.is_discarded())
        return Error{ErrorCode::InvalidArgument, "run plan: not valid JSON"};
    return runPlanFromJson(json);
}

} // namespace schema
