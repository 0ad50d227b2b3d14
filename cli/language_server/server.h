#pragma once
/// The language server without its streams: messages in, messages out. One thread.

#include "cli/language_server/features.h"
#include "pipelines/compile/compiler.h"
#include "schema/tasks/task_definition.h"

#include <nlohmann/json_fwd.hpp>

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace cli::language_server {

/// How documents are found on disk and compiled; the tests and the fuzzer bring their own.
class Workspace
{
public:
    virtual ~Workspace() = default;

    /// A file of the disk, or nothing.
    virtual std::optional<std::string> read(const std::string &path) = 0;
    /// Names of the YAML files of a folder, and of the folders in it with a slash at the end;
    /// sorted, hidden ones left out. Empty when there is no such folder.
    virtual std::vector<std::string> list(const std::string &folder) = 0;
    /// The folder that absolute template paths of this file start from.
    virtual std::string rootOf(const std::string &path) = 0;
    /// Templates of another repository; nothing when it is not known where it lies.
    virtual std::optional<std::string> folderOf(const std::string &alias,
                                                const schema::RepositoryResource *repository) = 0;
};

class Server
{
public:
    /// Both outlive the server.
    Server(Workspace &workspace, const schema::TaskCatalogue &tasks);

    /// Carries out one message (the JSON text of a request or notification) and returns what is to
    /// be sent. Anything that is not one gets an error response; nothing throws.
    std::vector<std::string> handle(std::string_view message);

    /// Diagnostics of what changed since: to be called when no message waits, so that fast typing
    /// is compiled once.
    std::vector<std::string> publish();

    /// After `exit`.
    [[nodiscard]] bool hasEnded() const { return m_hasEnded; }

    /// 0 when `shutdown` came before `exit`, else 1, as the protocol asks.
    [[nodiscard]] int exitStatus() const { return m_isShutDown ? 0 : 1; }

private:
    struct Document
    {
        std::string path; ///< of the file
        std::string text;
        std::int64_t version = 0;
    };

    class Overlay;

    nlohmann::json request(const std::string &method, const nlohmann::json &parameters);
    void notification(const std::string &method, const nlohmann::json &parameters);
    nlohmann::json initialize();
    void change(const nlohmann::json &parameters);
    nlohmann::json complete(const nlohmann::json &parameters);
    nlohmann::json hover(const nlohmann::json &parameters);
    nlohmann::json definition(const nlohmann::json &parameters);
    nlohmann::json symbols(const nlohmann::json &parameters);
    std::string diagnosticsOf(const std::string &uri, const Document &document);
    const Document *find(const nlohmann::json &parameters) const;
    /// Where a template reference of the document leads, as the compiler resolves it (14.3).
    [[nodiscard]] std::optional<std::string> templatePath(const Document &document,
                                                          const std::string &reference) const;
    /// How the path of a template may go on after what is typed.
    [[nodiscard]] std::vector<std::string> templatePaths(const Document &document,
                                                         const std::string &typed) const;
    /// A file as the editor has it, else as the disk does.
    [[nodiscard]] std::optional<std::string> textOfFile(const std::string &path) const;
    /// Text of the template whose arguments hold this place of the document.
    [[nodiscard]] std::optional<std::string> templateAt(const Document &document,
                                                        const std::vector<std::string_view> &lines,
                                                        Place place) const;
    /// Names of the variables that the document's templates bring, and theirs.
    [[nodiscard]] std::vector<std::string> includedVariables(const Document &document) const;

    Workspace &m_workspace;
    const schema::TaskCatalogue &m_tasks;
    std::map<std::string, Document> m_documents; ///< by URI
    std::set<std::string> m_changed;
    bool m_isInitialized = false, m_isShutDown = false, m_hasEnded = false;
};

/// "file:///a%20b" to "/a b"; nothing for other schemes.
std::optional<std::string> pathOfUri(std::string_view uri);
std::string uriOfPath(std::string_view path);

} // namespace cli::language_server
