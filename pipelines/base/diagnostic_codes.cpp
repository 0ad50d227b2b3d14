#include "pipelines/base/diagnostic_codes.h"

#include <algorithm>
#include <array>

namespace pipelines {
namespace {

constexpr auto kCodes = std::to_array<DiagnosticCode>({
    {"anchor", true, false, "an anchor, an alias or a merge key of YAML"},
    {"boolean-compared-with-text", false, true,
     "`eq(parameters.flag, 'false')`: any text but '' counts as True"},
    {"complex-key", true, false, "a key that is a list or a mapping"},
    {"condition-never-holds", false, true,
     "parts that exclude each other (`and(succeeded(), failed())`, one variable equal to two "
     "texts); `failed()` where nothing stands before"},
    {"dependency-cycle", true, false, "stages or jobs that wait for each other"},
    {"deprecated-task", false, true, "the task's own definition says that it is no longer kept"},
    {"directive-each", true, false, "an `each` that is not `each NAME in VALUE`"},
    {"directive-embedded", true, false, "a directive inside of a longer text"},
    {"directive-parameters", true, false, "a directive with too many or too few parts"},
    {"duplicate-alias", false, true, "two resources of one alias"},
    {"duplicate-key", true, false, "a key that stands twice in a mapping, ignoring case"},
    {"duplicate-name", true, false, "a stage, job or step name that stands twice"},
    {"duplicate-parameter", true, false, "a parameter that is declared twice"},
    {"each-collection", true, false, "`each` over what is no list and no mapping"},
    {"empty-file", true, false, "a file without a body"},
    {"empty-mapping", true, false, "a mapping that needs at least one entry"},
    {"encoding", true, false, "text that is not UTF-8, or holds a NUL byte"},
    {"expected-mapping", true, false, "a list or a text where a mapping belongs"},
    {"expected-scalar", true, false, "a list or a mapping where a text belongs"},
    {"expected-sequence", true, false, "a mapping or a text where a list belongs"},
    {"expression-evaluation", true, false, "an expression that fails when it is evaluated"},
    {"expression-not-allowed", true, false, "a template expression where none is evaluated"},
    {"expression-syntax", true, false, "an expression that cannot be read"},
    {"expression-unclosed", true, false, "a `${{` without its `}}`"},
    {"file-not-found", true, false, "a template that is not there"},
    {"file-unreadable", true, false, "a template that cannot be read"},
    {"impossible-branch", false, true, "a filter that no branch or tag can match"},
    {"input-twice", false, true, "one input of a task given by two of its names"},
    {"internal", true, false, "a defect of Slipway"},
    {"invalid-condition", true, true,
     "a condition that is no expression, or (a warning) one that fails in a step: unknown names, "
     "status functions with names"},
    {"invalid-cron", true, false, "a `cron` that names no moments"},
    {"invalid-demand", false, true,
     "a demand that no worker can meet, since it is no `NAME`, `NAME -equals VALUE` or `NAME "
     "-gtVersion VERSION`"},
    {"invalid-expression", true, true,
     "a `$[ ]` that is no expression; in variables and other keys of a job a warning"},
    {"invalid-increment", true, false, "an increment of a canary that is no percentage"},
    {"invalid-name", true, true,
     "a name with other characters than letters, digits and `_`; a warning for the legs of a "
     "matrix"},
    {"invalid-parameter", true, false,
     "a value that is not of the parameter's type or not one of its `values`"},
    {"invalid-rolling", true, false,
     "a `maxParallel` of `rolling` that is no count and no percentage"},
    {"invalid-task", true, false, "a task that is not written as `NAME@VERSION`"},
    {"key-case", false, true,
     "a key in other letters than the service knows, where it has no effect"},
    {"later-stage", false, true, "`dependsOn` on a stage written further down"},
    {"limit-depth", true, false, "nested too deeply: YAML, templates or data"},
    {"limit-events", true, false, "an expansion with too many values"},
    {"limit-files", true, false, "too many templates"},
    {"limit-jobs", true, false, "a matrix or slices that make too many jobs"},
    {"limit-size", true, false, "a file, or a text in it, that is too large"},
    {"loop-variable", true, false, "a loop variable of a name that is taken"},
    {"macro-in-condition", false, true,
     "`$(name)` in a condition, where it is compared as it stands"},
    {"missing-dependency", false, true,
     "a condition or `$[ ]` that reads `dependencies.X` or `stageDependencies.X` without "
     "`dependsOn` X in any branch: always empty"},
    {"missing-environment", true, false, "a deployment job without an environment"},
    {"missing-input", false, true, "a required input of a task that is not given"},
    {"missing-parameter", true, false, "a required parameter without a value"},
    {"missing-property", true, false, "a required key that is missing"},
    {"missing-strategy", false, true, "a deployment job without a strategy: it runs no steps"},
    {"no-agent", true, false, "a step of a worker in a job of `pool: server`"},
    {"no-slices", false, true, "`parallel: 0`: the job is not sliced and runs once"},
    {"no-start", true, false, "no stage or job to begin with"},
    {"not-a-boolean", true, false, "a text where true or false belongs"},
    {"not-a-number", true, true,
     "a text where a number belongs; a warning for a macro, which is not expanded there"},
    {"not-enough-info", true, false, "a mapping that could mean several things"},
    {"orphan-directive", true, false, "an `else` or `elseif` without its `if`"},
    {"reserved-name", false, true, "a deployment job called `deploy`"},
    {"run-number", true, false, "a run number with characters that are not allowed, or too long"},
    {"runtime-expression-as-text", false, true,
     "a step's input, `env` or title that is a `$[ ]`, or a variable that only holds one: nothing "
     "evaluates it there"},
    {"second-document", true, false, "a second document in the file"},
    {"secret-in-plain-text", false, true,
     "a variable that is named like a secret and has a literal value"},
    {"system-variable", true, false, "a variable that belongs to the system"},
    {"template-as-variable", false, true, "`variables: {template: x.yml}` declares a variable"},
    {"template-path", true, false,
     "the path of a template that leaves its repository, or is empty"},
    {"timeout-range", false, true, "a cancel timeout outside of 1 to 35790 minutes"},
    {"undeclared-parameter", false, true,
     "a parameter that is read in a template that takes any, and that nobody gives"},
    {"undeclared-repository", false, true,
     "a checkout by a macro in a job that declares no repositories under `uses`"},
    {"unexpected-mapping", true, false, "a mapping where none belongs"},
    {"unexpected-parameter", true, false,
     "an argument that the template or pipeline does not declare"},
    {"unexpected-sequence", true, false, "a list where none belongs"},
    {"unexpected-value", true, false, "a key or a value that does not belong there"},
    {"unknown-container", true, false, "a container that `resources.containers` does not declare"},
    {"unknown-dependency", true, false, "`dependsOn` on what does not exist"},
    {"unknown-input", false, true, "an input that the task does not have"},
    {"unknown-input-value", false, true, "a value that the input of a task does not take"},
    {"unknown-pipeline", false, true,
     "`download` of an alias that `resources.pipelines` does not declare"},
    {"unknown-repository", true, false,
     "a repository that `resources.repositories` does not declare"},
    {"unknown-task-version", false, true, "a version of a known task that is not known"},
    {"unreachable-branch", false, true,
     "a condition that is always False, repeats one above it, or follows one that is always True; "
     "a parameter compared with a text that its `values` do not hold"},
    {"unrecognized-value", true, false,
     "a name or function that expressions do not have at this place"},
    {"unused-parameter", false, true, "a declared parameter that no expression of the file reads"},
    {"yaml-syntax", true, false, "text that is no YAML"},
    {"yaml-tag", true, false, "a tag of YAML other than the core ones"},
});
static_assert(std::is_sorted(kCodes.begin(), kCodes.end(),
                             [](const auto &a, const auto &b) { return a.code < b.code; }));

} // namespace

std::span<const DiagnosticCode> diagnosticCodes()
{
    return kCodes;
}

std::string_view meaningOf(std::string_view code)
{
    const auto found = std::lower_bound(
        kCodes.begin(), kCodes.end(), code,
        [](const DiagnosticCode &entry, std::string_view wanted) { return entry.code < wanted; });
    return found != kCodes.end() && found->code == code ? found->meaning : std::string_view();
}

} // namespace pipelines
