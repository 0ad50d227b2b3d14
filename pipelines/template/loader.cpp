#include "pipelines/compile/predefined_variables.h"
#include "pipelines/shape/normalise.h"
#include "pipelines/shape/shape.h"
#include "pipelines/template/expander_parts.h"

#include <algorithm>

namespace pipelines::templates {

using yaml::Node;

namespace {

/// `dir/../x` resolved; nothing when it leaves the root.
std::optional<std::string> normalisePath(std::string_view path)
{
    std::vector<std::string_view> parts;
    while (!path.empty()) {
        const std::size_t slash = path.find('/');
        const std::string_view part = path.substr(0, slash);
        path = slash == std::string_view::npos ? std::string_view{} : path.substr(slash + 1);
        if (part.empty() || part == ".")
            continue;
        if (part == "..") {
            if (parts.empty())
                return std::nullopt;
            parts.pop_back();
            continue;
        }
        parts.push_back(part);
    }
    std::string out;
    for (const std::string_view part : parts)
        out += "/" + std::string(part);
    return out.empty() ? "/" : out;
}

std::string folderOf(std::string_view path)
{
    const std::size_t slash = path.rfind('/');
    return slash == std::string_view::npos ? "/" : std::string(path.substr(0, slash + 1));
}

std::string shownName(const std::string &alias, const std::string &path)
{
    return alias == "self" ? path : path + "@" + alias;
}

std::string textOf(const Node &mapping, std::string_view key)
{
    const Node *const value = mapping.find(key);
    return value != nullptr && value->isScalar() ? std::string(value->text) : std::string();
}

} // namespace

Expander::Expander(const CompileRequest &request, FileSource &files, yaml::Arena &arena,
                   Compilation &result)
    : m_request(request)
    , m_files(files)
    , m_arena(arena)
    , m_result(result)
    , m_parser(result.diagnostics, request.limits.expression)
{}

Expander::~Expander() = default;

const Node *Expander::readText(const yaml::Source *source, std::string_view text)
{
    const yaml::ReadLimits limits{m_request.limits.maxFileBytes, m_request.limits.maxYamlDepth,
                                  m_request.limits.maxExpandedNodes};
    return yaml::read(m_arena, source, text, limits, &m_parser, m_result.diagnostics);
}

const Node *Expander::run()
{
    yaml::Source source;
    source.path = normalisePath(m_request.path).value_or("/azure-pipelines.yml");
    source.alias = "self";
    source.name = source.path;
    const yaml::Source *const entry = m_arena.source(source);
    m_result.files.push_back(source.name);
    const Node *const root = readText(entry, m_request.text);
    if (root == nullptr)
        return nullptr;
    m_root = root;
    Frame frame;
    frame.source = entry;
    frame.variables = &newScope(nullptr);
    for (const PredefinedVariable &variable : predefinedVariables()) {
        if (variable.known == KnownAt::Reference)
            frame.variables->define(variable.name,
                                    m_arena.copy("$(" + std::string(variable.name) + ")"));
    }
    for (const auto &[name, value] : m_request.variables)
        frame.variables->define(name, value);
    try {
        if (!root->isMapping()) {
            if (!root->isScalar() || !root->text.empty())
                report(*root, frame, "expected-mapping",
                       root->isSequence() ? "A sequence was not expected" : "Expected a mapping",
                       "a pipeline file holds `key: value` lines: steps, jobs, stages or extends");
            else
                report(*root, frame, "empty-file",
                       "There's not enough info to determine what you meant. Add one of these "
                       "properties: extends, jobs, stages, steps",
                       "the file is empty");
            return nullptr;
        }
        const Declarations declared = declarations(root->find("parameters"), m_isTemplate);
        remarkUnused(declared, entry, frame);
        remarkUnreachable(*root, declared, entry, frame);
        bindRoot(declared, root->find("resources"));
        frame.parameters = m_parameterScopes.back().get();
        frame.variables = &newScope(frame.variables);
        if (const Node *const resources = root->find("resources")) {
            const Node *const expanded = expand(*resources, Place::Resources, frame);
            m_early.emplace(resources, expanded);
            declareRepositories(*expanded);
        }
        frame.extends = root->find("extends") != nullptr;
        return expandMapping(*root, Place::Root, frame);
    } catch (const Overflow &) {
        return nullptr; // the limit was reported
    }
}

void Expander::declareRepositories(const Node &resources)
{
    const Node *const list = resources.find("repositories");
    if (list == nullptr)
        return;
    for (const Node *item : list->items()) {
        if (item->hasExpressions)
            continue; // not evaluated yet
        schema::RepositoryResource repository;
        repository.alias = textOf(*item, "repository");
        repository.type = textOf(*item, "type");
        repository.name = textOf(*item, "name");
        repository.ref = textOf(*item, "ref");
        repository.endpoint = textOf(*item, "endpoint");
        if (!repository.endpoint.empty())
            repository.endpointPosition = item->find("endpoint")->position();
        if (repository.type.empty())
            repository.type = "git";
        if (repository.ref.empty())
            repository.ref = "refs/heads/main";
        if (repository.alias.empty() || equalIgnoringCase(repository.alias, "self"))
            continue;
        if (m_repositoryIndex.try_emplace(repository.alias, m_repositories.size()).second)
            m_repositories.push_back(std::move(repository));
    }
}

/// pipeline-language 14.3.
std::optional<std::pair<std::string, std::string>> Expander::resolve(const Node &reference,
                                                                     const Frame &frame)
{
    // The file that the reference is expanded in, which for a reference inside of an argument is
    // the template that received it, not the file it was written in.
    const yaml::Source &from = frame.source != nullptr ? *frame.source : *reference.source;
    const std::string_view text = reference.text;
    const std::size_t at = text.find('@');
    std::string path(text.substr(0, at));
    std::replace(path.begin(), path.end(), '\\', '/');
    std::string alias =
        at == std::string_view::npos ? std::string() : std::string(text.substr(at + 1));
    if (alias.empty()) {
        alias = from.alias;
    } else if (equalIgnoringCase(alias, "self")) {
        alias = "self";
    } else {
        const auto found = m_repositoryIndex.find(alias);
        if (found == m_repositoryIndex.end()) {
            std::vector<std::string> names;
            names.reserve(m_repositories.size());
            for (const auto &known : m_repositories)
                names.push_back(known.alias);
            const std::string close = nearest(alias, names);
            report(reference, frame, "unknown-repository", "No repository found by name " + alias,
                   close.empty() ? "declare it under resources.repositories"
                                 : "did you mean `" + close + "`?");
            return std::nullopt;
        }
        alias = m_repositories[found->second].alias;
    }
    const bool rooted = path.starts_with('/');
    const std::string whole =
        rooted ? path : (alias == from.alias ? folderOf(from.path) : std::string("/")) + path;
    const auto normal = normalisePath(whole);
    if (!normal || path.empty()) {
        report(reference, frame, "template-path", "The file path " + whole + " is invalid",
               path.empty() ? "name a file" : "the path leaves the repository");
        return std::nullopt;
    }
    return std::pair{alias, *normal};
}

Expander::File *Expander::load(const std::string &alias, const std::string &path,
                               const Node &reference, const Frame &frame)
{
    auto &slot = m_loaded[{alias, path}];
    if (slot != nullptr)
        return slot.get();
    if (m_result.files.size() >= m_request.limits.maxFiles) {
        m_loaded.erase({alias, path});
        report(reference, frame, "limit-files",
               "Maximum file count exceeded: a pipeline may consist of " +
                   std::to_string(m_request.limits.maxFiles) + " files");
        throw Overflow{};
    }
    slot = std::make_unique<File>();
    yaml::Source source;
    source.alias = alias;
    source.path = path;
    source.name = shownName(alias, path);
    slot->source = m_arena.source(source);
    const auto known = m_repositoryIndex.find(alias);
    const schema::RepositoryResource *const repository =
        known == m_repositoryIndex.end() ? nullptr : &m_repositories[known->second];
    auto text = m_files.read(alias, repository, path);
    if (!text) {
        std::string where = "repository self";
        if (repository != nullptr)
            where = "repository " + repository->name + " branch " + repository->ref;
        if (text.error().code == schema::ErrorCode::NotFound)
            report(reference, frame, "file-not-found",
                   "File " + path + " not found in " + where + ".",
                   path.find("$(") == std::string::npos
                       ? text.error().message
                       : "macros are not expanded in the path of a template: use ${{ }}");
        else
            report(reference, frame, "file-unreadable",
                   "File " + path + " of " + where + " could not be read: " + text.error().message);
        return slot.get();
    }
    slot->wasRead = true;
    m_result.files.push_back(source.name);
    const std::size_t before = m_result.diagnostics.size();
    slot->root = readText(slot->source, *text);
    // Problems of the file itself name the first reference that led to it.
    yaml::Source via = source;
    via.includedBy = frame.source;
    via.line = reference.line;
    via.column = reference.column;
    for (std::size_t i = before; i < m_result.diagnostics.size(); ++i)
        m_result.diagnostics[i].includedFrom = yaml::includeChain(&via);
    return slot.get();
}

} // namespace pipelines::templates
