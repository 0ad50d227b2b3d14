#include "pipelines/compile/task_checks.h"

#include "pipelines/base/text.h"

#include <algorithm>
#include <map>

namespace pipelines::compiler {
namespace {

using schema::TaskDefinition;
using schema::TaskInputDefinition;
using yaml::Entry;
using yaml::Node;

bool isDynamic(std::string_view text)
{
    return text.find("$(") != std::string_view::npos || text.find("$[") != std::string_view::npos;
}

std::string inQuotes(std::string_view text)
{
    return "'" + std::string(text) + "'";
}

class InputChecker
{
public:
    InputChecker(const TaskDefinition &task, std::string shown, const TaskRemark &remark)
        : m_task(task)
        , m_shown(std::move(shown))
        , m_remark(remark)
    {}

    void run(const Node &step)
    {
        const Node *const inputs = step.find("inputs");
        if (inputs != nullptr && (inputs->guessed || !inputs->isMapping()))
            return;
        if (inputs != nullptr) {
            for (const Entry &entry : inputs->entries())
                given(entry);
        }
        for (const TaskInputDefinition &input : m_task.inputs)
            missing(input, *step.find("task"));
        if (!m_task.deprecation.empty())
            m_remark(*step.find("task"), "deprecated-task",
                     "Task " + m_shown + " is deprecated: " + m_task.deprecation, {});
    }

private:
    void given(const Entry &entry)
    {
        const TaskInputDefinition *const input = m_task.findInput(entry.key->text);
        if (input == nullptr)
            return unknown(*entry.key);
        if (!m_given.emplace(input, entry.value).second)
            m_remark(*entry.key, "input-twice",
                     "Input " + inQuotes(entry.key->text) + " of task " + m_shown +
                         " is given twice, once by another name",
                     "remove one of the two");
        if (!entry.value->isScalar() || entry.value->guessed || isDynamic(entry.value->text) ||
            entry.value->text.empty())
            return;
        const std::string_view text = entry.value->text;
        if (input->type == "boolean" && !equalIgnoringCase(text, "true") &&
            !equalIgnoringCase(text, "false"))
            m_remark(*entry.value, "unknown-input-value",
                     "Input " + inQuotes(entry.key->text) + " of task " + m_shown +
                         " is true or false, not " + inQuotes(text),
                     {});
        const bool known =
            std::any_of(input->options.begin(), input->options.end(), [text](const auto &option) {
                return equalIgnoringCase(option.first, text);
            });
        if (input->options.empty() || input->anyOption || known)
            return;
        std::vector<std::string> values;
        values.reserve(input->options.size());
        for (const auto &option : input->options)
            values.push_back(option.first);
        std::string hint = nearest(text, values);
        if (!hint.empty()) {
            hint = "did you mean `" + hint + "`?";
        } else {
            for (const std::string &value : values)
                hint += (hint.empty() ? "write one of " : ", ") + value;
        }
        m_remark(*entry.value, "unknown-input-value",
                 "Input " + inQuotes(entry.key->text) + " of task " + m_shown + " has no value " +
                     inQuotes(text),
                 std::move(hint));
    }

    void unknown(const Node &key)
    {
        std::vector<std::string_view> names;
        for (const TaskInputDefinition &input : m_task.inputs) {
            names.emplace_back(input.name);
            names.insert(names.end(), input.aliases.begin(), input.aliases.end());
        }
        const std::string close = nearest(key.text, names);
        m_remark(key, "unknown-input",
                 "Task " + m_shown + " has no input " + inQuotes(key.text) + ": it is ignored",
                 close.empty() ? "" : "did you mean `" + close + "`?");
    }

    /// Nothing when it depends on what is known only later.
    [[nodiscard]] std::string_view valueOf(std::string_view name, bool &isKnown) const
    {
        const TaskInputDefinition *const input = m_task.findInput(name);
        if (input == nullptr)
            return {};
        const auto found = m_given.find(input);
        const std::string_view text =
            found == m_given.end() ? std::string_view(input->defaultValue) : found->second->text;
        isKnown =
            isKnown && !isDynamic(text) && (found == m_given.end() || !found->second->guessed);
        return text;
    }

    void missing(const TaskInputDefinition &input, const Node &task)
    {
        if (!input.required || !input.defaultValue.empty())
            return;
        const auto found = m_given.find(&input);
        if (found != m_given.end() &&
            (!found->second->isScalar() || !found->second->text.empty() || found->second->guessed))
            return;
        bool isKnown = true;
        const auto value = [&](std::string_view name) { return valueOf(name, isKnown); };
        const bool isVisible = schema::isVisible(input.visibleRule, value) &&
                               schema::isVisible(input.groupRule, value);
        if (isVisible && isKnown)
            m_remark(found != m_given.end() ? *found->second : task, "missing-input",
                     "Task " + m_shown + " requires the input " + inQuotes(input.name),
                     input.aliases.empty() ? "" : "it is also known as `" + input.aliases[0] + "`");
    }

    const TaskDefinition &m_task;
    std::string m_shown;
    const TaskRemark &m_remark;
    std::map<const TaskInputDefinition *, const Node *> m_given;
};

} // namespace

void checkTask(const Node &node, const schema::Step &step, const schema::TaskCatalogue &catalogue,
               const TaskRemark &remark)
{
    if (const TaskDefinition *const task = catalogue.find(step.task, step.taskVersion))
        return InputChecker(*task, task->name + "@" + std::to_string(task->version[0]), remark)
            .run(node);
    const auto majors = catalogue.majorVersions(step.task);
    if (majors.empty() || step.taskVersion.find('*') != std::string::npos)
        return;
    std::string known;
    for (const int major : majors)
        known += (known.empty() ? "" : ", ") + std::to_string(major);
    remark(*node.find("task"), "unknown-task-version",
           "Version " + step.taskVersion + " of task " + step.task + " is not known here",
           "known: " + known);
}

} // namespace pipelines::compiler
