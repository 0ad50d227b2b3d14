#pragma once
/// Git's smart HTTP protocol, carried out by git's own `git http-backend`.

#include "schema/base/result.h"
#include "server/http/call.h"

#include <filesystem>
#include <functional>
#include <string>

namespace server::http {

struct GitRequest
{
    std::filesystem::path root; ///< folder that holds the repository's folder
    std::string pathInfo;       ///< "/<folder>/info/refs"
    std::string user;           ///< REMOTE_USER; pushing needs one
    bool mayPush = false;
    std::function<void()> pushed; ///< called after a push, before the pusher is answered
};

/// True for the requests that change the repository.
bool isPush(const Call &call, const std::string &rest);

/// Runs the backend for the call; body and answer are streamed. Errors: Unavailable when git is not
/// installed; PermissionDenied for a push without the right.
schema::Result<Reply> runGitBackend(Call &call, const GitRequest &request);

} // namespace server::http
