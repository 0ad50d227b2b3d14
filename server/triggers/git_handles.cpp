#include "server/triggers/git_handles.h"

namespace server::triggers {

using schema::ErrorCode;

schema::Error gitError(const std::string &doing, int code)
{
    const git_error *last = git_error_last();
    const ErrorCode kind = code == GIT_ENOTFOUND   ? ErrorCode::NotFound
                           : code == GIT_EMODIFIED ? ErrorCode::Conflict
                                                   : ErrorCode::Io;
    return {kind, doing + ": " + (last && last->message ? last->message : "unknown git error")};
}

std::string textOf(const git_oid &id)
{
    char text[GIT_OID_HEXSZ + 1] = {};
    git_oid_tostr(text, sizeof text, &id);
    return text;
}

schema::Result<CommitHandle> lookupCommit(git_repository *repository, const std::string &id)
{
    git_oid oid;
    if (git_oid_fromstr(&oid, id.c_str()) != 0)
        return {ErrorCode::InvalidArgument, "'" + id + "' is not a commit id"};
    git_commit *commit = nullptr;
    if (const int code = git_commit_lookup(&commit, repository, &oid); code != 0)
        return gitError("commit " + id, code);
    return CommitHandle(commit);
}

} // namespace server::triggers
