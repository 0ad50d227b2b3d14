#pragma once
/// What a task accepts, as its `task.json` says it: read from that file or taken from the tables of
/// the built-in tasks. The compiler checks steps against it, editors complete from it.

#include "schema/base/result.h"

#include <array>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace schema {

struct TaskInputDefinition
{
    std::string name;
    std::vector<std::string> aliases;
    std::string type = "string"; ///< "string", "boolean", "pickList", "radio", "filePath", ...
    std::string label, help;
    std::string defaultValue;
    bool required = false;
    /// Allowed values of a pickList or radio, and what people see; empty: not known.
    std::vector<std::pair<std::string, std::string>> options;
    bool anyOption = false;  ///< options are suggestions only
    std::string visibleRule; ///< "command = run || command = build"; empty: always
    std::string groupRule;   ///< the same of the group that it belongs to
    bool operator==(const TaskInputDefinition &) const = default;
};

struct TaskDefinition
{
    std::string id; ///< GUID, lower case
    std::string name;
    std::string friendlyName, description;
    std::array<int, 3> version{}; ///< major, minor, patch
    std::string instanceNameFormat;
    std::string deprecation; ///< why it should not be used any more; empty: it may
    std::vector<TaskInputDefinition> inputs;
    bool operator==(const TaskDefinition &) const = default;

    /// By name or alias, ignoring case; nullptr when there is none.
    [[nodiscard]] const TaskInputDefinition *findInput(std::string_view input) const;
};

/// Reads the text of a `task.json` (comments are accepted). Errors: InvalidArgument naming the
/// field.
Result<TaskDefinition> parseTaskDefinition(std::string_view json);

/// The tasks that are known. Values; const members are safe to call from any thread.
class TaskCatalogue
{
public:
    /// A task of the same name and major version is replaced when the new one is not older.
    void add(TaskDefinition definition);

    /// The highest version that `reference` ("Name", "publisher.extension.Name" or a GUID) and
    /// `version` ("2", "2.1.3") ask for; nullptr when it is not known.
    [[nodiscard]] const TaskDefinition *find(std::string_view reference,
                                             std::string_view version) const;
    /// Major versions known of a task, ascending.
    [[nodiscard]] std::vector<int> majorVersions(std::string_view reference) const;

    [[nodiscard]] const std::vector<TaskDefinition> &all() const { return m_tasks; }

private:
    std::vector<TaskDefinition> m_tasks;
};

/// The tasks that a worker carries out without a package (worker-and-tasks 2.6, 8 to 10).
const TaskCatalogue &builtInTaskCatalogue();

/// Is an input shown (and so required) with these values? An unreadable rule counts as yes.
/// `valueOf` gives the value of an input, its default included.
template <typename ValueOf> bool isVisible(std::string_view rule, const ValueOf &valueOf);

namespace detail {
/// One term of a rule: "name = value", "name != value", "name = NotEmpty" ...
struct RuleTerm
{
    std::string_view input, op, value;
};

/// Terms of a rule; `conjunction` tells && from ||. Empty: not understood.
std::vector<RuleTerm> parseRule(std::string_view rule, bool &conjunction);
bool holds(const RuleTerm &term, std::string_view value);
} // namespace detail

template <typename ValueOf> bool isVisible(std::string_view rule, const ValueOf &valueOf)
{
    bool conjunction = true;
    const auto terms = detail::parseRule(rule, conjunction);
    if (terms.empty())
        return true;
    for (const detail::RuleTerm &term : terms) {
        if (detail::holds(term, valueOf(term.input)) != conjunction)
            return !conjunction;
    }
    return conjunction;
}

} // namespace schema
