#pragma once
/// One request as a handler sees it, and its answer. Free of Poco, so that handlers can be tested
/// and fuzzed without a socket.

#include "schema/base/result.h"
#include "server/auth/authenticator.h"
#include "server/http/url.h"

#include <nlohmann/json_fwd.hpp>

#include <cstdint>
#include <functional>
#include <iosfwd>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace server::http {

class FileBody;

/// Largest JSON body, bytes. Streamed routes have limits of their own.
inline constexpr std::size_t kMaxJsonBytes = 8U << 20U;
/// Deepest nesting of a JSON body.
inline constexpr int kMaxJsonDepth = 100;

struct Call
{
    std::string method; ///< upper case; HEAD arrives as GET
    Target target;
    /// Values of the route's placeholders; names as in the template. Absent ones are not listed.
    std::vector<std::pair<std::string, std::string>> values;
    std::function<std::string(std::string_view)> header; ///< empty text when absent
    std::istream *body = nullptr;                        ///< never read past its end
    std::optional<std::uint64_t> contentLength;
    auth::Principal principal; ///< of the caller; `identityId` empty when nobody signed in
    std::string credential;    ///< token as sent (bearer or password), for job and worker routes
    std::string baseUrl;       ///< as the caller reached the server, without '/' at the end
    std::string clientAddress; ///< for logs

    /// Placeholder value or empty text.
    [[nodiscard]] const std::string &value(std::string_view name) const;
    /// Whole number >= 1 from a placeholder. Errors: NotFound (as the client reads it: absent).
    [[nodiscard]] schema::Result<std::int64_t> id(std::string_view name) const;

    [[nodiscard]] const Query &query() const { return target.query; }

    /// Reads and parses the body (once). The literal `null` and an empty body are an empty object
    /// (D1.11). Errors: InvalidArgument with line and column, LimitExceeded.
    schema::Result<nlohmann::ordered_json> json();

    /// The same of calls that take an object and nothing else. Errors: also InvalidArgument for
    /// other JSON.
    schema::Result<nlohmann::ordered_json> object();
    /// Reads the whole body. Errors: LimitExceeded past `limit`, Io when the caller went away.
    schema::Result<std::string> text(std::size_t limit);
    /// True when the Accept header names this media type before the others.
    [[nodiscard]] bool accepts(std::string_view mediaType) const;
};

struct Reply
{
    int status = 200;
    std::string contentType = "application/json; charset=utf-8";
    std::string body;
    std::vector<std::pair<std::string, std::string>> headers;
    /// When set, writes the body instead of `body`; chunked unless streamLength is given. An error
    /// after the first byte closes the connection, so that the caller sees a broken transfer.
    std::function<schema::Status(std::ostream &)> stream;
    std::optional<std::uint64_t> streamLength;
    std::shared_ptr<const FileBody> file; ///< when set, the body, instead of both

    static Reply json(const nlohmann::ordered_json &value, int status = 200);
    /// `{"count": n, "value": [...]}`, with the continuation token in body and header when given.
    static Reply list(nlohmann::ordered_json values, const std::string &continuationToken = {});
    static Reply text(std::string body, std::string contentType = "text/plain; charset=utf-8",
                      int status = 200);
    static Reply empty(int status = 204);
    /// A file, which stays open until it was sent.
    static Reply ofFile(std::shared_ptr<const FileBody> file, std::string contentType);
    Reply &with(std::string name, std::string headerValue);
};

/// Reads a member of a JSON object that must be text / a number / a boolean when present; names
/// compare ignoring case as Azure DevOps clients expect. Errors: InvalidArgument naming it.
schema::Result<std::optional<std::string>> textMember(const nlohmann::ordered_json &object,
                                                      std::string_view name);
schema::Result<std::optional<std::int64_t>> numberMember(const nlohmann::ordered_json &object,
                                                         std::string_view name);
schema::Result<std::optional<bool>> flagMember(const nlohmann::ordered_json &object,
                                               std::string_view name);
/// Like textMember, but absence or empty text is an error as well.
schema::Result<std::string> requiredText(const nlohmann::ordered_json &object,
                                         std::string_view name);
/// Member ignoring case; nullptr when absent, null, or `object` is no object.
const nlohmann::ordered_json *member(const nlohmann::ordered_json &object, std::string_view name);
/// Members of members: path "resources.repositories.self".
const nlohmann::ordered_json *memberAt(const nlohmann::ordered_json &object,
                                       std::string_view dottedPath);

} // namespace server::http
