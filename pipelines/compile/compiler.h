#pragma once
/// The compiler: an entry file, the files it includes and the values given at queue time in; a run
/// plan and diagnostics out. Pure and thread-safe: every call works on its own state.

#include "pipelines/base/diagnostic.h"
#include "pipelines/expr/parse_limits.h"
#include "schema/base/result.h"
#include "schema/model/plan.h"
#include "schema/tasks/task_definition.h"

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace pipelines {

/// Where template files come from. The caller implements it (git tree, directory, test map).
class FileSource
{
public:
    virtual ~FileSource() = default;

    /// Text of `path` (repository-rooted, begins with '/') in the repository `alias`. "self" is the
    /// repository of the entry file; other aliases are those of resources.repositories, whose
    /// declaration is given. Errors: NotFound, PermissionDenied, Unavailable, LimitExceeded.
    virtual schema::Result<std::string> read(const std::string &alias,
                                             const schema::RepositoryResource *repository,
                                             const std::string &path) = 0;
};

/// Limits of the service, configurable (pipeline-language 14).
struct Limits
{
    std::size_t maxFiles = 100;
    std::size_t maxDepth = 100; ///< template nesting
    std::size_t maxFileBytes = 10U << 20U;
    std::size_t maxExpandedNodes = 5'000'000;
    std::size_t maxYamlDepth = 200;
    expr::ParseLimits expression; ///< each expression's length and depth
};

struct CompileRequest
{
    std::string path = "/azure-pipelines.yml"; ///< entry file
    std::string text;                          ///< its content
    /// Values of root parameters as given by a person or the API; objects as YAML/JSON text.
    std::map<std::string, std::string> parameters;
    /// Queue-time and predefined variables visible to template expressions (pipeline-language 17,
    /// column T), name -> value; names compare ignoring case.
    std::map<std::string, std::string> variables;
    /// Groups whose values may be read in template expressions; unknown groups are no error.
    std::map<std::string, schema::TextMap> variableGroups;
    /// False: missing values of required parameters are not an error (`slipway validate`).
    bool requireParameters = true;
    Limits limits;
    /// Tasks whose inputs are checked; null: none. Outlives the call. Others are accepted as they
    /// are.
    const schema::TaskCatalogue *tasks = nullptr;
    /// `counter(prefix, seed)`; absent: seed is returned.
    std::function<std::int64_t(const std::string &prefix, std::int64_t seed)> counter;
};

/// A root parameter as the queue dialog shows it.
struct ParameterDeclaration
{
    std::string name, displayName, type;     ///< type as written; "string" by default
    std::optional<std::string> defaultValue; ///< text; JSON for structured types; absent = required
    std::vector<std::string> values;         ///< allowed values; empty: any
    schema::SourcePosition position;
};

struct BranchFilter
{
    std::vector<std::string> include, exclude;
    bool operator==(const BranchFilter &) const = default;
};

/// `trigger:`/`pr:` of the entry file, read tolerantly so that a broken body does not hide it.
struct Triggers
{
    struct Push
    {
        bool enabled = true; ///< absent trigger = all branches (pipeline-language 5.1)
        bool batch = false;
        BranchFilter branches, tags, paths;
        bool operator==(const Push &) const = default;
    };

    struct PullRequest
    {
        bool enabled = true;
        bool autoCancel = true, drafts = true;
        BranchFilter branches, paths;
        bool operator==(const PullRequest &) const = default;
    };

    struct Schedule
    {
        std::string cron, displayName;
        BranchFilter branches;
        bool always = false, batch = false;
        bool operator==(const Schedule &) const = default;
    };

    /// Something else that starts a run (pipeline-language 4).
    struct Resource
    {
        enum class Kind : std::uint8_t { Pipeline, Repository, Container, Build, Package, Webhook };
        Kind kind = Kind::Pipeline;
        std::string alias;
        /// The producing pipeline, the repository, the image, the build, the package.
        std::string source;
        std::string project;    ///< of the producing pipeline; empty: this one
        std::string connection; ///< service connection of builds, packages, webhooks
        bool batch = false;     ///< repositories
        BranchFilter branches, paths;
        BranchFilter tags;               ///< pipelines: all of `include` must be there
        std::vector<std::string> stages; ///< pipelines
        std::vector<std::pair<std::string, std::string>> filters; ///< webhooks: path, wanted value
        bool operator==(const Resource &) const = default;
    };

    Push push;
    PullRequest pullRequest;
    std::vector<Schedule> schedules;
    std::vector<Resource> resources; ///< only those whose trigger is on, in file order
    bool operator==(const Triggers &) const = default;
};

struct Compilation
{
    /// Set when there is no error (or as far as it got, with errors: `complete` is false).
    std::optional<schema::RunPlan> plan;
    bool complete = false;
    std::string finalYaml; ///< canonical expanded document (pipeline-language 1.2)
    std::vector<ParameterDeclaration> parameters;
    Triggers triggers;
    std::vector<std::string> files;      ///< every file read, in order ("/t.yml@alias")
    std::vector<Diagnostic> diagnostics; ///< in file order; errors and warnings

    [[nodiscard]] bool ok() const { return complete; }
};

/// Compiles one entry file. Never throws; bounded by request.limits in time and memory.
Compilation compile(const CompileRequest &request, FileSource &files);

/// Reads only `trigger`, `pr`, `schedules` (phase 1 of pipeline-language 1.1).
Triggers scanTriggers(const std::string &path, const std::string &text,
                      std::vector<Diagnostic> &diagnostics);

} // namespace pipelines
