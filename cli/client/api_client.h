#pragma once
/// The commands' side of the HTTP API (docs/api.md).

#include "schema/base/result.h"

#include <nlohmann/json_fwd.hpp>

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace cli {

/// Bytes of a log from some offset on.
struct LogPart
{
    std::string bytes;
    std::uint64_t length = 0; ///< of the whole log at the moment of the answer
    bool sealed = false;      ///< true: nothing follows
};

/// Speaks to one server as one identity. Not thread-safe; every call opens its own connection.
/// Errors: Unavailable when nothing answers, otherwise what the server said, with its message.
class ApiClient
{
public:
    /// `url` like "http://127.0.0.1:8480"; `token` may be empty (then only open routes work).
    ApiClient(std::string url, std::string token);

    [[nodiscard]] schema::Result<nlohmann::json> get(const std::string &path) const;
    [[nodiscard]] schema::Result<nlohmann::json> post(const std::string &path,
                                                      const nlohmann::json &body) const;
    [[nodiscard]] schema::Result<nlohmann::json> put(const std::string &path,
                                                     const nlohmann::json &body) const;
    [[nodiscard]] schema::Result<nlohmann::json> patch(const std::string &path,
                                                       const nlohmann::json &body) const;
    [[nodiscard]] schema::Result<nlohmann::json> remove(const std::string &path) const;
    /// POST of a file's bytes. Errors besides: NotFound (the file).
    [[nodiscard]] schema::Result<nlohmann::json> upload(const std::string &path,
                                                        const std::string &file) const;

    /// The bytes of log `logId` of run `runId` from byte `offset` on.
    [[nodiscard]] schema::Result<LogPart> log(const std::string &project, std::int64_t runId,
                                              std::int64_t logId, std::uint64_t offset) const;

    /// Called with each event's name ("run", "log", ..., "open" once at the start, "ping" when the
    /// server only shows that it is there) and data; false ends the stream.
    using EventHandler = std::function<bool(std::string_view name, const nlohmann::json &data)>;
    /// Follows the project's event stream until the handler or the server ends it.
    [[nodiscard]] schema::Status events(const std::string &project,
                                        const EventHandler &handler) const;

    [[nodiscard]] const std::string &url() const { return m_url; }

    [[nodiscard]] const std::string &token() const { return m_token; }

private:
    [[nodiscard]] schema::Result<nlohmann::json>
    call(const std::string &method, const std::string &path, const nlohmann::json *body) const;

    std::string m_url;
    std::string m_token;
};

/// Percent-encodes a path segment or query value.
std::string urlEncoded(std::string_view text);

} // namespace cli
