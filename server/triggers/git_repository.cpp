#include "server/triggers/git_repository.h"

#include "server/triggers/git_handles.h"

#include <algorithm>

namespace server::triggers {

using schema::ErrorCode;
using schema::Result;
using schema::Status;

namespace {

/// libgit2's state belongs to the process; made at the first use, from whichever thread.
void ensureLibrary()
{
    struct Library
    {
        Library() { git_libgit2_init(); }

        ~Library() { git_libgit2_shutdown(); }

        Library(const Library &) = delete;
        Library &operator=(const Library &) = delete;
    };

    static const Library library;
}

using ObjectHandle = Handle<git_object, git_object_free>;
using EntryHandle = Handle<git_tree_entry, git_tree_entry_free>;
using BlobHandle = Handle<git_blob, git_blob_free>;
using WalkHandle = Handle<git_revwalk, git_revwalk_free>;
using DiffHandle = Handle<git_diff, git_diff_free>;
using IteratorHandle = Handle<git_reference_iterator, git_reference_iterator_free>;

Result<TreeHandle> treeOf(git_repository *repository, const std::string &commitId)
{
    ASSIGN_OR_RETURN(const auto commit, lookupCommit(repository, commitId));
    git_tree *tree = nullptr;
    if (const int code = git_commit_tree(&tree, commit.get()); code != 0)
        return gitError("tree of " + commitId, code);
    return TreeHandle(tree);
}

Commit valueOf(git_commit *commit)
{
    Commit out;
    out.id = textOf(*git_commit_id(commit));
    if (const char *message = git_commit_message(commit))
        out.message = message;
    if (const git_signature *author = git_commit_author(commit)) {
        out.authorName = author->name ? author->name : "";
        out.authorEmail = author->email ? author->email : "";
        out.at = schema::fromEpochMillis(static_cast<std::int64_t>(author->when.time) * 1000);
    }
    for (unsigned int i = 0; i < git_commit_parentcount(commit); ++i)
        out.parents.push_back(textOf(*git_commit_parent_id(commit, i)));
    return out;
}

std::string_view withoutSlash(std::string_view path)
{
    while (!path.empty() && path.front() == '/')
        path.remove_prefix(1);
    while (!path.empty() && path.back() == '/')
        path.remove_suffix(1);
    return path;
}

struct Listing
{
    std::vector<TreeItem> items;
    std::string prefix;
    std::size_t limit = 0;
};

int addToListing(const char *root, const git_tree_entry *entry, void *payload)
{
    auto &listing = *static_cast<Listing *>(payload);
    if (listing.items.size() >= listing.limit)
        return GIT_EUSER;
    listing.items.push_back({listing.prefix + root + git_tree_entry_name(entry),
                             textOf(*git_tree_entry_id(entry)),
                             git_tree_entry_type(entry) == GIT_OBJECT_TREE});
    return 0;
}

} // namespace

std::string firstLine(std::string_view message)
{
    return std::string(message.substr(0, message.find_first_of("\r\n")));
}

void GitRepository::Free::operator()(git_repository *repository) const
{
    git_repository_free(repository);
}

Result<GitRepository> GitRepository::open(const std::filesystem::path &folder)
{
    ensureLibrary();
    git_repository *repository = nullptr;
    const int code = git_repository_open_ext(&repository, folder.c_str(),
                                             GIT_REPOSITORY_OPEN_NO_SEARCH, nullptr);
    if (code != 0)
        return gitError("open repository '" + folder.filename().string() + "'", code);
    return GitRepository(repository);
}

Status GitRepository::createBare(const std::filesystem::path &folder,
                                 const std::string &defaultBranch)
{
    ensureLibrary();
    git_repository_init_options options = GIT_REPOSITORY_INIT_OPTIONS_INIT;
    options.flags =
        GIT_REPOSITORY_INIT_BARE | GIT_REPOSITORY_INIT_MKPATH | GIT_REPOSITORY_INIT_NO_REINIT;
    options.initial_head = defaultBranch.c_str();
    git_repository *repository = nullptr;
    if (const int code = git_repository_init_ext(&repository, folder.c_str(), &options); code != 0)
        return gitError("create repository '" + folder.string() + "'", code);
    git_repository_free(repository);
    return {};
}

Result<std::string> GitRepository::resolve(const std::string &revision) const
{
    for (const std::string &candidate :
         {revision, "refs/heads/" + revision, "refs/tags/" + revision}) {
        git_object *object = nullptr;
        const std::string spec = candidate + "^{commit}";
        if (git_revparse_single(&object, m_handle.get(), spec.c_str()) == 0) {
            const ObjectHandle handle(object);
            return textOf(*git_object_id(object));
        }
    }
    return {ErrorCode::NotFound, "the repository has no branch, tag or commit '" + revision + "'"};
}

Result<Commit> GitRepository::commit(const std::string &id) const
{
    ASSIGN_OR_RETURN(const auto handle, lookupCommit(m_handle.get(), id));
    return valueOf(handle.get());
}

Result<std::string> GitRepository::readFile(const std::string &commit, const std::string &path,
                                            std::size_t maxBytes) const
{
    ASSIGN_OR_RETURN(const auto tree, treeOf(m_handle.get(), commit));
    const schema::Error missing{ErrorCode::NotFound,
                                "no file '" + path + "' at commit " + commit.substr(0, 8)};
    const std::string relative(withoutSlash(path));
    git_tree_entry *found = nullptr;
    if (relative.empty() || git_tree_entry_bypath(&found, tree.get(), relative.c_str()) != 0)
        return missing;
    const EntryHandle entry(found);
    if (git_tree_entry_type(found) != GIT_OBJECT_BLOB)
        return missing;
    git_blob *object = nullptr;
    if (const int code = git_blob_lookup(&object, m_handle.get(), git_tree_entry_id(entry.get()));
        code != 0)
        return gitError("read '" + path + "'", code);
    const BlobHandle blob(object);
    const auto size = static_cast<std::size_t>(git_blob_rawsize(blob.get()));
    if (size > maxBytes)
        return {ErrorCode::LimitExceeded,
                "'" + path + "' is larger than " + std::to_string(maxBytes) + " bytes"};
    return std::string(static_cast<const char *>(git_blob_rawcontent(blob.get())), size);
}

Result<std::vector<TreeItem>> GitRepository::list(const std::string &commit,
                                                  const std::string &path, bool recursive,
                                                  std::size_t limit) const
{
    ASSIGN_OR_RETURN(auto tree, treeOf(m_handle.get(), commit));
    Listing listing{{}, "/", limit};
    const std::string relative(withoutSlash(path));
    if (!relative.empty()) {
        git_tree_entry *found = nullptr;
        if (git_tree_entry_bypath(&found, tree.get(), relative.c_str()) != 0)
            return {ErrorCode::NotFound, "no folder '" + path + "'"};
        const EntryHandle entry(found);
        git_tree *sub = nullptr;
        if (git_tree_lookup(&sub, m_handle.get(), git_tree_entry_id(found)) != 0)
            return {ErrorCode::NotFound, "'" + path + "' is not a folder"};
        tree.reset(sub);
        listing.prefix = "/" + relative + "/";
    }
    if (recursive) {
        const int code = git_tree_walk(tree.get(), GIT_TREEWALK_PRE, addToListing, &listing);
        if (code == GIT_EUSER)
            return {ErrorCode::LimitExceeded,
                    "more than " + std::to_string(limit) + " files; ask for a folder"};
        if (code != 0)
            return gitError("list '" + path + "'", code);
        return std::move(listing.items);
    }
    for (std::size_t i = 0; i < git_tree_entrycount(tree.get()); ++i)
        if (addToListing("", git_tree_entry_byindex(tree.get(), i), &listing) != 0)
            return {ErrorCode::LimitExceeded, "more than " + std::to_string(limit) + " files"};
    return std::move(listing.items);
}

Result<std::vector<Ref>> GitRepository::refs() const
{
    git_reference_iterator *raw = nullptr;
    if (const int code = git_reference_iterator_new(&raw, m_handle.get()); code != 0)
        return gitError("list refs", code);
    const IteratorHandle iterator(raw);
    std::vector<Ref> out;
    git_reference *next = nullptr;
    while (git_reference_next(&next, iterator.get()) == 0) {
        const ReferenceHandle reference(next);
        const std::string name = git_reference_name(next);
        if (!name.starts_with("refs/heads/") && !name.starts_with("refs/tags/"))
            continue;
        git_object *object = nullptr;
        // A ref to something that is no commit (a tagged blob) is of no interest here.
        if (git_reference_peel(&object, next, GIT_OBJECT_COMMIT) != 0)
            continue;
        const ObjectHandle handle(object);
        out.push_back({name, textOf(*git_object_id(object))});
    }
    std::sort(out.begin(), out.end(), [](const Ref &a, const Ref &b) { return a.name < b.name; });
    return out;
}

Result<std::vector<Commit>> GitRepository::commitsBetween(const std::string &from,
                                                          const std::string &to,
                                                          std::size_t limit) const
{
    git_revwalk *raw = nullptr;
    if (const int code = git_revwalk_new(&raw, m_handle.get()); code != 0)
        return gitError("walk commits", code);
    const WalkHandle walk(raw);
    git_revwalk_sorting(walk.get(), GIT_SORT_TOPOLOGICAL | GIT_SORT_TIME);
    git_oid id;
    if (git_oid_fromstr(&id, to.c_str()) != 0)
        return {ErrorCode::InvalidArgument, "'" + to + "' is not a commit id"};
    if (const int code = git_revwalk_push(walk.get(), &id); code != 0)
        return gitError("commit " + to, code);
    // An unknown `from` (pushed away) hides nothing: the caller sees the newest commits.
    if (!from.empty() && git_oid_fromstr(&id, from.c_str()) == 0)
        git_revwalk_hide(walk.get(), &id);
    std::vector<Commit> out;
    while (out.size() < limit && git_revwalk_next(&id, walk.get()) == 0) {
        git_commit *commit = nullptr;
        if (const int code = git_commit_lookup(&commit, m_handle.get(), &id); code != 0)
            return gitError("commit", code);
        const CommitHandle handle(commit);
        out.push_back(valueOf(commit));
    }
    return out;
}

Result<std::vector<std::string>> GitRepository::changedPaths(const std::string &from,
                                                             const std::string &to) const
{
    TreeHandle before;
    if (!from.empty()) {
        auto tree = treeOf(m_handle.get(), from);
        if (tree)
            before = std::move(*tree);
    }
    ASSIGN_OR_RETURN(const auto after, treeOf(m_handle.get(), to));
    git_diff *raw = nullptr;
    git_diff_options options = GIT_DIFF_OPTIONS_INIT;
    options.flags = GIT_DIFF_SKIP_BINARY_CHECK;
    if (const int code =
            git_diff_tree_to_tree(&raw, m_handle.get(), before.get(), after.get(), &options);
        code != 0)
        return gitError("compare commits", code);
    const DiffHandle diff(raw);
    std::vector<std::string> out;
    const auto add = [&out](const char *path) {
        if (path && (out.empty() || out.back() != std::string("/") + path))
            out.push_back(std::string("/") + path);
    };
    for (std::size_t i = 0; i < git_diff_num_deltas(diff.get()); ++i) {
        const git_diff_delta *delta = git_diff_get_delta(diff.get(), i);
        add(delta->old_file.path);
        add(delta->new_file.path);
    }
    return out;
}

Result<bool> GitRepository::isAncestor(const std::string &ancestor, const std::string &commit) const
{
    git_oid old;
    git_oid now;
    if (git_oid_fromstr(&old, ancestor.c_str()) != 0 || git_oid_fromstr(&now, commit.c_str()) != 0)
        return {ErrorCode::InvalidArgument, "not a commit id"};
    const int answer = git_graph_descendant_of(m_handle.get(), &now, &old);
    if (answer < 0)
        return gitError("compare commits", answer);
    return answer == 1;
}

Result<std::string> GitRepository::mergeBase(const std::string &one, const std::string &other) const
{
    git_oid a;
    git_oid b;
    git_oid base;
    if (git_oid_fromstr(&a, one.c_str()) != 0 || git_oid_fromstr(&b, other.c_str()) != 0)
        return {ErrorCode::InvalidArgument, "not a commit id"};
    const int code = git_merge_base(&base, m_handle.get(), &a, &b);
    if (code == GIT_ENOTFOUND)
        return std::string();
    if (code != 0)
        return gitError("compare commits", code);
    return textOf(base);
}

} // namespace server::triggers
