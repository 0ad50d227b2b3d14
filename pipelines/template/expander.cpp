#include "pipelines/shape/shape.h"
#include "pipelines/template/expander_parts.h"

#include <array>

namespace pipelines::templates {

using expr::Value;
using yaml::Entry;
using yaml::Node;

namespace {

/// C++ call depth of the expansion; bounds our stack whatever the other limits allow.
constexpr std::size_t kMaxNesting = 1'500;

struct ChildPlace
{
    Place parent;
    std::string_view key;
    Place child;
};

constexpr std::array kChildren{
    ChildPlace{Place::Root, "stages", Place::StageList},
    ChildPlace{Place::Root, "jobs", Place::JobList},
    ChildPlace{Place::Root, "phases", Place::JobList},
    ChildPlace{Place::Root, "steps", Place::StepList},
    ChildPlace{Place::Root, "variables", Place::Variables},
    ChildPlace{Place::Root, "parameters", Place::Verbatim},
    ChildPlace{Place::Root, "trigger", Place::NoExpressions},
    ChildPlace{Place::Root, "pr", Place::NoExpressions},
    ChildPlace{Place::Root, "schedules", Place::NoExpressions},
    ChildPlace{Place::Root, "resources", Place::Resources},
    ChildPlace{Place::Resources, "repositories", Place::Repositories},
    ChildPlace{Place::Stage, "jobs", Place::JobList},
    ChildPlace{Place::Stage, "variables", Place::Variables},
    ChildPlace{Place::Job, "steps", Place::StepList},
    ChildPlace{Place::Job, "variables", Place::Variables},
    ChildPlace{Place::Job, "strategy", Place::Strategy},
    ChildPlace{Place::Strategy, "runOnce", Place::Lifecycle},
    ChildPlace{Place::Strategy, "rolling", Place::Lifecycle},
    ChildPlace{Place::Strategy, "canary", Place::Lifecycle},
    ChildPlace{Place::Lifecycle, "preDeploy", Place::Hook},
    ChildPlace{Place::Lifecycle, "deploy", Place::Hook},
    ChildPlace{Place::Lifecycle, "routeTraffic", Place::Hook},
    ChildPlace{Place::Lifecycle, "postRouteTraffic", Place::Hook},
    ChildPlace{Place::Lifecycle, "on", Place::Outcome},
    ChildPlace{Place::Outcome, "failure", Place::Hook},
    ChildPlace{Place::Outcome, "success", Place::Hook},
    ChildPlace{Place::Hook, "steps", Place::StepList},
};

Place childPlace(Place parent, std::string_view key)
{
    for (const ChildPlace &child : kChildren) {
        if (child.parent == parent && child.key == key)
            return child.child;
    }
    return Place::Any;
}

Place itemPlace(Place list)
{
    switch (list) {
    case Place::StageList:
        return Place::Stage;
    case Place::JobList:
        return Place::Job;
    case Place::StepList:
        return Place::Step;
    case Place::Variables:
        return Place::Variable;
    default:
        return Place::Any;
    }
}

bool mayHoldTemplates(Place place)
{
    return place != Place::Any && place != Place::Verbatim && place != Place::NoExpressions &&
           place != Place::Resources && place != Place::Repositories;
}

bool isBody(std::string_view key)
{
    return key == "stages" || key == "jobs" || key == "steps" || key == "phases";
}

const Node *firstExpression(const Node &node)
{
    if (!node.hasExpressions)
        return nullptr;
    if (node.isScalar())
        return &node;
    for (const Node *item : node.items()) {
        if (const Node *found = firstExpression(*item))
            return found;
    }
    for (const Entry &entry : node.entries()) {
        if (const Node *found = firstExpression(*entry.key))
            return found;
        if (const Node *found = firstExpression(*entry.value))
            return found;
    }
    return nullptr;
}

} // namespace

VariableScope &Expander::newScope(const VariableScope *outer)
{
    return m_scopes.emplace_back(outer);
}

void Expander::report(const Node &node, const Frame &frame, std::string code, std::string message,
                      std::string hint, Severity severity)
{
    const yaml::Source *source = node.source;
    if (frame.source != nullptr && source != nullptr && source->path == frame.source->path &&
        source->alias == frame.source->alias)
        source = frame.source;
    const bool kept = append(m_result.diagnostics,
                             {severity, std::move(code), std::move(message), node.position(), 0,
                              std::move(hint), yaml::includeChain(source)});
    if (!kept && severity == Severity::Error)
        throw Overflow{};
}

void Expander::guard(const Node &node, const Frame &frame)
{
    if (++m_events <= m_request.limits.maxExpandedNodes &&
        m_arena.nodeCount() <= 2 * m_request.limits.maxExpandedNodes &&
        m_arena.textBytes() <= maxBytes() && m_work <= maxBytes())
        return;
    report(node, frame, "limit-events",
           "Maximum events exceeded while evaluating the template. This may indicate an infinite "
           "loop or too many nested loops.");
    throw Overflow{};
}

const Node *Expander::expand(const Node &node, Place place, Frame &frame)
{
    if (place == Place::Verbatim)
        return &node;
    if (place == Place::NoExpressions) {
        if (const Node *found = firstExpression(node))
            report(*found, frame, "expression-not-allowed",
                   "A template expression is not allowed in this context",
                   "triggers are read before the template is evaluated");
        return &node;
    }
    if (!node.hasExpressions && !mayHoldTemplates(place))
        return &node;
    guard(node, frame);
    if (m_nesting >= kMaxNesting) {
        report(node, frame, "limit-depth", "Maximum object depth exceeded");
        throw Overflow{};
    }
    ++m_nesting;
    const Node *result = nullptr;
    switch (node.type) {
    case yaml::Type::Scalar:
        result = expandScalar(node, place, frame);
        break;
    case yaml::Type::Sequence: {
        if (place == Place::Repositories)
            refuseDirectives(node, frame);
        std::vector<const Node *> items;
        items.reserve(node.count);
        expandItems(node, itemPlace(place), frame, items);
        result = m_arena.sequence(items, &node);
        if (node.guessed || (items.empty() && node.count > 0))
            result = m_arena.asGuess(result);
        break;
    }
    case yaml::Type::Mapping:
        result = expandMapping(node, place, frame);
        break;
    }
    --m_nesting;
    return result;
}

const Node *Expander::expandScalar(const Node &node, Place place, Frame &frame)
{
    if (node.embedded == nullptr)
        return &node;
    m_guessed = false;
    const auto value = scalarValue(node, frame);
    if (!value) // reported: the empty text in its place is no mistake of its own
        return m_arena.asGuess(m_arena.scalar({}, &node, yaml::Style::Null));
    const Node *result = toNode(m_arena, *value, node);
    if (m_guessed)
        result = m_arena.asGuess(result);
    if (result->isScalar() || !mayHoldTemplates(place))
        return result;
    return expand(*result, place, frame); // data: only template references are left to resolve
}

void Expander::refuseDirectives(const Node &list, const Frame &frame)
{
    for (const Node *item : list.items()) {
        for (const Entry &entry : item->entries()) {
            if (entry.key->embedded != nullptr && entry.key->embedded->directive != Directive::None)
                report(*entry.key, frame, "expression-not-allowed",
                       "A template expression is not allowed in this context",
                       "repositories are declared without conditions; their values may hold "
                       "expressions");
        }
    }
}

// ---- sequences

void Expander::expandItems(const Node &sequence, Place place, Frame &frame,
                           std::vector<const Node *> &out)
{
    Chain chain;
    for (const Node *item : sequence.items()) {
        if (item->isMapping() && item->count == 1 &&
            expandDirectiveItem(*item, place, frame, out, chain))
            continue;
        if (item->isScalar() && item->embedded != nullptr) {
            if (const auto value = scalarValue(*item, frame))
                spliceValue(*value, *item, place, frame, out);
            continue;
        }
        expandItem(*item, place, frame, out);
    }
}

bool Expander::expandDirectiveItem(const Node &item, Place place, Frame &frame,
                                   std::vector<const Node *> &out, Chain &chain)
{
    const Entry &entry = item.entries()[0];
    if (entry.key->embedded == nullptr)
        return false;
    const Directive directive = entry.key->embedded->directive;
    if (directive == Directive::None || directive == Directive::Insert)
        return false; // insert works on the item's own mapping
    if (directive == Directive::Each) {
        chain = {};
        forEach(entry, frame, [&](Frame &inner) { spliceBody(*entry.value, place, inner, out); });
        return true;
    }
    if (chainAllows(entry, directive, frame, chain, true))
        spliceBody(*entry.value, place, frame, out);
    return true;
}

void Expander::spliceBody(const Node &body, Place place, Frame &frame,
                          std::vector<const Node *> &out)
{
    if (body.isSequence()) {
        expandItems(body, place, frame, out);
    } else if (body.isMapping()) {
        expandItem(body, place, frame, out);
    } else if (body.embedded != nullptr) {
        if (const auto value = scalarValue(body, frame))
            spliceValue(*value, body, place, frame, out);
    } else if (!body.text.empty()) {
        report(body, frame, "unexpected-value", "Expected a sequence",
               "the body of a directive in a list is a list");
    }
}

void Expander::spliceValue(const Value &value, const Node &at, Place place, Frame &frame,
                           std::vector<const Node *> &out)
{
    const Node *const node = toNode(m_arena, value, at);
    if (node->isSequence())
        expandItems(*node, place, frame, out);
    else
        expandItem(*node, place, frame, out);
}

void Expander::expandItem(const Node &item, Place place, Frame &frame,
                          std::vector<const Node *> &out)
{
    guard(item, frame);
    if (place == Place::Any) {
        out.push_back(expand(item, place, frame));
        return;
    }
    if (isTemplateItem(item))
        return include(item, place, frame, out);
    Frame inner = frame;
    if (place == Place::Stage || place == Place::Job)
        inner.variables = &newScope(frame.variables);
    const Node *expanded = expand(item, place, inner);
    if (isTemplateItem(*expanded))
        return include(*expanded, place, frame, out);
    if (place == Place::Variable)
        defineVariable(*expanded, frame);
    // Items of an included file remember which reference led to them.
    if (frame.source != nullptr && expanded->source != nullptr &&
        expanded->source->path == frame.source->path &&
        expanded->source->alias == frame.source->alias)
        expanded = m_arena.withSource(expanded, frame.source);
    out.push_back(expanded);
}

// ---- mappings

const Node *Expander::expandMapping(const Node &mapping, Place place, Frame &frame)
{
    Output out;
    out.entries.reserve(mapping.count);
    expandEntries(mapping, place, frame, out, nullptr);
    if (out.mayCollide) {
        std::unordered_map<std::string_view, std::size_t, HashIgnoringCase, EqualIgnoringCase> seen;
        for (std::size_t i = 0; i < out.entries.size(); ++i) {
            const std::string_view key = out.entries[i].key->text;
            if (!seen.emplace(key, i).second)
                report(*out.blame[i], frame, "duplicate-key",
                       "'" + std::string(key) + "' is already defined",
                       frame.extends && place == Place::Root
                           ? "the pipeline and the template that it extends both have it: keep one"
                           : "");
        }
    }
    return m_arena.mapping(out.entries, &mapping);
}

void Expander::expandEntries(const Node &mapping, Place place, Frame &frame, Output &out,
                             const Node *blame)
{
    Chain chain;
    for (const Entry &entry : mapping.entries()) {
        if (entry.key->embedded != nullptr) {
            out.mayCollide = true;
            if (entry.key->embedded->directive != Directive::None) {
                expandDirectiveEntry(entry, place, frame, out, blame, chain);
                continue;
            }
        }
        addEntry(entry, place, frame, out, blame);
    }
}

bool Expander::expandDirectiveEntry(const Entry &entry, Place place, Frame &frame, Output &out,
                                    const Node *blame, Chain &chain)
{
    switch (entry.key->embedded->directive) {
    case Directive::Each:
        chain = {};
        forEach(entry, frame, [&](Frame &inner) {
            insertBody(entry, place, inner, out, blame != nullptr ? blame : entry.key);
        });
        return true;
    case Directive::Insert:
        chain = {};
        if (!entry.key->embedded->broken)
            insertBody(entry, place, frame, out,
                       blame != nullptr                   ? blame
                       : entry.value->embedded != nullptr ? entry.value
                                                          : nullptr);
        return true;
    default:
        if (chainAllows(entry, entry.key->embedded->directive, frame, chain, false))
            insertBody(entry, place, frame, out, blame);
        return true;
    }
}

void Expander::insertBody(const Entry &entry, Place place, Frame &frame, Output &out,
                          const Node *blame)
{
    const Node &body = *entry.value;
    if (body.isMapping())
        return expandEntries(body, place, frame, out, blame);
    if (body.isScalar() && body.embedded != nullptr) {
        m_guessed = false;
        const auto value = scalarValue(body, frame);
        if (!value)
            return;
        const bool isGuess = m_guessed;
        const Node *const node = toNode(m_arena, *value, body);
        if (node->isMapping())
            return expandEntries(*node, place, frame, out, blame != nullptr ? blame : &body);
        if (value->isNull() || isGuess || (node->isScalar() && node->text.empty()))
            return; // an absent mapping inserts nothing
    }
    report(body.isSequence() ? *entry.key : body, frame, "expected-mapping", "Expected a mapping",
           "a directive among keys holds `key: value` lines");
}

void Expander::addEntry(const Entry &entry, Place place, Frame &frame, Output &out,
                        const Node *blame)
{
    const Node *key = entry.key;
    guard(*key, frame); // what is inserted again and again grows without being expanded
    if (key->embedded != nullptr) {
        const auto value = scalarValue(*key, frame);
        if (!value)
            return;
        if (value->isCollection()) {
            report(*key, frame, "expected-scalar", "Expected a scalar value");
            return;
        }
        key = m_arena.scalar(value->str(), key);
    }
    if (place == Place::Root && frame.extends && isBody(key->text)) {
        report(*key, frame, "unexpected-value", "Unexpected value '" + std::string(key->text) + "'",
               "a pipeline that extends a template has no " + std::string(key->text) +
                   " of its own");
        return;
    }
    if (place == Place::Root && key->text == "extends")
        return extend({key, entry.value}, frame, out);
    if (place == Place::Root && key->text == "resources") {
        if (const auto early = m_early.find(entry.value); early != m_early.end()) {
            out.add(key, early->second, blame);
            return;
        }
    }
    const Node *const value = expand(*entry.value, childPlace(place, key->text), frame);
    if (place == Place::Variables && value->isScalar())
        frame.variables->define(key->text, value->text);
    out.add(key, value, blame);
}

template <typename Visit> void Expander::forEach(const Entry &entry, Frame &frame, Visit visit)
{
    const Embedded &embedded = *entry.key->embedded;
    if (embedded.broken)
        return;
    const expr::NameInfo *const context = expr::findName(embedded.loopName);
    bool isTaken = context != nullptr && (context->slots & slotBit(expr::Slot::Template)) != 0;
    for (const Loop *loop = frame.loops; loop != nullptr; loop = loop->outer)
        isTaken = isTaken || equalIgnoringCase(loop->name, embedded.loopName);
    if (isTaken) {
        report(*entry.key, frame, "loop-variable",
               "The idenfifier '" + std::string(embedded.loopName) +
                   "' has already been defined within the current scope",
               "give the loop another variable");
        return;
    }
    m_guessed = false;
    const auto value = directiveValue(*entry.key, frame);
    if (!value)
        return;
    const bool isGuess = m_guessed;
    const auto visitItem = [&](Value item) {
        guard(*entry.key, frame);
        const Loop loop{embedded.loopName, std::move(item), frame.loops};
        Frame inner = frame;
        inner.loops = &loop;
        visit(inner);
    };
    if (value->kind() == expr::Kind::Array) {
        for (const Value &item : value->asArray()->items)
            visitItem(item);
    } else if (value->kind() == expr::Kind::Object) {
        const expr::Object &object = *value->asObject();
        for (std::size_t i = 0; i < object.size(); ++i) {
            auto pair = std::make_shared<expr::PlainObject>(true);
            pair->add("key", Value::own(std::string(object.key(i))));
            pair->add("value", object.value(i));
            visitItem(Value::object(std::move(pair)));
        }
    } else if (!value->isNull() && !isGuess && !value->str().empty()) {
        report(*entry.key, frame, "each-collection",
               "Expected a sequence, or a mapping, got: " + std::string(toString(value->kind())),
               "`each` goes over a list or a mapping");
    }
}

bool Expander::chainAllows(const Entry &entry, Directive directive, Frame &frame, Chain &chain,
                           bool inSequence)
{
    if (directive == Directive::If) {
        chain = {true, false};
    } else if (!chain.open) {
        report(*entry.key, frame, "orphan-directive",
               "The expression directive '" + std::string(toString(directive)) +
                   "' is not supported in this context",
               "it must follow an `if` of the same list or mapping");
        report(inSequence ? *entry.key : *entry.value, frame, "unexpected-value",
               inSequence ? "Unexpected value '" + std::string(entry.key->embedded->raw) + "'"
                          : "A mapping was not expected");
        return false;
    }
    if (directive == Directive::Else) {
        const bool run = !chain.taken && !entry.key->embedded->broken;
        chain = {};
        return run;
    }
    if (chain.taken)
        return false;
    const auto value = directiveValue(*entry.key, frame);
    // After an error neither branch is taken: its messages would only follow from this one.
    chain.taken = !value || value->toBoolean();
    return value && value->toBoolean();
}

void Expander::defineVariable(const Node &item, Frame &frame)
{
    if (!item.isMapping())
        return;
    const Node *const name = item.find("name");
    const Node *const value = item.find("value");
    const Node *const group = item.find("group");
    if (name != nullptr && name->isScalar() && (value == nullptr || value->isScalar()))
        frame.variables->define(name->text, value == nullptr ? std::string_view{} : value->text);
    if (group != nullptr && group->isScalar())
        defineGroup(group->text, frame);
}

void Expander::defineGroup(std::string_view name, Frame &frame)
{
    for (const auto &[group, values] : m_request.variableGroups) {
        if (!equalIgnoringCase(group, name))
            continue;
        for (const auto &[key, value] : values)
            frame.variables->define(key, value);
    }
}

} // namespace pipelines::templates
