#include "pipelines/shape/normalise.h"
#include "pipelines/template/expander_parts.h"

#include <algorithm>
#include <array>

namespace pipelines::templates {

using yaml::Entry;
using yaml::Node;

namespace {

/// The key of a template file that fits a place (14.1).
bool fits(Place place, std::string_view key)
{
    switch (place) {
    case Place::Stage:
        return key == "stages";
    case Place::Job:
        return key == "jobs" || key == "phases";
    case Place::Step:
        return key == "steps";
    case Place::Variable:
        return key == "variables";
    default:
        return false;
    }
}

std::string_view wantedKey(Place place)
{
    switch (place) {
    case Place::Stage:
        return "stages";
    case Place::Job:
        return "jobs";
    case Place::Step:
        return "steps";
    default:
        return "variables";
    }
}

/// Are there arguments whose names only the caller's values tell?
bool namesComeFromElsewhere(const Node &arguments)
{
    return arguments.embedded != nullptr ||
           std::any_of(arguments.entries().begin(), arguments.entries().end(),
                       [](const Entry &entry) { return entry.key->embedded != nullptr; });
}

} // namespace

const Node *Expander::includedRoot(const Node &templateNode, const Node *arguments, Place place,
                                   Frame &frame)
{
    if (!templateNode.isScalar() || templateNode.text.empty()) {
        report(templateNode, frame, "template-path",
               templateNode.isScalar() ? "The file path is empty" : "Expected a scalar value",
               "write `template: path/of/file.yml`");
        return nullptr;
    }
    const auto target = resolve(templateNode, frame);
    if (!target)
        return nullptr;
    if (frame.depth + 1 > m_request.limits.maxDepth) {
        report(templateNode, frame, "limit-depth", "Maximum object depth exceeded",
               "templates include each other deeper than " +
                   std::to_string(m_request.limits.maxDepth) + " levels; is there a cycle?");
        throw Overflow{};
    }
    const std::size_t before = m_result.diagnostics.size();
    File *const file = load(target->first, target->second, templateNode, frame);
    if (templateNode.guessed && file->root == nullptr && !file->wasRead) {
        // Which file it is depends on a parameter that has no value yet.
        m_result.diagnostics.resize(before);
        m_loaded.erase(*target);
        return nullptr;
    }
    if (file->root == nullptr)
        return nullptr;
    yaml::Source via = *file->source;
    via.includedBy = frame.source != nullptr && templateNode.source->path == frame.source->path &&
                             templateNode.source->alias == frame.source->alias
                         ? frame.source
                         : templateNode.source;
    via.line = templateNode.line;
    via.column = templateNode.column;
    Frame inner;
    inner.source = m_arena.source(via);
    inner.variables = frame.variables;
    inner.depth = frame.depth + 1;
    inner.extends = file->root->find("extends") != nullptr;
    if (!file->root->isMapping()) {
        report(*file->root, inner, "expected-mapping",
               file->root->isSequence() ? "A sequence was not expected" : "Expected a mapping",
               place == Place::Root
                   ? "a template file holds `stages:`, `jobs:`, `steps:` or `extends:`"
                   : "a template file begins with `parameters:` or `" +
                         std::string(wantedKey(place)) + ":`");
        return nullptr;
    }
    if (!file->declarations) {
        file->declarations = declarations(file->root->find("parameters"), true);
        remarkUnused(*file->declarations, file->source, inner);
        remarkUnreachable(*file->root, *file->declarations, file->source, inner);
    }
    const Node *const resources = place == Place::Root ? file->root->find("resources") : nullptr;
    // References inside of the arguments may name repositories that only the template declares.
    if (resources != nullptr)
        declareRepositories(*resources);
    if (place == Place::Root && file->declarations->form == Declarations::Form::Legacy)
        report(*file->root->find("parameters"), inner, "expected-sequence",
               "A mapping was not expected",
               "parameters of a template that is extended are a list: `- name: x`");
    auto scope = bind(*file->declarations, arguments, frame, inner.source, templateNode);
    if (scope == nullptr)
        return nullptr;
    inner.parameters = scope.get();
    m_parameterScopes.push_back(std::move(scope));
    if (resources != nullptr) {
        const Node *const expanded = expand(*resources, Place::Resources, inner);
        m_early.insert_or_assign(resources, expanded);
        declareRepositories(*expanded);
    }
    return expandMapping(*file->root, Place::Root, inner);
}

void Expander::include(const Node &item, Place place, Frame &frame, std::vector<const Node *> &out)
{
    const Node *path = nullptr;
    const Node *arguments = nullptr;
    bool isPartial = false;
    for (const Entry &entry : item.entries()) {
        const std::string_view key = entry.key->text;
        if (key == "template" && entry.key->embedded == nullptr) {
            path = expand(*entry.value, Place::Any, frame);
        } else if (key == "parameters" && entry.key->embedded == nullptr) {
            arguments = expand(*entry.value, Place::Any, frame);
            isPartial = m_isTemplate && namesComeFromElsewhere(*entry.value);
        } else if (entry.key->embedded != nullptr) {
            // A directive beside `template`: what it inserts decides.
            const Node *const whole = expandMapping(item, Place::Any, frame);
            if (!whole->hasExpressions)
                return include(*whole, place, frame, out);
            return;
        } else {
            report(*entry.key, frame, "unexpected-value",
                   "Unexpected value '" + std::string(key) + "'",
                   "beside `template` only `parameters` may stand");
        }
    }
    if (path == nullptr)
        return; // nothing is included without a template
    m_partialArguments = isPartial;
    const Node *const root = includedRoot(*path, arguments, place, frame);
    if (root == nullptr) {
        if (place == Place::Variable && frame.variables != nullptr)
            frame.variables->markIncomplete();
        return;
    }
    for (const Entry &entry : root->entries()) {
        const std::string_view key = entry.key->text;
        if (key == "parameters")
            continue;
        if (!fits(place, key)) {
            Frame inner = frame;
            yaml::Source via = *entry.key->source;
            via.includedBy = frame.source;
            via.line = path->line;
            via.column = path->column;
            inner.source = m_arena.source(via);
            report(*entry.key, inner, "unexpected-value",
                   "Unexpected value '" + std::string(key) + "'",
                   "a template used here holds only `parameters` and `" +
                       std::string(wantedKey(place)) + "`");
            continue;
        }
        const Node *list = entry.value;
        if (place == Place::Variable && list->isMapping())
            list = shape::Normaliser(m_arena).variables(*list);
        if (list->isSequence()) {
            out.insert(out.end(), list->items().begin(), list->items().end());
        } else if (!list->text.empty() || list->isMapping()) {
            report(*list, frame, "expected-sequence",
                   list->isMapping() ? "A mapping was not expected" : "Expected a sequence");
        }
    }
}

void Expander::extend(const Entry &entry, Frame &frame, Output &out)
{
    const Node *const value = expand(*entry.value, Place::Any, frame);
    const Node *const path = value->find("template");
    if (path == nullptr) {
        out.add(entry.key, value, nullptr); // the checker names what is missing
        return;
    }
    for (const Entry &inner : value->entries()) {
        if (inner.key->text != "template" && inner.key->text != "parameters")
            report(*inner.key, frame, "unexpected-value",
                   "Unexpected value '" + std::string(inner.key->text) + "'",
                   "`extends` takes `template` and `parameters`");
    }
    const Node *const root = includedRoot(*path, value->find("parameters"), Place::Root, frame);
    if (root == nullptr) {
        // What the body would be is unknown, but there is one.
        const Node *const none =
            m_arena.asGuess(m_arena.sequence(std::span<const Node *const>(), entry.value));
        out.add(m_arena.scalar("stages", entry.key), none, nullptr);
        return;
    }
    constexpr std::array<std::string_view, 15> kAllowed{
        "parameters", "trigger",   "pr",     "resources",    "variables",
        "stages",     "jobs",      "steps",  "extends",      "pool",
        "name",       "schedules", "phases", "lockBehavior", "appendCommitMessageToRunName"};
    for (const Entry &inner : root->entries()) {
        const std::string_view key = inner.key->text;
        if (std::find(kAllowed.begin(), kAllowed.end(), key) == kAllowed.end() &&
            key != "container" && key != "strategy" && key != "workspace" && key != "services" &&
            key != "continueOnError") {
            report(*inner.key, frame, "unexpected-value",
                   "Unexpected value '" + std::string(key) + "'");
            continue;
        }
        if (key == "parameters" || key == "trigger" || key == "pr" || key == "schedules" ||
            key == "name" || key == "lockBehavior" || key == "appendCommitMessageToRunName")
            continue; // the pipeline's own count
        if (key == "resources") {
            mergeResources(*inner.value, out);
            continue;
        }
        out.mayCollide = true;
        out.add(inner.key, inner.value, nullptr);
    }
}

void Expander::mergeResources(const Node &resources, Output &out)
{
    for (Entry &known : out.entries) {
        if (known.key->text != "resources" || !known.value->isMapping() || !resources.isMapping())
            continue;
        std::vector<Entry> merged(known.value->entries().begin(), known.value->entries().end());
        for (const Entry &added : resources.entries()) {
            const auto same = std::find_if(merged.begin(), merged.end(), [&](const Entry &entry) {
                return entry.key->text == added.key->text;
            });
            if (same == merged.end()) {
                merged.push_back(added);
                continue;
            }
            std::vector<const Node *> items(same->value->items().begin(),
                                            same->value->items().end());
            items.insert(items.end(), added.value->items().begin(), added.value->items().end());
            same->value = m_arena.sequence(items, same->value);
        }
        known.value = m_arena.mapping(merged, known.value);
        return;
    }
    out.add(m_arena.scalar("resources", &resources), &resources, nullptr);
}

} // namespace pipelines::templates
