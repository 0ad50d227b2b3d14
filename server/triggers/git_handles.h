#pragma once
/// libgit2's objects with owners, and its errors as ours: what the files of GitRepository share.
/// Only they may include this: it brings git2.h in.

#include "schema/base/result.h"

#include <git2.h>

#include <memory>
#include <string>

namespace server::triggers {

/// Deleter of any libgit2 object.
template <auto Free> struct Releaser
{
    template <typename T> void operator()(T *object) const { Free(object); }
};

template <typename T, auto Free> using Handle = std::unique_ptr<T, Releaser<Free>>;
using CommitHandle = Handle<git_commit, git_commit_free>;
using TreeHandle = Handle<git_tree, git_tree_free>;
using ReferenceHandle = Handle<git_reference, git_reference_free>;

/// The calling thread's last error of libgit2 as "DOING: its message". `code`: what the function
/// returned; NotFound, Conflict (a ref was moved meanwhile) or Io.
schema::Error gitError(const std::string &doing, int code);

/// 40 hexadecimal digits.
std::string textOf(const git_oid &id);

/// Errors: InvalidArgument (no commit id), NotFound, Io. The repository must outlive the handle.
schema::Result<CommitHandle> lookupCommit(git_repository *repository, const std::string &id);

} // namespace server::triggers
