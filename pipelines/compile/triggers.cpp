#include "pipelines/compile/triggers.h"

#include "pipelines/base/text.h"
#include "pipelines/compile/fields.h"
#include "pipelines/cron/schedule.h"
#include "pipelines/shape/shape.h"
#include "pipelines/yaml/reader.h"

#include <array>

namespace pipelines::compiler {
namespace {

using yaml::Entry;
using yaml::Node;

BranchFilter filter(const Node *node)
{
    if (node == nullptr)
        return {};
    if (node->isSequence())
        return {texts(node), {}};
    return {texts(node->find("include")), texts(node->find("exclude"))};
}

bool isOff(const Node &node)
{
    return (node.isScalar() && equalIgnoringCase(node.text, "none")) ||
           (node.isMapping() && !flag(node, "enabled", true));
}

using Resource = Triggers::Resource;

bool isOn(const Node *trigger)
{
    return trigger != nullptr && !isOff(*trigger) &&
           !(trigger->isScalar() && !equalIgnoringCase(trigger->text, "true"));
}

struct ResourceForm
{
    std::string_view list, alias, source;
    Resource::Kind kind;
};

constexpr std::array kResourceForms{
    ResourceForm{"pipelines", "pipeline", "source", Resource::Kind::Pipeline},
    ResourceForm{"repositories", "repository", "name", Resource::Kind::Repository},
    ResourceForm{"containers", "container", "image", Resource::Kind::Container},
    ResourceForm{"builds", "build", "source", Resource::Kind::Build},
    ResourceForm{"packages", "package", "name", Resource::Kind::Package},
    ResourceForm{"webhooks", "webhook", "connection", Resource::Kind::Webhook}};

/// One resource; nothing when it starts no run (4.1 to 4.4).
std::optional<Resource> resource(const Node &item, const ResourceForm &form)
{
    const Node *const trigger = item.find("trigger");
    const bool isList = trigger != nullptr && trigger->isSequence();
    const bool on = form.kind == Resource::Kind::Webhook || isOn(trigger);
    if (!on || text(item, form.alias).empty() || equalIgnoringCase(text(item, form.alias), "self"))
        return std::nullopt;
    Resource out;
    out.kind = form.kind;
    out.alias = text(item, form.alias);
    out.source = text(item, form.source);
    out.project = text(item, "project");
    out.connection = text(item, "connection");
    if (isList)
        out.branches.include = texts(trigger);
    if (trigger != nullptr && trigger->isMapping()) {
        out.batch = flag(*trigger, "batch", false);
        out.branches = filter(trigger->find("branches"));
        out.paths = filter(trigger->find("paths"));
        out.tags = filter(trigger->find("tags"));
        out.stages = texts(trigger->find("stages"));
    }
    if (const Node *const filters = item.find("filters")) {
        for (const Node *one : filters->items())
            out.filters.emplace_back(text(*one, "path"), text(*one, "value"));
    }
    return out;
}

/// The schema's pattern for branches and tags (5.1).
void checkPatterns(const Node &list, std::vector<Diagnostic> &diagnostics)
{
    for (const Node *item : list.items()) {
        if (item->isScalar() && item->embedded == nullptr &&
            (item->text.find_first_of(" ~^:[]\\") != std::string_view::npos ||
             item->text.find("//") != std::string_view::npos))
            diagnostics.push_back(makeDiagnostic(
                Severity::Warning, "impossible-branch",
                "No branch or tag can be named '" + std::string(item->text) + "'", item->position(),
                "names hold no blank, ~, ^, :, [, ], \\ and no empty part; "
                "wildcards are * and ?"));
    }
}

} // namespace

void checkTriggers(const Node &root, std::vector<Diagnostic> &diagnostics)
{
    if (const Node *const list = root.find("schedules")) {
        for (const Node *item : list->items()) {
            const Node *const text = item->find("cron");
            if (text == nullptr || !text->isScalar() || text->text.empty())
                continue;
            if (const auto schedule = cron::Schedule::parse(text->text); !schedule)
                diagnostics.push_back(makeDiagnostic(Severity::Error, "invalid-cron",
                                                     "Improperly formed cron syntax: '" +
                                                         std::string(text->text) + "'",
                                                     text->position(), schedule.error().message));
        }
    }
    for (const std::string_view key : {"trigger", "pr"}) {
        const Node *const node = root.find(key);
        if (node == nullptr)
            continue;
        checkPatterns(*node, diagnostics);
        for (const std::string_view filter : {"branches", "tags"}) {
            if (const Node *const list = node->find(filter)) {
                checkPatterns(*list, diagnostics);
                for (const Entry &entry : list->entries())
                    checkPatterns(*entry.value, diagnostics);
            }
        }
    }
}

Triggers readTriggers(const Node &root)
{
    Triggers out;
    if (const Node *const node = root.find("trigger")) {
        out.push.enabled = !isOff(*node);
        if (node->isSequence())
            out.push.branches.include = texts(node);
        out.push.batch = flag(*node, "batch", false);
        if (node->isMapping()) {
            out.push.branches = filter(node->find("branches"));
            out.push.tags = filter(node->find("tags"));
            out.push.paths = filter(node->find("paths"));
        }
    }
    if (const Node *const node = root.find("pr")) {
        out.pullRequest.enabled = !isOff(*node);
        if (node->isSequence())
            out.pullRequest.branches.include = texts(node);
        if (node->isMapping()) {
            out.pullRequest.autoCancel = flag(*node, "autoCancel", true);
            out.pullRequest.drafts = flag(*node, "drafts", true);
            out.pullRequest.branches = filter(node->find("branches"));
            out.pullRequest.paths = filter(node->find("paths"));
        }
    }
    if (const Node *const node = root.find("schedules")) {
        for (const Node *item : node->items()) {
            Triggers::Schedule schedule;
            const Node *const cron = item->find("cron");
            if (cron == nullptr || !cron->isScalar())
                continue;
            schedule.cron = cron->text;
            if (const Node *const name = item->find("displayName"))
                schedule.displayName = name->text;
            schedule.branches = filter(item->find("branches"));
            schedule.always = flag(*item, "always", false);
            schedule.batch = flag(*item, "batch", false);
            out.schedules.push_back(std::move(schedule));
        }
    }
    const Node *const resources = root.find("resources");
    for (const ResourceForm &form : kResourceForms) {
        const Node *const list = resources == nullptr ? nullptr : resources->find(form.list);
        for (const Node *item : list == nullptr ? std::span<const Node *const>{} : list->items()) {
            if (auto found = resource(*item, form))
                out.resources.push_back(std::move(*found));
        }
    }
    return out;
}

} // namespace pipelines::compiler

namespace pipelines {

Triggers scanTriggers(const std::string &path, const std::string &text,
                      std::vector<Diagnostic> &diagnostics)
{
    yaml::Arena arena;
    yaml::Source source;
    source.name = path;
    source.path = path;
    source.alias = "self";
    const yaml::Node *const root =
        yaml::read(arena, arena.source(source), text, {}, nullptr, diagnostics);
    if (root == nullptr || !root->isMapping()) {
        // A file that cannot be read starts nothing (pipeline-language 5).
        Triggers off;
        off.push.enabled = false;
        off.pullRequest.enabled = false;
        return off;
    }
    for (const auto &[key, shape] :
         {std::pair<std::string_view, const shape::Shape *>{"trigger", &shape::kTrigger},
          {"pr", &shape::kPullRequest},
          {"schedules", &shape::kSchedules}}) {
        if (const yaml::Node *const node = root->find(key))
            shape::check(*node, *shape, diagnostics);
    }
    return compiler::readTriggers(*root);
}

} // namespace pipelines
