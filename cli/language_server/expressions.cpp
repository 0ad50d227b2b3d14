#include "cli/language_server/expressions.h"

#include "cli/language_server/declarations.h"
#include "cli/language_server/item.h"
#include "pipelines/base/text.h"
#include "pipelines/compile/predefined_variables.h"

#include <algorithm>
#include <set>

namespace cli::language_server {

using nlohmann::json;
using pipelines::equalIgnoringCase;
using pipelines::expr::Slot;

bool insideExpression(std::string_view line, std::size_t byte)
{
    const std::string_view before = line.substr(0, std::min(byte, line.size()));
    const std::size_t open = before.rfind("${{");
    return open != std::string_view::npos && before.find("}}", open) == std::string_view::npos;
}

std::optional<Slot> slotAt(std::string_view before, const Cursor &cursor)
{
    if (insideExpression(before, before.size()))
        return Slot::Template;
    const auto holds = [&cursor](std::string_view key) {
        return std::find(cursor.path.begin(), cursor.path.end(), key) != cursor.path.end();
    };
    // Not closed at the end: `]` also ends `variables['x']`.
    const std::size_t open = before.rfind("$[");
    if (open != std::string_view::npos) {
        const std::string_view inner = before.substr(open + 2);
        if (std::count(inner.begin(), inner.end(), ']') <=
            std::count(inner.begin(), inner.end(), '['))
            return holds("jobs") ? Slot::JobVariable : Slot::RunVariable;
    }
    if (!cursor.inValue || cursor.key != "condition")
        return std::nullopt;
    return holds("steps")  ? Slot::StepCondition
           : holds("jobs") ? Slot::JobCondition
                           : Slot::StageCondition;
}

namespace {

/// Those of the document first; a name is offered once.
void completeOwn(const std::vector<std::string_view> &lines,
                 const std::vector<std::string> &included, json &out)
{
    std::set<std::string, pipelines::LessIgnoringCase> seen;
    for (const Declared &name : variables(lines)) {
        if (seen.insert(name.name).second)
            out.push_back(item(name.name, ItemKind::Variable, "variable"));
    }
    for (const std::string &name : included) {
        if (seen.insert(name).second)
            out.push_back(item(name, ItemKind::Variable, "variable of a template"));
    }
}

} // namespace

void completeVariables(const std::vector<std::string_view> &lines,
                       const std::vector<std::string> &included, bool inTemplates, json &out)
{
    completeOwn(lines, included, out);
    for (const auto &variable : pipelines::predefinedVariables()) {
        if (variable.absent.empty() && (variable.known != pipelines::KnownAt::Run || !inTemplates))
            out.push_back(item(std::string(variable.name), ItemKind::Variable,
                               std::string(variable.summary)));
    }
}

std::string hoverOfVariable(std::string_view name)
{
    const auto *const variable = pipelines::predefinedVariable(name);
    if (variable == nullptr)
        return {};
    std::string text =
        "variable `" + std::string(variable->name) + "`: " + std::string(variable->summary);
    if (!variable->absent.empty())
        return text + "\n\nnever set: " + std::string(variable->absent);
    if (variable->known == pipelines::KnownAt::Run)
        text += "\n\nknown at run time only";
    if (variable->known == pipelines::KnownAt::Reference)
        text += "\n\na template expression yields `$(" + std::string(variable->name) + ")`";
    return text;
}

void completeExpression(const std::vector<std::string_view> &lines, std::string_view before,
                        Slot slot, const std::vector<std::string> &included, json &out)
{
    std::size_t start = before.size();
    while (start > 0 && isNameCharacter(before[start - 1]))
        --start;
    const std::string_view word = before.substr(start);
    const std::size_t dot = word.find('.');
    const bool isIndex = before.substr(0, start).ends_with("['");
    if (dot != std::string_view::npos || isIndex) {
        std::string_view owner = word.substr(0, dot);
        if (isIndex) {
            owner = before.substr(0, start - 2);
            std::size_t from = owner.size();
            while (from > 0 && isNameCharacter(owner[from - 1]))
                --from;
            owner = owner.substr(from);
        }
        const bool isTemplate = slot == Slot::Template;
        if (isTemplate && equalIgnoringCase(owner, "parameters")) {
            for (const Declared &name : parameters(lines))
                out.push_back(item(name.name, ItemKind::Variable, "parameter"));
        } else if (equalIgnoringCase(owner, "variables")) {
            // `variables.Build.Reason` reads `Build`: names with dots stand in brackets.
            if (isIndex)
                return completeVariables(lines, included, isTemplate, out);
            completeOwn(lines, included, out);
        } else if (equalIgnoringCase(owner, "dependencies") ||
                   equalIgnoringCase(owner, "stageDependencies")) {
            const bool ofJobs = equalIgnoringCase(owner, "dependencies") &&
                                (slot == Slot::JobCondition || slot == Slot::JobVariable);
            for (const Declared &name : ofJobs ? declared(lines, {"job", "deployment"}, "")
                                               : declared(lines, {"stage"}, ""))
                out.push_back(item(name.name, ItemKind::Reference, ofJobs ? "job" : "stage"));
        }
        return;
    }
    for (const auto &function : pipelines::expr::allFunctions()) {
        if ((function.slots & slotBit(slot)) != 0)
            out.push_back(item(std::string(function.name), ItemKind::Function,
                               std::string(function.summary)));
    }
    for (const auto &name : pipelines::expr::allNames()) {
        if ((name.slots & slotBit(slot)) != 0)
            out.push_back(item(std::string(name.text), ItemKind::Module, "context"));
    }
}

} // namespace cli::language_server
