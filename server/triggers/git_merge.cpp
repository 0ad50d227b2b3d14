// The part of GitRepository that writes: merge commits of pull requests and refs.
#include "server/triggers/git_handles.h"
#include "server/triggers/git_repository.h"

namespace server::triggers {

using schema::ErrorCode;
using schema::Result;
using schema::Status;

namespace {

using IndexHandle = Handle<git_index, git_index_free>;
using ConflictHandle = Handle<git_index_conflict_iterator, git_index_conflict_iterator_free>;
using SignatureHandle = Handle<git_signature, git_signature_free>;

constexpr std::size_t kMostConflicts = 100;

std::vector<std::string> conflictsOf(git_index *index)
{
    std::vector<std::string> out;
    git_index_conflict_iterator *raw = nullptr;
    if (git_index_conflict_iterator_new(&raw, index) != 0)
        return out;
    const ConflictHandle iterator(raw);
    const git_index_entry *ancestor = nullptr;
    const git_index_entry *ours = nullptr;
    const git_index_entry *theirs = nullptr;
    while (out.size() < kMostConflicts &&
           git_index_conflict_next(&ancestor, &ours, &theirs, raw) == 0)
        for (const git_index_entry *entry : {ours, theirs, ancestor})
            if (entry) {
                out.push_back("/" + std::string(entry->path));
                break;
            }
    return out;
}

} // namespace

Result<Merge> GitRepository::merge(const std::string &target, const std::string &source,
                                   const std::string &message) const
{
    ASSIGN_OR_RETURN(const auto ours, lookupCommit(m_handle.get(), target));
    ASSIGN_OR_RETURN(const auto theirs, lookupCommit(m_handle.get(), source));
    git_index *rawIndex = nullptr;
    if (const int code =
            git_merge_commits(&rawIndex, m_handle.get(), ours.get(), theirs.get(), nullptr);
        code != 0)
        return gitError("merge " + source + " into " + target, code);
    const IndexHandle index(rawIndex);
    if (git_index_has_conflicts(index.get()))
        return Merge{{}, conflictsOf(index.get())};
    git_oid treeId;
    if (const int code = git_index_write_tree_to(&treeId, index.get(), m_handle.get()); code != 0)
        return gitError("merge " + source + " into " + target, code);
    git_tree *rawTree = nullptr;
    if (const int code = git_tree_lookup(&rawTree, m_handle.get(), &treeId); code != 0)
        return gitError("merge " + source + " into " + target, code);
    const TreeHandle tree(rawTree);
    // Time of the source, not of the clock: the same merge has the same id, however often it is
    // made.
    const git_signature *author = git_commit_author(theirs.get());
    git_signature *rawSignature = nullptr;
    if (const int code = git_signature_new(&rawSignature, "Slipway", "slipway@localhost",
                                           author ? author->when.time : 0, 0);
        code != 0)
        return gitError("sign the merge", code);
    const SignatureHandle signature(rawSignature);
    const git_commit *parents[] = {ours.get(), theirs.get()};
    git_oid id;
    if (const int code =
            git_commit_create(&id, m_handle.get(), nullptr, signature.get(), signature.get(),
                              "UTF-8", message.c_str(), tree.get(), 2, parents);
        code != 0)
        return gitError("merge " + source + " into " + target, code);
    return Merge{textOf(id), {}};
}

Status GitRepository::setRef(const std::string &name, const std::string &commit,
                             const std::string &expected) const
{
    git_oid id;
    git_oid before;
    if (git_oid_fromstr(&id, commit.c_str()) != 0 ||
        (!expected.empty() && git_oid_fromstr(&before, expected.c_str()) != 0))
        return {ErrorCode::InvalidArgument, "'" + commit + "' is not a commit id"};
    git_reference *raw = nullptr;
    const int code = git_reference_create_matching(&raw, m_handle.get(), name.c_str(), &id, 1,
                                                   expected.empty() ? nullptr : &before, nullptr);
    const ReferenceHandle reference(raw);
    if (code == GIT_EMODIFIED)
        return {ErrorCode::Conflict, name + " was moved meanwhile"};
    return code != 0 ? Status(gitError("set " + name, code)) : Status();
}

Status GitRepository::removeRef(const std::string &name) const
{
    const int code = git_reference_remove(m_handle.get(), name.c_str());
    return code != 0 && code != GIT_ENOTFOUND ? Status(gitError("remove " + name, code)) : Status();
}

} // namespace server::triggers
