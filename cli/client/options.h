#pragma once
/// What all commands that speak to a server have in common: finding it, and how they answer.

#include "cli/client/api_client.h"
#include "schema/base/result.h"

#include <nlohmann/json_fwd.hpp>

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

namespace CLI {
class App;
}

namespace cli {

struct ClientOptions
{
    std::string url;       ///< empty: SLIPWAY_URL, then <data>/url, then http://127.0.0.1:8480
    std::string tokenFile; ///< empty: SLIPWAY_TOKEN, then <data>/operator-token
    std::string data;      ///< empty: defaultDataDirectory()
    std::string project;   ///< empty: SLIPWAY_PROJECT, then the only project there is
    std::string format = "text";

    [[nodiscard]] bool json() const { return format == "json"; }
};

/// $XDG_DATA_HOME/slipway, else $HOME/.local/share/slipway.
std::filesystem::path defaultDataDirectory();

/// Adds --url, --token-file, --data, --project and --format to a command.
std::shared_ptr<ClientOptions> addClientOptions(CLI::App &command);

/// A server and a project of it.
struct Connection
{
    ApiClient client;
    std::string project; ///< its name, percent-encoded, as it stands in paths
};

/// Finds server and token, in the order that ClientOptions says.
schema::Result<ApiClient> connectServer(const ClientOptions &options);

/// Finds server, token and project, in the order that ClientOptions says.
schema::Result<Connection> connect(const ClientOptions &options);

/// Writes "slipway: MESSAGE" to standard error; returns the exit status 2.
int fail(const schema::Error &error);

/// Writes a value for programs to standard output.
void printJson(const nlohmann::json &value);

/// A member as text, "" when it is missing or of another type (null, for one).
std::string textOf(const nlohmann::json &object, std::string_view key);
/// A member as number, 0 when it is missing or of another type.
std::int64_t numberOf(const nlohmann::json &object, std::string_view key);
/// A member, or a null value when it is missing.
/// Its `maxParallelism` in words: a number, or "any".
std::string shownLimit(const nlohmann::json &object);
/// The member; null when there is none.
const nlohmann::json &memberOf(const nlohmann::json &object, std::string_view key);

} // namespace cli
