#include "worker/job/variables.h"

#include "worker/base/text.h"

#include <algorithm>
#include <array>

namespace worker {

void Variables::set(std::string_view name, std::string value, bool secret, bool readOnly,
                    bool preserveCase)
{
    Variable &variable = m_variables[toLower(name)];
    if (variable.name.empty())
        variable.name = name;
    variable.value = std::move(value);
    variable.secret |= secret;
    variable.readOnly |= readOnly;
    variable.preserveCase |= preserveCase;
}

const Variable *Variables::find(std::string_view name) const
{
    const auto it = m_variables.find(toLower(name));
    return it == m_variables.end() ? nullptr : &it->second;
}

std::string Variables::value(std::string_view name) const
{
    const Variable *variable = find(name);
    return variable == nullptr ? std::string() : variable->value;
}

bool Variables::isTrue(std::string_view name) const
{
    return worker::isTrue(value(name));
}

pipelines::run::VariableLookup Variables::lookup() const
{
    return [this](std::string_view name) -> std::optional<std::string> {
        const Variable *variable = find(name);
        return variable == nullptr ? std::nullopt : std::optional(variable->value);
    };
}

std::string Variables::expand(std::string_view text) const
{
    if (text.find("$(") == std::string_view::npos)
        return std::string(text);
    return pipelines::run::expandMacros(text, lookup());
}

std::optional<std::string> Variables::expanded(std::string_view name) const
{
    const Variable *variable = find(name);
    if (variable == nullptr)
        return std::nullopt;
    return expand(variable->value);
}

namespace {

/// The expanded value, and whether a secret went into it.
std::pair<std::string, bool> expandWatching(const Variables &variables, const Variable &variable)
{
    if (variable.value.find("$(") == std::string::npos)
        return {variable.value, false};
    bool touched = false;
    auto text = pipelines::run::expandMacros(
        variable.value, [&](std::string_view name) -> std::optional<std::string> {
            const Variable *other = variables.find(name);
            if (other == nullptr)
                return std::nullopt;
            touched |= other->secret;
            return other->value;
        });
    return {std::move(text), touched};
}

} // namespace

Environment Variables::environment() const
{
    Environment out;
    out.reserve(m_variables.size() + 1);
    for (const auto &[key, variable] : m_variables) {
        if (variable.secret)
            continue;
        auto [value, touched] = expandWatching(*this, variable);
        if (touched || value.find('\0') != std::string::npos)
            continue;
        auto name = variable.preserveCase
                        ? replaceAll(replaceAll(variable.name, ".", "_"), " ", "_")
                        : environmentName(variable.name);
        if (name.empty() || name.find_first_of(std::string_view("=\0", 2)) != std::string::npos)
            continue;
        out.emplace_back(std::move(name), std::move(value));
    }
    return out;
}

std::vector<std::string> Variables::derivedSecrets() const
{
    std::vector<std::string> out;
    for (const auto &[key, variable] : m_variables) {
        if (variable.value.find("$(") == std::string::npos)
            continue;
        if (auto [value, touched] = expandWatching(*this, variable); touched || variable.secret)
            out.push_back(std::move(value));
    }
    return out;
}

std::string environmentName(std::string_view variable)
{
    std::string name = toUpper(variable);
    std::replace_if(name.begin(), name.end(), [](char c) { return c == '.' || c == ' '; }, '_');
    return name;
}

bool isSystemVariable(std::string_view name)
{
    static constexpr std::array<std::string_view, 8> kPrefixes{
        "agent.", "system.", "build.", "release.", "environment.", "strategy.", "task.", "checks."};
    static constexpr std::array<std::string_view, 2> kNames{"pipeline.workspace",
                                                            "common.testresultsdirectory"};
    const auto lower = toLower(name);
    return std::any_of(kPrefixes.begin(), kPrefixes.end(),
                       [&lower](auto prefix) { return lower.starts_with(prefix); }) ||
           std::find(kNames.begin(), kNames.end(), lower) != kNames.end();
}

} // namespace worker
