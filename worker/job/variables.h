#pragma once
/// The variables of a running job: names ignore case, secrets stay secrets, values may refer to
/// other variables (worker-and-tasks 2.4, 3.5; pipeline-language 12).

#include "pipelines/run/step_context.h"
#include "worker/process/process.h"

#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace worker {

struct Variable
{
    std::string name; ///< as first written
    std::string value;
    bool secret = false;
    bool readOnly = false;
    bool preserveCase = false; ///< environment name keeps its case
};

class Variables
{
public:
    /// Sets a variable. What was secret or read-only stays so.
    void set(std::string_view name, std::string value, bool secret = false, bool readOnly = false,
             bool preserveCase = false);
    [[nodiscard]] const Variable *find(std::string_view name) const;
    /// Raw value, or an empty text.
    [[nodiscard]] std::string value(std::string_view name) const;
    /// True when set to "true".
    [[nodiscard]] bool isTrue(std::string_view name) const;
    /// The text with every `$(name)` of a known variable replaced.
    [[nodiscard]] std::string expand(std::string_view text) const;
    /// The value of a variable with its own references followed.
    [[nodiscard]] std::optional<std::string> expanded(std::string_view name) const;
    [[nodiscard]] pipelines::run::VariableLookup lookup() const;
    /// The environment entries of every variable that is no secret and holds none.
    [[nodiscard]] Environment environment() const;
    /// Values that are secret only because a secret is part of them.
    [[nodiscard]] std::vector<std::string> derivedSecrets() const;

    [[nodiscard]] auto begin() const { return m_variables.begin(); }

    [[nodiscard]] auto end() const { return m_variables.end(); }

private:
    std::map<std::string, Variable> m_variables; ///< by lower-case name
};

/// "Build.SourceBranch name" -> "BUILD_SOURCEBRANCH_NAME".
std::string environmentName(std::string_view variable);
/// Names that only the system sets; writing them warns (worker-and-tasks 3.5).
bool isSystemVariable(std::string_view name);

} // namespace worker
