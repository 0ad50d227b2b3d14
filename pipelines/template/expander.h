#pragma once
/// Template evaluation (pipeline-language 6, 7.3, 9, 14): directives, expressions, included files
/// and parameters of one entry file, giving one tree without expressions.

#include "pipelines/base/text.h"
#include "pipelines/compile/compiler.h"
#include "pipelines/template/embedded.h"
#include "pipelines/template/values.h"
#include "pipelines/yaml/node.h"

#include <algorithm>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

namespace pipelines::templates {

/// What a position in the tree holds; decides how lists are spliced and which templates fit.
enum class Place : std::uint8_t {
    Any,
    Root,
    StageList,
    Stage,
    JobList,
    Job,
    Strategy,
    Lifecycle,
    Outcome, ///< `on`
    Hook,
    StepList,
    Step,
    Variables,
    Variable,
    Resources,
    Repositories,  ///< values are evaluated, directives are refused
    Verbatim,      ///< kept as written: parameters
    NoExpressions, ///< trigger, pr, schedules
};

/// A loop variable and the ones outside of it.
struct Loop
{
    std::string_view name;
    expr::Value value;
    const Loop *outer = nullptr;
};

/// What expressions see at one point, and where included items come from.
struct Frame
{
    const ParameterScope *parameters = nullptr;
    VariableScope *variables = nullptr;
    const Loop *loops = nullptr;
    const yaml::Source *source = nullptr; ///< source of list items produced here
    std::size_t depth = 0;                ///< template files around this one
    bool extends = false;                 ///< the file extends a template: it has no body
};

/// One `parameters:` entry.
struct Declaration
{
    std::string_view name;
    std::string_view type = "string";
    const yaml::Node *node = nullptr; ///< the item, or the key of the legacy form
    const yaml::Node *defaultValue = nullptr;
    const yaml::Node *values = nullptr;
    std::string_view displayName;
};

struct Declarations
{
    enum class Form : std::uint8_t { None, List, Legacy };
    Form form = Form::None;
    const yaml::Node *node = nullptr; ///< of the mapping of the old form, whose list may be empty
    std::vector<Declaration> list;
};

class Expander
{
public:
    Expander(const CompileRequest &request, FileSource &files, yaml::Arena &arena,
             Compilation &result);
    ~Expander();

    /// The entry file is a template: its parameters may have either form and get any value. Before
    /// run().
    void openAsTemplate() { m_isTemplate = true; }

    /// The expanded root mapping of the entry file; nullptr when it could not be read at all.
    const yaml::Node *run();

    [[nodiscard]] const std::vector<schema::RepositoryResource> &repositories() const
    {
        return m_repositories;
    }

    /// Does a branch of the files that were read, taken or not, make something depend on a stage or
    /// job of this name?
    bool isDependencyOfBranch(std::string_view name);

private:
    struct File;
    struct Output;
    struct Chain;
    class FrameContext;
    class ReachabilityWalk;

    struct Overflow
    {
    };

    // files (loader.cpp)
    File *load(const std::string &alias, const std::string &path, const yaml::Node &reference,
               const Frame &frame);
    const yaml::Node *readText(const yaml::Source *source, std::string_view text);
    std::optional<std::pair<std::string, std::string>> resolve(const yaml::Node &reference,
                                                               const Frame &frame);
    void declareRepositories(const yaml::Node &resources);

    // parameters (parameters.cpp)
    Declarations declarations(const yaml::Node *node, bool isTemplate);
    void legacyDeclarations(const yaml::Node &node, Declarations &found);
    /// `callee`: the file that declares the parameters.
    std::unique_ptr<ParameterScope> bind(const Declarations &declared, const yaml::Node *arguments,
                                         const Frame &caller, const yaml::Source *callee,
                                         const yaml::Node &reference);
    void bindRoot(const Declarations &declared, const yaml::Node *resources);
    void bindWebhooks(const yaml::Node *resources, ParameterScope &scope);
    [[nodiscard]] const yaml::Node *givenStructure(const std::string &text,
                                                   const yaml::Source *source);
    std::optional<expr::Value> convert(const Declaration &declaration, const yaml::Node &value,
                                       const Frame &caller, const yaml::Source *callee);
    std::optional<expr::Value> convertStructure(const Declaration &declaration,
                                                const yaml::Node &value, const Frame &caller,
                                                const yaml::Source *callee);
    bool checkValues(const Declaration &declaration, const yaml::Node &value);
    expr::Value placeholder(const Declaration &declaration, const Frame &caller,
                            const yaml::Source *callee);
    void describe(const Declarations &declared);
    void remarkUnreachable(const yaml::Node &root, const Declarations &declared,
                           const yaml::Source *file, const Frame &frame);
    void remarkUnused(const Declarations &declared, const yaml::Source *file, const Frame &frame);

    // evaluation (evaluate.cpp)
    /// Bytes of text that one compilation may hold, and functions may go through.
    [[nodiscard]] std::size_t maxBytes() const
    {
        constexpr std::size_t kPerNode = 64;
        return std::max(kPerNode * m_request.limits.maxExpandedNodes,
                        4 * m_request.limits.maxFileBytes);
    }

    std::optional<expr::Value> evaluate(const expr::Expression &expression, const Frame &frame,
                                        const yaml::Node &node, const Embedded &embedded);
    bool checkNames(const expr::Expression &expression, const Frame &frame, const yaml::Node &node,
                    const Embedded &embedded);
    static std::string missingParameterHint(std::string_view message, const Frame &frame);
    /// Value of a scalar with expressions; nothing after an error was reported.
    std::optional<expr::Value> scalarValue(const yaml::Node &node, const Frame &frame);
    std::optional<expr::Value> directiveValue(const yaml::Node &key, const Frame &frame);

    // expansion (expander.cpp)
    const yaml::Node *expand(const yaml::Node &node, Place place, Frame &frame);
    void refuseDirectives(const yaml::Node &list, const Frame &frame);
    const yaml::Node *expandScalar(const yaml::Node &node, Place place, Frame &frame);
    void expandItems(const yaml::Node &sequence, Place itemPlace, Frame &frame,
                     std::vector<const yaml::Node *> &out);
    void expandItem(const yaml::Node &item, Place place, Frame &frame,
                    std::vector<const yaml::Node *> &out);
    bool expandDirectiveItem(const yaml::Node &item, Place place, Frame &frame,
                             std::vector<const yaml::Node *> &out, Chain &chain);
    void spliceBody(const yaml::Node &body, Place place, Frame &frame,
                    std::vector<const yaml::Node *> &out);
    void spliceValue(const expr::Value &value, const yaml::Node &at, Place place, Frame &frame,
                     std::vector<const yaml::Node *> &out);
    const yaml::Node *expandMapping(const yaml::Node &mapping, Place place, Frame &frame);
    void expandEntries(const yaml::Node &mapping, Place place, Frame &frame, Output &out,
                       const yaml::Node *blame);
    bool expandDirectiveEntry(const yaml::Entry &entry, Place place, Frame &frame, Output &out,
                              const yaml::Node *blame, Chain &chain);
    void insertBody(const yaml::Entry &entry, Place place, Frame &frame, Output &out,
                    const yaml::Node *blame);
    void addEntry(const yaml::Entry &entry, Place place, Frame &frame, Output &out,
                  const yaml::Node *blame);
    template <typename Visit> void forEach(const yaml::Entry &entry, Frame &frame, Visit visit);
    bool chainAllows(const yaml::Entry &entry, Directive directive, Frame &frame, Chain &chain,
                     bool inSequence);
    void defineVariable(const yaml::Node &item, Frame &frame);
    void defineGroup(std::string_view name, Frame &frame);

    // templates (include.cpp)
    void include(const yaml::Node &item, Place place, Frame &frame,
                 std::vector<const yaml::Node *> &out);
    const yaml::Node *includedRoot(const yaml::Node &templateNode, const yaml::Node *arguments,
                                   Place place, Frame &frame);
    void extend(const yaml::Entry &entry, Frame &frame, Output &out);
    void mergeResources(const yaml::Node &resources, Output &out);

    VariableScope &newScope(const VariableScope *outer);
    void report(const yaml::Node &node, const Frame &frame, std::string code, std::string message,
                std::string hint = {}, Severity severity = Severity::Error);
    void guard(const yaml::Node &node, const Frame &frame);

    const CompileRequest &m_request;
    FileSource &m_files;
    yaml::Arena &m_arena;
    Compilation &m_result;
    EmbeddedParser m_parser;
    ValueReader m_reader;
    std::map<std::pair<std::string, std::string>, std::unique_ptr<File>> m_loaded;
    std::deque<VariableScope> m_scopes;
    std::deque<std::unique_ptr<ParameterScope>> m_parameterScopes;
    std::vector<schema::RepositoryResource> m_repositories;
    std::unordered_map<std::string, std::size_t, HashIgnoringCase, EqualIgnoringCase>
        m_repositoryIndex;                                              ///< by alias
    std::unordered_map<const yaml::Node *, const yaml::Node *> m_early; ///< resources, read first
    std::size_t m_events = 0;
    std::size_t m_work = 0; ///< bytes and elements that functions went through
    std::size_t m_nesting = 0;
    bool m_guessed = false; ///< the evaluation under way read a stand-in
    bool m_isTemplate = false;
    bool m_partialArguments = false; ///< of the reference under way: the caller's parameters decide
    std::set<std::string> m_reportedOnce;
    const yaml::Node *m_root = nullptr; ///< of the entry file, as it is written
    /// Names in the `dependsOn` of branches; looked for when they are first asked for.
    std::optional<std::set<std::string_view, LessIgnoringCase>> m_branchDependencies;
};

} // namespace pipelines::templates
