#include "pipelines/shape/normalise.h"

#include "pipelines/base/text.h"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

namespace pipelines::shape {
namespace {

using yaml::Arena;
using yaml::Entry;
using yaml::Node;

/// How a shorthand becomes a task (3.9).
struct Shorthand
{
    std::string_view keyword, task, valueInput;
    std::string_view firstInput, firstValue; ///< fixed input before the value
    std::string_view lastInput, lastValue;   ///< fixed input after all others
};

constexpr std::array kShorthands{
    Shorthand{"script", "CmdLine@2", "script", {}, {}, {}, {}},
    Shorthand{"bash", "Bash@3", "script", "targetType", "inline", {}, {}},
    Shorthand{"powershell", "PowerShell@2", "script", "targetType", "inline", {}, {}},
    Shorthand{"pwsh", "PowerShell@2", "script", "targetType", "inline", "pwsh", "true"},
    Shorthand{"checkout", "6d15af64-176c-496d-b583-fd2ae21d4df4@1", "repository", {}, {}, {}, {}},
    Shorthand{"download", "30f35852-3f7e-4c0c-9a88-e127b4f97211@1", "alias", {}, {}, {}, {}},
    Shorthand{"publish", "ecdc45f6-832d-4ad9-b52b-ee49e94659be@1", "path", {}, {}, {}, {}},
    Shorthand{"upload", "ecdc45f6-832d-4ad9-b52b-ee49e94659be@1", "path", {}, {}, {}, {}},
    Shorthand{"downloadBuild", "DownloadBuildArtifacts@1", "alias", {}, {}, {}, {}},
    Shorthand{"getPackage", "DownloadPackage@1", "alias", {}, {}, {}, {}},
    Shorthand{"reviewApp", "ReviewApp@0", "resourceName", {}, {}, {}, {}},
};

constexpr std::array<std::string_view, 9> kCommonKeys{
    "name",    "displayName", "condition",        "continueOnError",
    "enabled", "env",         "timeoutInMinutes", "retryCountOnTaskFailure",
    "target"};

bool isCommon(std::string_view key)
{
    return std::find(kCommonKeys.begin(), kCommonKeys.end(), key) != kCommonKeys.end();
}

/// Keys of the root that belong to the implied job of a `steps` file (1.2).
bool isJobKeyOfRoot(std::string_view key)
{
    constexpr std::array<std::string_view, 8> kKeys{"pool",     "container", "strategy",
                                                    "services", "workspace", "continueOnError",
                                                    "queue",    "server"};
    return std::find(kKeys.begin(), kKeys.end(), key) != kKeys.end();
}

class MapBuilder
{
public:
    MapBuilder(Arena &arena, const Node &at)
        : m_arena(arena)
        , m_at(at)
    {}

    void add(std::string_view key, const Node *value)
    {
        m_entries.push_back({m_arena.scalar(key, value), value});
    }

    void add(std::string_view key, std::string_view text)
    {
        m_entries.push_back({m_arena.scalar(key, &m_at), m_arena.scalar(text, &m_at)});
    }

    void add(const Entry &entry) { m_entries.push_back(entry); }

    void add(const Entry &entry, const Node *value) { m_entries.push_back({entry.key, value}); }

    [[nodiscard]] bool empty() const { return m_entries.empty(); }

    const Node *build() { return m_arena.mapping(m_entries, &m_at); }

private:
    Arena &m_arena;
    const Node &m_at;
    std::vector<Entry> m_entries;
};

} // namespace

template <typename Change> const Node *Normaliser::list(const Node &node, Change change)
{
    if (!node.isSequence())
        return &node;
    std::vector<const Node *> items;
    items.reserve(node.count);
    for (const Node *item : node.items()) {
        // An expression that gave nothing leaves an empty item.
        if (item->isScalar() && item->text.empty())
            continue;
        items.push_back(change(*item));
    }
    return m_arena.sequence(items, &node);
}

template <typename Change> const Node *Normaliser::values(const Node &node, Change change)
{
    if (!node.isMapping())
        return &node;
    MapBuilder out(m_arena, node);
    for (const Entry &entry : node.entries())
        out.add(entry, change(entry.key->text, *entry.value));
    return out.build();
}

const Node *Normaliser::step(const Node &node)
{
    if (!node.isMapping() || node.find("task") != nullptr)
        return &node;
    const Shorthand *form = nullptr;
    const Node *value = nullptr;
    for (const Shorthand &candidate : kShorthands) {
        if (const Node *found = node.find(candidate.keyword); found != nullptr && form == nullptr) {
            form = &candidate;
            value = found;
        }
    }
    if (form == nullptr)
        return &node;
    const bool none = (form->keyword == "checkout" || form->keyword == "download") &&
                      equalIgnoringCase(value->text, "none");
    MapBuilder out(m_arena, node);
    MapBuilder inputs(m_arena, *value);
    out.add("task", form->task);
    if (!form->firstInput.empty())
        inputs.add(form->firstInput, form->firstValue);
    inputs.add(form->valueInput, value);
    for (const Entry &entry : node.entries()) {
        const std::string_view key = entry.key->text;
        if (key == form->keyword)
            continue;
        if (isCommon(key)) {
            if (!(none && key == "condition"))
                out.add(entry);
        } else if (key == "artifact" && (form->valueInput == "path")) {
            inputs.add("artifactName", entry.value);
        } else if (key == "inputs" && entry.value->isMapping()) {
            for (const Entry &input : entry.value->entries())
                inputs.add(input);
        } else {
            inputs.add(entry);
        }
    }
    if (!form->lastInput.empty())
        inputs.add(form->lastInput, form->lastValue);
    if (none)
        out.add("condition", "false");
    out.add("inputs", inputs.build());
    return out.build();
}

const Node *Normaliser::steps(const Node &node)
{
    return list(node, [this](const Node &item) { return step(item); });
}

const Node *Normaliser::nameList(const Node &node)
{
    if (!node.isScalar())
        return &node;
    const Node *const one = &node;
    return node.text.empty() ? m_arena.sequence({}, &node)
                             : m_arena.sequence(std::span(&one, 1), &node);
}

const Node *Normaliser::variables(const Node &node)
{
    if (!node.isMapping())
        return node.isScalar() && node.text.empty() ? m_arena.sequence({}, &node) : &node;
    std::vector<const Node *> items;
    for (const Entry &entry : node.entries()) {
        MapBuilder item(m_arena, *entry.key);
        item.add("name", entry.key);
        item.add("value", entry.value);
        items.push_back(item.build());
    }
    return m_arena.sequence(items, &node);
}

const Node *Normaliser::container(const Node &node)
{
    if (!node.isScalar())
        return &node;
    if (node.text.empty())
        return &node;
    MapBuilder out(m_arena, node);
    out.add("alias", &node);
    return out.build();
}

const Node *Normaliser::services(const Node &node)
{
    return values(node, [this](std::string_view, const Node &value) { return container(value); });
}

const Node *Normaliser::environment(const Node &node)
{
    if (!node.isScalar())
        return &node;
    MapBuilder out(m_arena, node);
    out.add("name", &node);
    return out.build();
}

const Node *Normaliser::pool(const Node &node)
{
    return &node;
}

const Node *Normaliser::hook(const Node &node)
{
    return values(node, [this](std::string_view key, const Node &value) {
        return key == "steps" ? steps(value) : &value;
    });
}

const Node *Normaliser::lifecycle(const Node &node)
{
    return values(node, [this](std::string_view key, const Node &value) -> const Node * {
        if (key == "on")
            return values(value,
                          [this](std::string_view, const Node &inner) { return hook(inner); });
        if (key == "increments" || key == "maxParallel")
            return &value;
        return hook(value);
    });
}

const Node *Normaliser::deploymentStrategy(const Node &node)
{
    return values(node, [this](std::string_view, const Node &value) { return lifecycle(value); });
}

const Node *Normaliser::jobBody(const Node &node)
{
    const bool deployment = node.find("deployment") != nullptr;
    return values(node, [&](std::string_view key, const Node &value) -> const Node * {
        if (key == "dependsOn")
            return nameList(value);
        if (key == "variables")
            return variables(value);
        if (key == "container")
            return container(value);
        if (key == "services")
            return services(value);
        if (key == "environment")
            return environment(value);
        if (key == "steps")
            return steps(value);
        if (key == "strategy" && deployment)
            return deploymentStrategy(value);
        return &value;
    });
}

/// `phase`, `queue`, `server` in today's words (3.14).
const Node *Normaliser::phase(const Node &node)
{
    MapBuilder out(m_arena, node);
    MapBuilder strategy(m_arena, node);
    MapBuilder pool(m_arena, node);
    std::vector<Entry> limits;
    std::vector<Entry> rest;
    bool server = false;
    const auto common = [&](const Entry &entry) {
        const std::string_view key = entry.key->text;
        if (key == "matrix")
            strategy.add(entry);
        else if (key == "name" || key == "demands")
            pool.add(entry);
        else if (key != "parallel")
            limits.push_back(entry);
    };
    const Node *plainQueue = nullptr;
    for (const Entry &entry : node.entries()) {
        const std::string_view key = entry.key->text;
        const Node &value = *entry.value;
        if (key == "phase") {
            out.add("job", &value);
        } else if (key == "queue" || key == "server") {
            server = server || (key == "server" && !equalIgnoringCase(value.text, "false"));
            if (value.isScalar() && key == "queue")
                plainQueue = &value;
            for (const Entry &inner : value.entries())
                common(inner);
            if (const Node *parallel = value.find("parallel"))
                strategy.add(value.find("matrix") != nullptr ? "maxParallel" : "parallel",
                             parallel);
        } else if (key == "steps" || key == "variables") {
            rest.push_back(entry);
        } else {
            out.add(entry);
        }
    }
    if (!strategy.empty())
        out.add("strategy", strategy.build());
    for (const Entry &entry : limits)
        out.add(entry);
    if (server) {
        out.add("pool", "server");
    } else if (plainQueue != nullptr) {
        out.add("pool", plainQueue);
    } else if (!pool.empty()) {
        const Node *built = pool.build();
        out.add("pool",
                built->count == 1 && built->find("name") != nullptr ? built->find("name") : built);
    }
    for (const Entry &entry : rest)
        out.add(entry);
    return out.build();
}

const Node *Normaliser::job(const Node &node)
{
    if (!node.isMapping())
        return &node;
    if (node.find("phase") != nullptr)
        return jobBody(*phase(node));
    return jobBody(node);
}

const Node *Normaliser::jobs(const Node &node)
{
    return list(node, [this](const Node &item) { return job(item); });
}

const Node *Normaliser::stage(const Node &node)
{
    return values(node, [this](std::string_view key, const Node &value) -> const Node * {
        if (key == "dependsOn")
            return nameList(value);
        if (key == "variables")
            return variables(value);
        if (key == "jobs")
            return jobs(value);
        return &value;
    });
}

const Node *Normaliser::stages(const Node &node)
{
    return list(node, [this](const Node &item) { return stage(item); });
}

const Node *Normaliser::trigger(const Node &node)
{
    MapBuilder out(m_arena, node);
    if (node.isScalar() && node.text == "none") {
        out.add("enabled", "false");
        return out.build();
    }
    if (node.isSequence()) {
        MapBuilder branches(m_arena, node);
        branches.add("include", &node);
        out.add("branches", branches.build());
        return out.build();
    }
    return &node;
}

const Node *Normaliser::resources(const Node &node)
{
    if (!node.isSequence())
        return &node;
    MapBuilder out(m_arena, node);
    out.add("repositories", list(node, [this](const Node &item) {
                MapBuilder renamed(m_arena, item);
                for (const Entry &entry : item.entries()) {
                    if (entry.key->text == "repo")
                        renamed.add("repository", entry.value);
                    else
                        renamed.add(entry);
                }
                return renamed.build();
            }));
    return out.build();
}

const Node *Normaliser::root(const Node &node)
{
    if (!node.isMapping())
        return &node;
    const Node *const stepList = node.find("steps");
    const Node *const jobList =
        node.find("jobs") != nullptr ? node.find("jobs") : node.find("phases");
    MapBuilder out(m_arena, node);
    for (const Entry &entry : node.entries()) {
        const std::string_view key = entry.key->text;
        const Node &value = *entry.value;
        if (&value == stepList || &value == jobList) {
            const Node *inner = nullptr;
            if (&value == stepList) {
                MapBuilder implied(m_arena, value);
                implied.add("job", "Job");
                for (const Entry &other : node.entries()) {
                    if (isJobKeyOfRoot(other.key->text))
                        implied.add(other);
                }
                implied.add("steps", stepList);
                const Node *const built = implied.build();
                const bool legacy =
                    built->find("queue") != nullptr || built->find("server") != nullptr;
                const Node *const body = jobBody(legacy ? *phase(*built) : *built);
                inner = m_arena.sequence(std::span(&body, 1), &value);
            } else {
                inner = jobs(value);
            }
            MapBuilder stage(m_arena, value);
            stage.add("stage", "__default");
            stage.add("jobs", inner);
            const Node *const built = stage.build();
            out.add("stages", m_arena.sequence(std::span(&built, 1), &value));
        } else if (stepList != nullptr && isJobKeyOfRoot(key)) {
            continue; // moved into the job
        } else if (key == "stages") {
            out.add(entry, stages(value));
        } else if (key == "variables") {
            out.add(entry, variables(value));
        } else if (key == "trigger" || key == "pr") {
            out.add(entry, trigger(value));
        } else if (key == "resources") {
            out.add(entry, resources(value));
        } else {
            out.add(entry);
        }
    }
    return out.build();
}

} // namespace pipelines::shape
