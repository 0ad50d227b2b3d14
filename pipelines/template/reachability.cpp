// Branches of templates that no value can ever take, and comparisons that do not mean what they
// say.
#include "pipelines/expr/analysis.h"
#include "pipelines/template/expander_parts.h"

namespace pipelines::templates {

using yaml::Entry;
using yaml::Node;

namespace {

const Declaration *declarationOf(const Declarations &declared, const std::string &text)
{
    constexpr std::string_view kPrefix = "parameters.";
    if (declared.form != Declarations::Form::List || !text.starts_with(kPrefix))
        return nullptr;
    for (const Declaration &declaration : declared.list) {
        if (equalIgnoringCase(declaration.name, std::string_view(text).substr(kPrefix.size())))
            return &declaration;
    }
    return nullptr;
}

/// The parameter is a text that may have certain values only, and this is none of them.
bool isNoValue(const Declarations &declared, const std::string &left, std::string_view text)
{
    const Declaration *const declaration = declarationOf(declared, left);
    if (declaration == nullptr || declaration->type != "string" || declaration->values == nullptr ||
        !declaration->values->isSequence() || declaration->values->count == 0)
        return false;
    for (const Node *value : declaration->values->items()) {
        if (!value->isScalar() || value->hasExpressions || equalIgnoringCase(value->text, text))
            return false;
    }
    return true;
}

using Names = std::set<std::string_view, LessIgnoringCase>;

bool isDirective(const Node &key)
{
    return key.embedded != nullptr && key.embedded->directive != Directive::None;
}

/// All texts of the value of a `dependsOn`, or those that stand below a directive only.
void addDependencies(const Node &value, bool inBranch, Names &out)
{
    if (value.isScalar() && inBranch && value.embedded == nullptr)
        out.insert(value.text);
    for (const Node *item : value.items())
        addDependencies(*item, inBranch, out);
    for (const Entry &entry : value.entries())
        addDependencies(*entry.value, inBranch || isDirective(*entry.key), out);
}

/// `inBranch`: the keys of the mapping are there under a condition.
void findBranchDependencies(const Node &node, bool inBranch, Names &out)
{
    if (!node.hasExpressions && !inBranch)
        return;
    for (const Node *item : node.items())
        findBranchDependencies(*item, false, out);
    for (const Entry &entry : node.entries()) {
        if (entry.key->text == "dependsOn" && entry.key->embedded == nullptr)
            addDependencies(*entry.value, inBranch, out);
        else
            findBranchDependencies(*entry.value, isDirective(*entry.key), out);
    }
}

/// State of one chain of if, elseif, else.
struct BranchState
{
    bool isDecided = false;
    std::set<std::string, std::less<>> conditions;
};

} // namespace

class Expander::ReachabilityWalk
{
public:
    ReachabilityWalk(Expander &expander, const Declarations &declared, const Frame &frame)
        : m_expander(expander)
        , m_declared(declared)
        , m_frame(frame)
    {
        m_assumptions.neverEqual = [this](const std::string &left, std::string_view text) {
            return isNoValue(m_declared, left, text);
        };
    }

    void walk(const Node &node)
    {
        if (!node.hasExpressions)
            return;
        if (node.isScalar())
            return comparisons(node);
        BranchState state;
        for (const Node *item : node.items()) {
            if (item->isMapping() && item->count == 1)
                branch(*item->entries()[0].key, state);
            walk(*item);
        }
        for (const Entry &entry : node.entries()) {
            branch(*entry.key, state);
            if (entry.key->embedded != nullptr)
                comparisons(*entry.key);
            walk(*entry.value);
        }
    }

private:
    void remark(const Node &node, const char *code, std::string message, std::string hint)
    {
        m_expander.report(node, m_frame, code, std::move(message), std::move(hint),
                          Severity::Warning);
    }

    /// A key that may be a directive. Mappings within a list are looked at twice: as an item of the
    /// list's chain and, by walk(), as a mapping of their own, whose chain has one part only.
    void branch(const Node &key, BranchState &state)
    {
        if (key.embedded == nullptr || key.embedded->broken)
            return;
        const Directive directive = key.embedded->directive;
        if (directive == Directive::Each || directive == Directive::Insert ||
            directive == Directive::If)
            state = {};
        if (directive != Directive::If && directive != Directive::ElseIf &&
            directive != Directive::Else)
            return;
        if (!m_seen.insert(&key).second)
            return;
        if (state.isDecided)
            return remark(key, "unreachable-branch",
                          "This branch is never taken: a condition above it is always True",
                          "remove it, or mend the condition");
        if (directive == Directive::Else || key.embedded->pieces.empty() ||
            key.embedded->pieces[0].expression == nullptr)
            return;
        const expr::Expression &condition = *key.embedded->pieces[0].expression;
        const auto truth = expr::constantTruth(condition, m_assumptions);
        if (truth == false)
            remark(key, "unreachable-branch",
                   "This branch is never taken: its condition is always False",
                   "remove it, or mend the condition");
        else if (!state.conditions.insert(toLower(condition.text())).second)
            remark(key, "unreachable-branch",
                   "This branch is never taken: the same condition stands above it",
                   "remove it, or mend the condition");
        state.isDecided = truth == true;
    }

    void comparisons(const Node &node)
    {
        if (node.embedded == nullptr)
            return;
        for (const Embedded::Piece &piece : node.embedded->pieces) {
            if (piece.expression == nullptr)
                continue;
            expr::eachComparedText(
                *piece.expression, [&](const std::string &left, std::string_view text) {
                    const Declaration *const declaration = declarationOf(m_declared, left);
                    if (declaration == nullptr || declaration->type != "boolean" ||
                        !equalIgnoringCase(text, "false"))
                        return;
                    remark(node, "boolean-compared-with-text",
                           "The '" + std::string(declaration->name) +
                               "' parameter is a Boolean and any text but '' counts as True: "
                               "comparing it with 'false' asks whether it is True",
                           "write false without quotes");
                });
        }
    }

    Expander &m_expander;
    const Declarations &m_declared;
    const Frame &m_frame;
    expr::Assumptions m_assumptions;
    std::set<const Node *> m_seen;
};

bool Expander::isDependencyOfBranch(std::string_view name)
{
    if (!m_branchDependencies) {
        m_branchDependencies.emplace();
        if (m_root != nullptr)
            findBranchDependencies(*m_root, false, *m_branchDependencies);
        for (const auto &[path, file] : m_loaded) {
            if (file->root != nullptr)
                findBranchDependencies(*file->root, false, *m_branchDependencies);
        }
    }
    return m_branchDependencies->contains(name);
}

void Expander::remarkUnreachable(const Node &root, const Declarations &declared,
                                 const yaml::Source *file, const Frame &frame)
{
    // Files of other repositories are somebody else's.
    if (file->alias == "self")
        ReachabilityWalk(*this, declared, frame).walk(root);
}

} // namespace pipelines::templates
