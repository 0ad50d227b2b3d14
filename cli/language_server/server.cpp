#include "cli/language_server/server.h"

#include "cli/language_server/arguments.h"
#include "cli/language_server/cursor.h"
#include "cli/language_server/declarations.h"
#include "cli/language_server/document_kind.h"
#include "cli/language_server/features.h"
#include "cli/language_server/symbols.h"
#include "cli/language_server/text_position.h"
#include "pipelines/base/text.h"
#include "pipelines/compile/template_file.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <filesystem>
#include <set>

namespace cli::language_server {
namespace {

using nlohmann::json;

/// Codes of JSON-RPC and of the protocol.
enum class ErrorNumber : std::int16_t {
    ParseError = -32700,
    InvalidRequest = -32600,
    MethodNotFound = -32601,
    InvalidParams = -32602,
    NotInitialized = -32002
};

std::string dump(const json &message)
{
    return message.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::string errorResponse(const json &id, ErrorNumber code, std::string message)
{
    return dump({{"jsonrpc", "2.0"},
                 {"id", id},
                 {"error", {{"code", static_cast<int>(code)}, {"message", std::move(message)}}}});
}

/// A member of an object, or null.
const json &member(const json &object, const char *key)
{
    static const json none;
    if (!object.is_object())
        return none;
    const auto found = object.find(key);
    return found == object.end() ? none : *found;
}

std::string textOf(const json &value)
{
    return value.is_string() ? value.get<std::string>() : std::string();
}

std::uint32_t numberOf(const json &value)
{
    constexpr std::int64_t kLargest = 1'000'000'000;
    if (!value.is_number_integer())
        return 0;
    return static_cast<std::uint32_t>(
        std::clamp<std::int64_t>(value.get<std::int64_t>(), 0, kLargest));
}

Place placeOf(const std::vector<std::string_view> &lines, const json &position)
{
    Place place;
    place.line = numberOf(member(position, "line"));
    if (place.line < lines.size())
        place.byte = byteOf(lines[place.line], numberOf(member(position, "character")));
    return place;
}

/// Byte of a position in the whole text.
std::size_t offsetOf(std::string_view text, const json &position)
{
    std::size_t start = 0;
    for (std::uint32_t line = numberOf(member(position, "line")); line > 0; --line) {
        const std::size_t end = text.find('\n', start);
        if (end == std::string_view::npos)
            return text.size();
        start = end + 1;
    }
    const std::string_view rest = text.substr(start);
    return start + byteOf(rest.substr(0, rest.find('\n')), numberOf(member(position, "character")));
}

json rangeOf(const std::vector<std::string_view> &lines, const pipelines::Diagnostic &diagnostic)
{
    const std::size_t line = diagnostic.position.line == 0 ? 0 : diagnostic.position.line - 1;
    const std::string_view text = line < lines.size() ? lines[line] : std::string_view{};
    const std::uint32_t from = utf16OfColumn(text, diagnostic.position.column);
    const std::uint32_t end = utf16Of(text, text.size());
    const std::uint32_t to = diagnostic.length > 0 ? std::min(end, from + diagnostic.length) : end;
    return {{"start", {{"line", line}, {"character", from}}},
            {"end", {{"line", line}, {"character", std::max(from, to)}}}};
}

json pointRange(const schema::SourcePosition &position)
{
    const json at{{"line", position.line == 0 ? 0 : position.line - 1},
                  {"character", position.column == 0 ? 0 : position.column - 1}};
    return {{"start", at}, {"end", at}};
}

} // namespace

/// Files as the editor has them, before those of the disk.
class Server::Overlay : public pipelines::FileSource
{
public:
    Overlay(Workspace &workspace, const std::map<std::string, Document> &documents,
            std::string root)
        : m_workspace(workspace)
        , m_documents(documents)
        , m_root(std::move(root))
    {}

    schema::Result<std::string> read(const std::string &alias,
                                     const schema::RepositoryResource *repository,
                                     const std::string &path) override
    {
        std::string folder = m_root;
        if (alias != "self") {
            const auto found = m_workspace.folderOf(alias, repository);
            if (!found)
                return schema::Error{schema::ErrorCode::NotFound,
                                     "start the server with --repository " + alias + "=DIR"};
            folder = *found;
        }
        const std::string whole = folder + path;
        for (const auto &[uri, document] : m_documents) {
            if (document.path == whole)
                return document.text;
        }
        if (auto text = m_workspace.read(whole))
            return std::move(*text);
        return schema::Error{schema::ErrorCode::NotFound, "looked for " + whole};
    }

private:
    Workspace &m_workspace;
    const std::map<std::string, Document> &m_documents;
    std::string m_root;
};

Server::Server(Workspace &workspace, const schema::TaskCatalogue &tasks)
    : m_workspace(workspace)
    , m_tasks(tasks)
{}

std::vector<std::string> Server::handle(std::string_view message)
{
    constexpr int kDeepest = 100;
    const auto bounded = [](int depth, json::parse_event_t, json &) { return depth < kDeepest; };
    const json parsed = json::parse(message.begin(), message.end(), bounded, false);
    if (parsed.is_discarded())
        return {errorResponse(nullptr, ErrorNumber::ParseError, "the message is not JSON")};
    const json &id = member(parsed, "id");
    const bool isRequest = id.is_number_integer() || id.is_string();
    const std::string method = textOf(member(parsed, "method"));
    if (method.empty()) {
        if (isRequest && (parsed.contains("result") || parsed.contains("error")))
            return {}; // an answer; this server asks nothing
        return {errorResponse(isRequest ? id : json(), ErrorNumber::InvalidRequest,
                              "a message names its `method`")};
    }
    const json &parameters = member(parsed, "params");
    if (!isRequest) {
        notification(method, parameters);
        return {};
    }
    if (!m_isInitialized && method != "initialize")
        return {errorResponse(id, ErrorNumber::NotInitialized, "`initialize` comes first")};
    if (m_isShutDown)
        return {errorResponse(id, ErrorNumber::InvalidRequest, "the server was shut down")};
    constexpr std::array<std::string_view, 6> kMethods{"initialize",
                                                       "shutdown",
                                                       "textDocument/hover",
                                                       "textDocument/completion",
                                                       "textDocument/definition",
                                                       "textDocument/documentSymbol"};
    if (std::find(kMethods.begin(), kMethods.end(), method) == kMethods.end())
        return {errorResponse(id, ErrorNumber::MethodNotFound, "no method " + method)};
    return {dump({{"jsonrpc", "2.0"}, {"id", id}, {"result", request(method, parameters)}})};
}

json Server::request(const std::string &method, const json &parameters)
{
    if (method == "initialize")
        return initialize();
    if (method == "shutdown") {
        m_isShutDown = true;
        return nullptr;
    }
    if (find(parameters) == nullptr)
        return nullptr;
    if (method == "textDocument/completion")
        return complete(parameters);
    if (method == "textDocument/hover")
        return hover(parameters);
    if (method == "textDocument/definition")
        return definition(parameters);
    return symbols(parameters);
}

json Server::initialize()
{
    m_isInitialized = true;
    return {{"capabilities",
             {{"positionEncoding", "utf-16"},
              {"textDocumentSync", {{"openClose", true}, {"change", 2}, {"save", true}}},
              {"completionProvider", {{"triggerCharacters", {".", "(", "'", " ", "@", "/"}}}},
              {"hoverProvider", true},
              {"definitionProvider", true},
              {"documentSymbolProvider", true}}},
            {"serverInfo", {{"name", "slipway"}, {"version", SLIPWAY_VERSION}}}};
}

void Server::notification(const std::string &method, const json &parameters)
{
    if (method == "exit") {
        m_hasEnded = true;
        return;
    }
    const json &named = member(parameters, "textDocument");
    const std::string uri = textOf(member(named, "uri"));
    if (!m_isInitialized || uri.empty())
        return;
    if (method == "textDocument/didOpen") {
        Document document;
        document.path = pathOfUri(uri).value_or(uri);
        document.text = textOf(member(named, "text"));
        document.version = numberOf(member(named, "version"));
        m_documents[uri] = std::move(document);
        m_changed.insert(uri);
    } else if (method == "textDocument/didChange") {
        change(parameters);
    } else if (method == "textDocument/didSave") {
        // Files that are not open may include this one, or be included: all are looked at again.
        for (const auto &[open, document] : m_documents)
            m_changed.insert(open);
    } else if (method == "textDocument/didClose") {
        m_documents.erase(uri);
        m_changed.insert(uri);
    }
}

void Server::change(const json &parameters)
{
    const json &named = member(parameters, "textDocument");
    const auto found = m_documents.find(textOf(member(named, "uri")));
    const json &changes = member(parameters, "contentChanges");
    if (found == m_documents.end() || !changes.is_array())
        return;
    std::string &text = found->second.text;
    for (const json &one : changes) {
        const json &range = member(one, "range");
        if (!range.is_object()) {
            text = textOf(member(one, "text"));
            continue;
        }
        const std::size_t from = offsetOf(text, member(range, "start"));
        const std::size_t to = std::max(from, offsetOf(text, member(range, "end")));
        text.replace(from, to - from, textOf(member(one, "text")));
    }
    found->second.version = numberOf(member(named, "version"));
    // What includes this document sees the change too.
    for (const auto &[open, document] : m_documents)
        m_changed.insert(open);
}

const Server::Document *Server::find(const json &parameters) const
{
    const auto found = m_documents.find(textOf(member(member(parameters, "textDocument"), "uri")));
    return found == m_documents.end() ? nullptr : &found->second;
}

std::optional<std::string> Server::templatePath(const Document &document,
                                                const std::string &reference) const
{
    const std::size_t at = reference.find('@');
    std::string path = reference.substr(0, at);
    std::replace(path.begin(), path.end(), '\\', '/');
    const std::string alias = at == std::string::npos ? "" : reference.substr(at + 1);
    std::string folder = m_workspace.rootOf(document.path);
    if (!alias.empty() && !pipelines::equalIgnoringCase(alias, "self")) {
        // The name that the document gives the alias: folders may be known by it.
        schema::RepositoryResource repository;
        repository.alias = alias;
        const auto lines = linesOf(document.text);
        for (const Declared &one : declared(lines, {"repository"}, "repositories")) {
            if (!pipelines::equalIgnoringCase(one.name, alias))
                continue;
            for (const auto &[key, value] : locate(lines, one.line, one.from).siblings) {
                if (key == "name")
                    repository.name = unquoted(value);
                if (key == "ref")
                    repository.ref = unquoted(value);
            }
        }
        const auto other = m_workspace.folderOf(alias, &repository);
        if (!other)
            return std::nullopt;
        folder = *other + "/";
    } else if (path.starts_with('/')) {
        folder += "/";
    } else {
        folder = document.path.substr(0, document.path.rfind('/') + 1);
    }
    path.erase(0, std::min(path.find_first_not_of('/'), path.size()));
    if (path.empty())
        return std::nullopt;
    return std::filesystem::path(folder + path).lexically_normal().string();
}

std::vector<std::string> Server::templatePaths(const Document &document,
                                               const std::string &typed) const
{
    if (typed.find('@') != std::string::npos)
        return {};
    const std::size_t slash = typed.rfind('/');
    const std::string folder = slash == std::string::npos ? "" : typed.substr(0, slash + 1);
    const std::string base = typed.starts_with('/')
                                 ? m_workspace.rootOf(document.path)
                                 : document.path.substr(0, document.path.rfind('/') + 1);
    const std::string absolute = base + folder;
    std::vector<std::string> out;
    for (const std::string &name : m_workspace.list(absolute)) {
        if (absolute + name != document.path)
            out.push_back(folder + name);
    }
    return out;
}

std::optional<std::string> Server::textOfFile(const std::string &path) const
{
    for (const auto &[uri, open] : m_documents) {
        if (open.path == path)
            return open.text;
    }
    return m_workspace.read(path);
}

std::optional<std::string> Server::templateAt(const Document &document,
                                              const std::vector<std::string_view> &lines,
                                              Place place) const
{
    const std::string reference = referenceOfArguments(lines, place);
    if (reference.empty())
        return std::nullopt;
    const auto path = templatePath(document, reference);
    return path ? textOfFile(*path) : std::nullopt;
}

std::vector<std::string> Server::includedVariables(const Document &document) const
{
    constexpr std::size_t kMostFiles = 50;
    std::vector<std::string> out;
    std::set<std::string> seen{document.path};
    std::vector<Document> open{document};
    while (!open.empty()) {
        const Document one = std::move(open.back());
        open.pop_back();
        for (const std::string &reference : variableTemplates(linesOf(one.text))) {
            const auto path = templatePath(one, reference);
            if (!path || seen.size() > kMostFiles || !seen.insert(*path).second)
                continue;
            auto text = textOfFile(*path);
            if (!text)
                continue;
            for (const Declared &name : variables(linesOf(*text)))
                out.push_back(name.name);
            Document further;
            further.path = *path;
            further.text = std::move(*text);
            open.push_back(std::move(further));
        }
    }
    return out;
}

json Server::complete(const json &parameters)
{
    const Document &document = *find(parameters);
    const auto lines = linesOf(document.text);
    const Place place = placeOf(lines, member(parameters, "position"));
    const auto text = templateAt(document, lines, place);
    const auto typed = typedTemplatePath(lines, place);
    const auto paths = typed ? templatePaths(document, *typed) : std::vector<std::string>{};
    // Behind a slash an editor asks again only when the list says that it is not the whole.
    return {{"isIncomplete", typed.has_value()},
            {"items", completionsAt(lines, place, m_tasks, text ? &*text : nullptr, paths,
                                    includedVariables(document))}};
}

json Server::hover(const json &parameters)
{
    const Document &document = *find(parameters);
    const auto lines = linesOf(document.text);
    const Place place = placeOf(lines, member(parameters, "position"));
    const auto templateText = templateAt(document, lines, place);
    const std::string text =
        hoverAt(lines, place, m_tasks, templateText ? &*templateText : nullptr);
    if (text.empty())
        return nullptr;
    return {{"contents", {{"kind", "markdown"}, {"value", text}}}};
}

json Server::definition(const json &parameters)
{
    const Document &document = *find(parameters);
    const auto lines = linesOf(document.text);
    const auto target = definitionAt(lines, placeOf(lines, member(parameters, "position")));
    if (!target)
        return nullptr;
    const auto rangeIn = [](const std::vector<std::string_view> &in, const Target &name) {
        const std::string_view line = in[name.line];
        const auto at = [&](std::size_t byte) {
            return json{{"line", name.line}, {"character", utf16Of(line, byte)}};
        };
        return json{{"start", at(name.from)}, {"end", at(name.to)}};
    };
    if (target->reference.empty())
        return {{"uri", textOf(member(member(parameters, "textDocument"), "uri"))},
                {"range", rangeIn(lines, *target)}};
    const auto path = templatePath(document, target->reference);
    if (!path)
        return nullptr;
    json out{{"uri", uriOfPath(*path)}, {"range", pointRange({})}};
    if (target->parameter.empty())
        return out;
    const auto text = textOfFile(*path);
    const auto name = text ? declarationOfArgument(*text, target->parameter) : std::nullopt;
    if (!name)
        return nullptr;
    out["range"] = rangeIn(linesOf(*text), *name);
    return out;
}

json Server::symbols(const json &parameters)
{
    return symbolsOf(find(parameters)->text);
}

std::vector<std::string> Server::publish()
{
    std::vector<std::string> out;
    for (const std::string &uri : std::exchange(m_changed, {})) {
        const auto found = m_documents.find(uri);
        if (found != m_documents.end()) {
            out.push_back(diagnosticsOf(uri, found->second));
            continue;
        }
        // Closed: the editor forgets what it was told.
        out.push_back(dump({{"jsonrpc", "2.0"},
                            {"method", "textDocument/publishDiagnostics"},
                            {"params", {{"uri", uri}, {"diagnostics", json::array()}}}}));
    }
    return out;
}

std::string Server::diagnosticsOf(const std::string &uri, const Document &document)
{
    const std::string root = m_workspace.rootOf(document.path);
    Overlay files(m_workspace, m_documents, root);
    pipelines::CompileRequest request;
    request.path =
        document.path.starts_with(root) ? document.path.substr(root.size()) : document.path;
    request.text = document.text;
    request.requireParameters = false;
    request.tasks = &m_tasks;
    const auto lines = linesOf(document.text);
    std::string self = request.path;
    std::vector<pipelines::Diagnostic> found;
    if (looksLikeTemplate(request.path, lines)) {
        found = pipelines::checkTemplate(request, files);
    } else {
        pipelines::Compilation result = pipelines::compile(request, files);
        found = std::move(result.diagnostics);
        if (!result.files.empty())
            self = result.files[0];
    }
    json list = json::array();
    for (const pipelines::Diagnostic &diagnostic : found) {
        pipelines::Diagnostic shown = diagnostic;
        json related = json::array();
        if (!diagnostic.position.file.empty() && diagnostic.position.file != self) {
            // A problem of an included file stands at the reference that leads there.
            const auto here =
                std::find_if(diagnostic.includedFrom.rbegin(), diagnostic.includedFrom.rend(),
                             [&](const auto &from) { return from.file == self; });
            if (here == diagnostic.includedFrom.rend() ||
                diagnostic.severity == pipelines::Severity::Warning)
                continue;
            shown.position = *here;
            shown.length = 0;
            shown.message = diagnostic.position.file + ":" +
                            std::to_string(diagnostic.position.line) + ": " + diagnostic.message;
            if (diagnostic.position.file.find('@') == std::string::npos)
                related.push_back({{"location",
                                    {{"uri", uriOfPath(root + diagnostic.position.file)},
                                     {"range", pointRange(diagnostic.position)}}},
                                   {"message", diagnostic.message}});
        }
        json item{
            {"range", rangeOf(lines, shown)},
            {"severity", shown.severity == pipelines::Severity::Error ? 1 : 2},
            {"code", shown.code},
            {"source", "slipway"},
            {"message", shown.hint.empty() ? shown.message : shown.message + "\n" + shown.hint}};
        if (!related.empty())
            item["relatedInformation"] = std::move(related);
        list.push_back(std::move(item));
    }
    return dump(
        {{"jsonrpc", "2.0"},
         {"method", "textDocument/publishDiagnostics"},
         {"params",
          {{"uri", uri}, {"version", document.version}, {"diagnostics", std::move(list)}}}});
}

std::optional<std::string> pathOfUri(std::string_view uri)
{
    constexpr std::string_view kScheme = "file://";
    if (!uri.starts_with(kScheme))
        return std::nullopt;
    uri.remove_prefix(kScheme.size());
    uri.remove_prefix(std::min(uri.find('/'), uri.size()));
    const auto digit = [](char c) {
        return c >= '0' && c <= '9'   ? c - '0'
               : c >= 'a' && c <= 'f' ? c - 'a' + 10
               : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                      : -1;
    };
    std::string path;
    for (std::size_t i = 0; i < uri.size(); ++i) {
        if (uri[i] == '%' && i + 2 < uri.size() && digit(uri[i + 1]) >= 0 &&
            digit(uri[i + 2]) >= 0) {
            path += static_cast<char>(digit(uri[i + 1]) * 16 + digit(uri[i + 2]));
            i += 2;
        } else {
            path += uri[i];
        }
    }
    if (path.empty())
        return std::nullopt;
    return path;
}

std::string uriOfPath(std::string_view path)
{
    constexpr std::string_view kPlain = "-._~/";
    constexpr std::string_view kDigits = "0123456789ABCDEF";
    std::string out = "file://";
    for (const char c : path) {
        const bool isPlain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
                             (c >= 'A' && c <= 'Z') || kPlain.find(c) != std::string_view::npos;
        if (isPlain) {
            out += c;
        } else {
            const auto byte = static_cast<unsigned char>(c);
            out += '%';
            out += kDigits[byte >> 4U];
            out += kDigits[byte & 15U];
        }
    }
    return out;
}

} // namespace cli::language_server
