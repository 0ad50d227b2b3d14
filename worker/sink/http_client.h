#pragma once
/// HTTP to the server, with errors as values. One object keeps one connection; one thread uses it.

#include "worker/base/files.h"

#include <functional>
#include <iosfwd>
#include <memory>
#include <string>
#include <string_view>

namespace worker {

struct HttpReply
{
    int status = 0;
    std::string body; ///< at most a megabyte of it

    [[nodiscard]] bool ok() const { return status >= 200 && status < 300; }
};

class HttpClient
{
public:
    /// `baseUrl`: "http://host:port" or "https://host" with an optional path in front of every
    /// call; `authorityFile`: see schema::transport::Trust. Errors: InvalidArgument (no such
    /// address, no such file), NotFound (https without its module).
    static Result<std::unique_ptr<HttpClient>> create(const std::string &baseUrl,
                                                      std::string bearerToken,
                                                      const std::string &authorityFile = {});
    ~HttpClient();

    /// One request. Errors: Unavailable when the server cannot be reached, its certificate is
    /// refused or the answer breaks off; every answer, also 4xx and 5xx, is a reply.
    Result<HttpReply> call(const std::string &method, const std::string &path,
                           std::string_view body = {},
                           const std::string &contentType = "application/json");
    /// The body is written piece by piece; `write` returns an error to break the request off.
    Result<HttpReply> upload(const std::string &method, const std::string &path,
                             const std::string &contentType,
                             const std::function<Status(std::ostream &out)> &write);
    /// The body of a 2xx answer is given to `read`; others are replies as usual. Errors: those of
    /// `read`; Unavailable when the body breaks off before its announced length, whatever `read`
    /// made of it: the caller tries again from the beginning.
    Result<HttpReply> download(const std::string &path,
                               const std::function<Status(std::istream &in)> &read);

private:
    struct State;
    explicit HttpClient(std::unique_ptr<State> state);
    std::unique_ptr<State> m_state;
};

/// A path segment with everything escaped that has a meaning in an address.
std::string pathSegment(std::string_view text);
/// The sentence an error answer carries ({"message": ...}), or its status.
std::string replyMessage(const HttpReply &reply);
/// An answer that is no 2xx as an error: NotFound, AlreadyExists, LimitExceeded or InvalidArgument.
schema::Error replyError(const HttpReply &reply);

} // namespace worker
