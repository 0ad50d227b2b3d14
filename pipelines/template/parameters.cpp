#include "pipelines/shape/normalise.h"
#include "pipelines/shape/shape.h"
#include "pipelines/template/expander_parts.h"

#include <algorithm>
#include <array>
#include <unordered_map>
#include <unordered_set>

namespace pipelines::templates {

using expr::Value;
using yaml::Entry;
using yaml::Node;

namespace {

enum class Structure : std::uint8_t { None, Step, Job, Stage, Container };

struct StructureType
{
    std::string_view type, shown;
    Structure structure;
    bool isList;
};

constexpr std::array kStructureTypes{
    StructureType{"step", "Step", Structure::Step, false},
    StructureType{"stepList", "StepList", Structure::Step, true},
    StructureType{"job", "Job", Structure::Job, false},
    StructureType{"jobList", "JobList", Structure::Job, true},
    StructureType{"deployment", "Deployment", Structure::Job, false},
    StructureType{"deploymentList", "DeploymentList", Structure::Job, true},
    StructureType{"stage", "Stage", Structure::Stage, false},
    StructureType{"stageList", "StageList", Structure::Stage, true},
    StructureType{"container", "Container", Structure::Container, false},
    StructureType{"containerList", "ContainerList", Structure::Container, true}};

const StructureType *structureOf(std::string_view type)
{
    const auto *const found =
        std::find_if(kStructureTypes.begin(), kStructureTypes.end(),
                     [type](const StructureType &candidate) { return candidate.type == type; });
    return found == kStructureTypes.end() ? nullptr : found;
}

bool isTextType(std::string_view type)
{
    return type == "string" || type == "environment" || type == "filePath" || type == "pool" ||
           type == "secureFile" || type == "serviceConnection";
}

using NameSet = std::unordered_set<std::string_view, HashIgnoringCase, EqualIgnoringCase>;

NameSet namesOf(const std::vector<Declaration> &declarations)
{
    NameSet names;
    names.reserve(declarations.size());
    for (const Declaration &declaration : declarations)
        names.insert(declaration.name);
    return names;
}

std::string quoted(std::string_view name)
{
    return "'" + std::string(name) + "'";
}

/// Which types exist in a file of this kind (6.2).
bool isTypeOf(bool isTemplate, std::string_view type)
{
    if (!isTemplate)
        return type != "legacyObject";
    return type == "string" || !isTextType(type);
}

/// JSON of a node, for the queue dialog. False: it is nested too deeply.
bool appendJson(std::string &out, const Node &node, ValueReader &reader)
{
    try {
        out += expr::toJson(reader.read(node, Typing::Typed));
        return true;
    } catch (const expr::EvaluationError &) {
        return false;
    }
}

} // namespace

Declarations Expander::declarations(const Node *node, bool isTemplate)
{
    Declarations found;
    if (node == nullptr || (node->isScalar() && node->text.empty()))
        return found;
    const Frame frame;
    if (node->isMapping()) {
        legacyDeclarations(*node, found);
        return found;
    }
    found.form = Declarations::Form::List;
    NameSet names;
    for (const Node *item : node->items()) {
        if (item->hasExpressions) {
            // Only a lone string literal is allowed, and that was folded while reading (6.1).
            for (const Entry &entry : item->entries()) {
                if (entry.value->hasExpressions || entry.key->hasExpressions)
                    report(entry.value->hasExpressions ? *entry.value : *entry.key, frame,
                           "expression-not-allowed",
                           "A template expression is not allowed in this context",
                           "defaults of parameters are literals");
            }
            continue;
        }
        const std::size_t before = m_result.diagnostics.size();
        shape::check(*item, shape::kParameterItem, m_result.diagnostics);
        const Node *const name = item->find("name");
        if (name == nullptr || !name->isScalar() || name->text.empty())
            continue;
        Declaration declaration;
        declaration.name = name->text;
        declaration.node = item;
        declaration.defaultValue = item->find("default");
        declaration.values = item->find("values");
        if (const Node *const type = item->find("type"); type != nullptr && type->isScalar())
            declaration.type = type->text;
        if (m_result.diagnostics.size() == before && !isTypeOf(isTemplate, declaration.type) &&
            !(m_isTemplate && isTypeOf(!isTemplate, declaration.type)))
            report(*item->find("type"), frame, "unexpected-value",
                   "Unexpected value '" + std::string(declaration.type) + "'",
                   isTemplate ? "this type exists in the pipeline file only: write `string`"
                              : "this type exists in templates only: write `object`");
        if (m_result.diagnostics.size() != before)
            declaration.type = {}; // already wrong: take any value
        if (const Node *const shown = item->find("displayName"))
            declaration.displayName = shown->text;
        if (!names.insert(declaration.name).second) {
            report(*item, frame, "duplicate-parameter",
                   "The " + quoted(declaration.name) +
                       " parameter is declared more than once in the parameter list.");
            continue;
        }
        found.list.push_back(declaration);
    }
    if (!node->isSequence())
        report(*node, frame, "expected-sequence", "Expected a sequence",
               "parameters are a list: `- name: x`");
    return found;
}

void Expander::legacyDeclarations(const Node &node, Declarations &found)
{
    found.form = Declarations::Form::Legacy;
    found.node = &node;
    for (const Entry &entry : node.entries()) {
        if (entry.key->hasExpressions)
            continue;
        Declaration declaration;
        declaration.name = entry.key->text;
        declaration.node = entry.key;
        declaration.defaultValue = entry.value;
        found.list.push_back(declaration);
    }
}

std::unique_ptr<ParameterScope> Expander::bind(const Declarations &declared, const Node *arguments,
                                               const Frame &caller, const yaml::Source *callee,
                                               const Node &reference)
{
    const bool lenient = declared.form != Declarations::Form::List;
    auto scope = std::make_unique<ParameterScope>(lenient ? ParameterScope::Miss::Null
                                                          : ParameterScope::Miss::Remark);
    std::span<const Entry> given;
    if (arguments != nullptr && arguments->isMapping()) {
        given = arguments->entries();
    } else if (arguments != nullptr && !(arguments->isScalar() && arguments->text.empty())) {
        report(*arguments, caller, "expected-mapping", "Expected a mapping",
               "parameters of a template are `name: value` lines");
        return nullptr;
    }
    if (lenient) {
        // Undeclared arguments are readable too; every scalar is a text (6.7).
        for (const Declaration &declaration : declared.list) {
            if (!declaration.defaultValue->hasExpressions)
                scope->set(declaration.name,
                           m_reader.read(*declaration.defaultValue, Typing::Strings));
        }
        for (const Entry &entry : given)
            scope->set(entry.key->text, m_reader.read(*entry.value, Typing::Strings),
                       entry.value->guessed);
        return scope;
    }
    bool failed = false;
    m_work += declared.list.size() + given.size();
    const NameSet names = namesOf(declared.list);
    std::unordered_map<std::string_view, const Node *, HashIgnoringCase, EqualIgnoringCase> values;
    for (const Entry &entry : given) {
        if (names.contains(entry.key->text)) {
            values.insert_or_assign(entry.key->text, entry.value);
            continue;
        }
        const std::string close = nearest(entry.key->text, names);
        report(*entry.value, caller, "unexpected-parameter",
               "Unexpected parameter " + quoted(entry.key->text),
               close.empty() ? "the template does not declare it"
                             : "did you mean `" + close + "`?");
        failed = true;
    }
    for (const Declaration &declaration : declared.list) {
        const auto found = values.find(declaration.name);
        const Node *const value = found == values.end() ? declaration.defaultValue : found->second;
        if (value == nullptr && m_partialArguments) {
            scope->set(declaration.name, placeholder(declaration, caller, callee), true);
            continue;
        }
        if (value == nullptr) {
            report(reference, caller, "missing-parameter",
                   "A value for the " + quoted(declaration.name) + " parameter must be provided.",
                   "add it under `parameters:` of this reference, or give it a default");
            failed = true;
            continue;
        }
        auto converted = convert(declaration, *value, caller, callee);
        failed = failed || !converted;
        if (converted)
            scope->set(declaration.name, std::move(*converted), value->guessed);
    }
    if (failed)
        return nullptr;
    return scope;
}

Value Expander::placeholder(const Declaration &declaration, const Frame &caller,
                            const yaml::Source *callee)
{
    if (declaration.values != nullptr && declaration.values->isSequence() &&
        declaration.values->count > 0 && declaration.type != "stringList") {
        if (auto first = convert(declaration, *declaration.values->items()[0], caller, callee))
            return std::move(*first);
    }
    if (declaration.type == "number")
        return Value::number({});
    if (declaration.type == "boolean")
        return Value::boolean(false);
    if (declaration.type.ends_with("List"))
        return Value::array(std::make_shared<expr::Array>());
    if (declaration.type == "object" || structureOf(declaration.type) != nullptr)
        return Value::null();
    // Some text: an empty one would take the branches that refuse a missing value.
    return Value::borrow(declaration.name);
}

const Node *Expander::givenStructure(const std::string &text, const yaml::Source *source)
{
    const yaml::ReadLimits limits{m_request.limits.maxFileBytes, m_request.limits.maxYamlDepth,
                                  m_request.limits.maxExpandedNodes};
    // No hook: a value given by a person holds no expressions.
    return yaml::read(m_arena, source, text, limits, nullptr, m_result.diagnostics);
}

/// The payload of a webhook is read like a parameter of its alias (4.4); without one it is null.
void Expander::bindWebhooks(const Node *resources, ParameterScope &scope)
{
    const Node *const list = resources == nullptr ? nullptr : resources->find("webhooks");
    if (list == nullptr)
        return;
    for (const Node *item : list->items()) {
        const Node *const alias = item->find("webhook");
        if (alias == nullptr || !alias->isScalar() || alias->text.empty() || scope.has(alias->text))
            continue;
        const Node *payload = nullptr;
        for (const auto &[name, text] : m_request.parameters) {
            if (equalIgnoringCase(name, alias->text))
                payload = givenStructure(text, m_arena.source(yaml::Source{}));
        }
        scope.set(alias->text,
                  payload == nullptr ? Value::null() : m_reader.read(*payload, Typing::Typed),
                  payload == nullptr);
    }
}

void Expander::bindRoot(const Declarations &declared, const Node *resources)
{
    const bool isList = declared.form == Declarations::Form::List;
    auto scope = std::make_unique<ParameterScope>(!m_isTemplate ? ParameterScope::Miss::Error
                                                  : isList      ? ParameterScope::Miss::Remark
                                                                : ParameterScope::Miss::Null,
                                                  m_isTemplate);
    Frame frame;
    bindWebhooks(resources, *scope);
    if (m_isTemplate && !isList) {
        for (const Declaration &declaration : declared.list) {
            if (!declaration.defaultValue->hasExpressions)
                scope->set(declaration.name,
                           m_reader.read(*declaration.defaultValue, Typing::Strings));
        }
        m_parameterScopes.push_back(std::move(scope));
        return;
    }
    if (declared.form == Declarations::Form::Legacy)
        report(*declared.node, frame, "expected-sequence", "A mapping was not expected",
               "parameters of a pipeline are a list: `- name: x`");
    const NameSet names = namesOf(declared.list);
    std::unordered_map<std::string_view, std::string_view, HashIgnoringCase, EqualIgnoringCase>
        texts;
    for (const auto &[name, value] : m_request.parameters) {
        if (names.contains(name)) {
            texts.insert_or_assign(name, value);
            continue;
        }
        if (scope->has(name))
            continue;
        const std::string close = nearest(name, names);
        m_result.diagnostics.push_back(makeDiagnostic(
            Severity::Error, "unexpected-parameter", "Unexpected parameter '" + name + "'", {},
            close.empty() ? "the pipeline does not declare it" : "did you mean `" + close + "`?"));
    }
    yaml::Source given;
    const yaml::Source *const source = m_arena.source(given);
    for (const Declaration &declaration : declared.list) {
        const Node *value = declaration.defaultValue;
        if (const auto found = texts.find(declaration.name); found != texts.end()) {
            const std::string_view text = found->second;
            if (isTextType(declaration.type) || declaration.type == "number" ||
                declaration.type == "boolean") {
                yaml::Node *const scalar = m_arena.node();
                scalar->source = source;
                scalar->style = yaml::Style::Quoted;
                scalar->text = m_arena.copy(text);
                value = scalar;
            } else {
                value = givenStructure(std::string(text), source);
            }
        }
        if (value == nullptr) {
            if (m_request.requireParameters && !declaration.type.empty())
                m_result.diagnostics.push_back(makeDiagnostic(
                    Severity::Error, "missing-parameter",
                    "A value for the " + quoted(declaration.name) + " parameter must be provided.",
                    declaration.node->position(),
                    "give one with --parameter " + std::string(declaration.name) +
                        "=VALUE, or add a default"));
            scope->set(declaration.name, placeholder(declaration, frame, nullptr), true);
            continue;
        }
        auto converted = convert(declaration, *value, frame, nullptr);
        scope->set(declaration.name,
                   converted ? std::move(*converted) : placeholder(declaration, frame, nullptr));
    }
    describe(declared);
    m_parameterScopes.push_back(std::move(scope));
}

void Expander::describe(const Declarations &declared)
{
    for (const Declaration &declaration : declared.list) {
        ParameterDeclaration shown;
        shown.name = declaration.name;
        shown.displayName =
            declaration.displayName.empty() ? declaration.name : declaration.displayName;
        shown.type = declaration.type.empty() ? "string" : declaration.type;
        shown.position = declaration.node->position();
        if (declaration.defaultValue != nullptr) {
            shown.defaultValue.emplace();
            if (declaration.defaultValue->isScalar())
                *shown.defaultValue = declaration.defaultValue->text;
            else if (!appendJson(*shown.defaultValue, *declaration.defaultValue, m_reader))
                report(*declaration.defaultValue, {}, "limit-depth",
                       "Maximum object depth exceeded", "the default is nested too deeply");
        }
        if (declaration.values != nullptr) {
            for (const Node *value : declaration.values->items())
                shown.values.emplace_back(value->text);
        }
        m_result.parameters.push_back(std::move(shown));
    }
}

void Expander::remarkUnused(const Declarations &declared, const yaml::Source *file,
                            const Frame &frame)
{
    // Files of other repositories are somebody else's.
    if (declared.form != Declarations::Form::List || file->alias != "self")
        return;
    for (const Declaration &declaration : declared.list) {
        if (!m_parser.readsParameter(file, declaration.name))
            report(*declaration.node, frame, "unused-parameter",
                   "The " + quoted(declaration.name) + " parameter is never used",
                   "remove it, or read it with ${{ parameters." + std::string(declaration.name) +
                       " }}",
                   Severity::Warning);
    }
}

bool Expander::checkValues(const Declaration &declaration, const Node &value)
{
    if (declaration.values == nullptr || !declaration.values->isSequence())
        return true;
    m_work += declaration.values->count; // again with every reference to the template
    if (declaration.type == "number") {
        const auto number = expr::Decimal::parse(value.text, expr::Decimal::Style::Signed);
        for (const Node *allowed : declaration.values->items()) {
            const auto other = expr::Decimal::parse(allowed->text, expr::Decimal::Style::Signed);
            if (number && other && number->compare(*other) == 0)
                return true;
        }
        return false;
    }
    for (const Node *allowed : declaration.values->items()) {
        if (allowed->text == value.text)
            return true;
    }
    return false;
}

std::optional<Value> Expander::convert(const Declaration &declaration, const Node &value,
                                       const Frame &caller, const yaml::Source *callee)
{
    const std::string prefix = "The " + quoted(declaration.name) + " parameter";
    const auto refuse = [&](const Node &where, const std::string &rest, std::string hint = {}) {
        report(where, caller, "invalid-parameter", prefix + rest, std::move(hint));
        return std::nullopt;
    };
    const auto notAllowed = [&](const Node &where) {
        constexpr std::size_t kMostShown = 50;
        std::string hint;
        for (const Node *allowed : declaration.values->items().first(
                 std::min<std::size_t>(declaration.values->count, kMostShown)))
            hint += (hint.empty() ? "allowed: " : ", ") + std::string(allowed->text);
        if (declaration.values->count > kMostShown)
            hint += ", ...";
        return refuse(where, " value " + quoted(where.text) + " is not a valid value.",
                      std::move(hint));
    };
    const std::string_view type = declaration.type;
    if (value.hasExpressions)
        return Value::null(); // was reported with the declaration
    if (value.guessed && value.isScalar() && !isTextType(type))
        return placeholder(declaration, caller, callee);
    if (type.empty() || type == "object")
        return m_reader.read(value, callee != nullptr ? Typing::Folded : Typing::Typed);
    if (type == "legacyObject")
        return m_reader.read(value, Typing::Strings);
    if (structureOf(type) != nullptr)
        return convertStructure(declaration, value, caller, callee);
    if (type == "stringList") {
        if (!value.isSequence())
            return refuse(value, " value " + quoted(value.text) + " is not a valid StringList.",
                          "write a list");
        for (const Node *item : value.items()) {
            guard(*item, caller);
            if (!item->isScalar())
                return refuse(*item, " is not a valid StringList.");
            if (!checkValues(declaration, *item))
                return notAllowed(*item);
        }
        return m_reader.read(value, Typing::Strings);
    }
    if (!value.isScalar()) {
        if (type == "pool")
            return m_reader.read(value, Typing::Strings);
        return refuse(value,
                      " is not a valid " +
                          std::string(type == "number"    ? "Number"
                                      : type == "boolean" ? "Boolean"
                                                          : "String") +
                          ".",
                      declaration.node->find("type") == nullptr
                          ? "the parameter has no type, so it is a string: add `type: object`"
                          : "");
    }
    if (type == "number") {
        const auto number = expr::Decimal::parse(value.text, expr::Decimal::Style::Signed);
        if (!number)
            return refuse(value, " value " + quoted(value.text) + " is not a valid Number.");
        if (!checkValues(declaration, value))
            return notAllowed(value);
        return Value::number(*number);
    }
    if (type == "boolean") {
        if (!equalIgnoringCase(value.text, "true") && !equalIgnoringCase(value.text, "false"))
            return refuse(value, " value " + quoted(value.text) + " is not a valid Boolean.",
                          "write true or false");
        return Value::boolean(value.text.size() == 4);
    }
    if (!value.guessed && !checkValues(declaration, value))
        return notAllowed(value);
    return Value::borrow(value.text);
}

std::optional<Value> Expander::convertStructure(const Declaration &declaration, const Node &value,
                                                const Frame &caller, const yaml::Source *callee)
{
    const StructureType &type = *structureOf(declaration.type);
    const auto refuse = [&](const Node &where) {
        report(where, caller, "invalid-parameter",
               "The " + quoted(declaration.name) + " parameter is not a valid " +
                   std::string(type.shown) + ".",
               type.isList ? "write a list: every item begins with `- `" : "write a mapping");
        return std::nullopt;
    };
    if (value.isScalar() && value.text.empty())
        return type.isList ? Value::array(std::make_shared<expr::Array>()) : Value::null();
    if (type.isList ? !value.isSequence() : !value.isMapping())
        return refuse(value);
    const Place itemPlace = type.structure == Structure::Step    ? Place::Step
                            : type.structure == Structure::Job   ? Place::Job
                            : type.structure == Structure::Stage ? Place::Stage
                                                                 : Place::Any;
    Frame frame = caller;
    std::vector<const Node *> items;
    const Node *const one = &value;
    const Node *const wrapped = type.isList ? &value : m_arena.sequence(std::span(&one, 1), &value);
    // References that are items of the list belong to the caller's file, those further inside to
    // the template that received them (microsoft/terminal, build/pipelines/templates-v2).
    VariableScope *variables = caller.variables != nullptr ? caller.variables : &newScope(nullptr);
    frame.variables = variables;
    Frame inside = frame;
    if (callee != nullptr)
        inside.source = callee;
    for (const Node *item : wrapped->items()) {
        // Directives were evaluated with the argument: only references are left.
        Frame &where = isTemplateItem(*item) ? frame : inside;
        expandItem(*item, itemPlace, where, items);
    }
    shape::Normaliser normaliser(m_arena);
    const std::size_t before = m_result.diagnostics.size();
    for (const Node *&item : items) {
        switch (type.structure) {
        case Structure::Step:
            shape::check(*item, shape::kStepItem, m_result.diagnostics);
            item = normaliser.step(*item);
            break;
        case Structure::Job:
            shape::check(*item, shape::kJobItem, m_result.diagnostics);
            if (type.type.starts_with("deployment") && item->isMapping() &&
                item->find("deployment") == nullptr)
                report(*item->entries()[0].key, caller, "unexpected-value",
                       "Unexpected value " + quoted(item->entries()[0].key->text),
                       "only deployment jobs may stand here: `deployment` is the first key");
            item = normaliser.job(*item);
            break;
        case Structure::Stage:
            shape::check(*item, shape::kStageItem, m_result.diagnostics);
            item = normaliser.stage(*item);
            break;
        default:
            shape::check(*item, shape::kContainerResource, m_result.diagnostics);
            // An image of Azure's registry is named by other keys.
            if (m_result.diagnostics.size() == before && item->find("image") == nullptr &&
                item->find("type") == nullptr)
                report(*item, caller, "missing-property", "Required property is missing: image");
            break;
        }
    }
    if (m_result.diagnostics.size() != before) {
        report(value, caller, "invalid-parameter",
               "The " + quoted(declaration.name) + " parameter is not a valid " +
                   std::string(type.shown) + ".");
        return std::nullopt;
    }
    if (!type.isList)
        return items.size() == 1 ? m_reader.read(*items[0], Typing::Strings) : Value::null();
    return m_reader.read(*m_arena.sequence(items, &value), Typing::Strings);
}

} // namespace pipelines::templates
