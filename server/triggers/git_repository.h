#pragma once
/// A git repository with libgit2: files at a commit, commits between two, refs, merges. An object
/// is used by one thread; opening one is cheap. The first use in a process sets
/// libgit2 up, and TLS and SSH libraries with it (2 MiB that a server without repositories does not
/// pay).

#include "schema/base/result.h"
#include "schema/base/time.h"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

struct git_repository;

namespace server::triggers {

struct Commit
{
    std::string id; ///< 40 hexadecimal digits
    std::string message;
    std::string authorName, authorEmail;
    schema::TimePoint at; ///< author's time
    std::vector<std::string> parents;
};

struct Ref
{
    std::string name;   ///< "refs/heads/main"
    std::string commit; ///< peeled to a commit
};

/// A trial merge: the commit, or the paths that conflict (at most 100).
struct Merge
{
    std::string commit;
    std::vector<std::string> conflicts;
};

struct TreeItem
{
    std::string path; ///< begins with '/'
    std::string id;
    bool isFolder = false;
};

/// First line of a commit message.
std::string firstLine(std::string_view message);

class GitRepository
{
public:
    /// Errors: NotFound, Io.
    static schema::Result<GitRepository> open(const std::filesystem::path &folder);
    /// Makes an empty bare repository whose HEAD is `defaultBranch` (full ref). Errors: Io.
    static schema::Status createBare(const std::filesystem::path &folder,
                                     const std::string &defaultBranch);

    /// Commit of a full ref, a branch or tag name, or an (abbreviated) commit id. Errors: NotFound.
    schema::Result<std::string> resolve(const std::string &revision) const;
    schema::Result<Commit> commit(const std::string &id) const;
    /// Text of a file at a commit; `path` begins with '/'. Errors: NotFound, LimitExceeded.
    schema::Result<std::string> readFile(const std::string &commit, const std::string &path,
                                         std::size_t maxBytes) const;
    /// Files and folders directly in `path`, or all below it. Errors: NotFound, LimitExceeded.
    schema::Result<std::vector<TreeItem>> list(const std::string &commit, const std::string &path,
                                               bool recursive, std::size_t limit) const;
    /// Branches and tags.
    schema::Result<std::vector<Ref>> refs() const;
    /// Commits reachable from `to` and not from `from` (empty: from the beginning), newest first,
    /// at most `limit`.
    schema::Result<std::vector<Commit>>
    commitsBetween(const std::string &from, const std::string &to, std::size_t limit) const;
    /// Paths (with leading '/') that differ between two commits; `from` empty: all files of `to`.
    schema::Result<std::vector<std::string>> changedPaths(const std::string &from,
                                                          const std::string &to) const;
    /// True when `ancestor` is an ancestor of `commit`.
    schema::Result<bool> isAncestor(const std::string &ancestor, const std::string &commit) const;
    /// Best common ancestor, empty when there is none.
    schema::Result<std::string> mergeBase(const std::string &one, const std::string &other) const;

    /// Merges `source` into `target` without moving a ref; the same merge has the same id. Errors:
    /// NotFound, Io.
    schema::Result<Merge> merge(const std::string &target, const std::string &source,
                                const std::string &message) const;
    /// Sets a ref, only from `expected` unless that is empty. Errors: Conflict (moved meanwhile).
    schema::Status setRef(const std::string &name, const std::string &commit,
                          const std::string &expected) const;
    schema::Status removeRef(const std::string &name) const;

private:
    struct Free
    {
        void operator()(git_repository *repository) const;
    };

    explicit GitRepository(git_repository *handle)
        : m_handle(handle)
    {}

    std::unique_ptr<git_repository, Free> m_handle;
};

} // namespace server::triggers
