#include "worker/tasks/local_history.h"

#include "worker/base/text.h"

namespace worker {
namespace {

constexpr std::size_t kMostIndex = 1U << 30U;

/// Where a tree's repository is: `own` has HEAD and index, `common` what worktrees share.
struct Repository
{
    fs::path own, common;
};

/// The path on the first line of a file, made absolute; empty when there is none.
fs::path pathIn(const fs::path &file, std::string_view prefix, const fs::path &base)
{
    const auto text = readFile(file, 1U << 16U);
    if (!text || !text->starts_with(prefix))
        return {};
    const auto path = trimmed(text->substr(prefix.size()));
    return path.empty() ? fs::path() : (base / path).lexically_normal();
}

Repository repositoryOf(const fs::path &root)
{
    std::error_code ignored;
    Repository out;
    out.own = fs::is_directory(root / ".git", ignored) ? root / ".git"
                                                       : pathIn(root / ".git", "gitdir: ", root);
    if (out.own.empty())
        return {};
    out.common = pathIn(out.own / "commondir", "", out.own);
    if (out.common.empty())
        out.common = out.own;
    // Another format of references, or another hash, needs settings that are not copied.
    const auto config = readFile(out.common / "config", 1U << 20U);
    if (!config || toLower(*config).find("[extensions]") != std::string::npos ||
        !fs::is_directory(out.common / "objects", ignored))
        return {};
    return out;
}

Status copyIfThere(const fs::path &from, const fs::path &to)
{
    std::error_code error;
    if (!fs::is_regular_file(from, error))
        return {};
    ASSIGN_OR_RETURN(const auto text, readFile(from, kMostIndex));
    return writeFile(to, text);
}

} // namespace

fs::path objectsOf(const fs::path &root)
{
    const auto repository = repositoryOf(root);
    return repository.common.empty() ? fs::path() : repository.common / "objects";
}

Status lendHistory(const fs::path &root, const fs::path &copy)
{
    const auto repository = repositoryOf(root);
    if (repository.common.empty())
        return {};
    const fs::path git = copy / ".git";
    RETURN_IF_ERROR(makeDirectories(git / "objects" / "info"));
    RETURN_IF_ERROR(makeDirectories(git / "refs"));
    RETURN_IF_ERROR(writeFile(git / "config", "[core]\n\trepositoryformatversion = 0\n"
                                              "\tfilemode = true\n\tbare = false\n"));
    RETURN_IF_ERROR(writeFile(git / "objects" / "info" / "alternates",
                              (repository.common / "objects").string() + "\n"));
    for (const char *name : {"HEAD", "index"})
        RETURN_IF_ERROR(copyIfThere(repository.own / name, git / name));
    for (const char *name : {"packed-refs", "shallow"})
        RETURN_IF_ERROR(copyIfThere(repository.common / name, git / name));
    const fs::path refs = repository.common / "refs";
    std::error_code error;
    for (fs::recursive_directory_iterator it(refs, error), end; !error && it != end;
         it.increment(error)) {
        std::error_code gone;
        const bool isFolder = it->is_directory(gone);
        if (gone || it->path().extension() == ".lock")
            continue;
        const auto to = git / "refs" / it->path().lexically_relative(refs);
        RETURN_IF_ERROR(makeDirectories(isFolder ? to : to.parent_path()));
        RETURN_IF_ERROR(copyIfThere(it->path(), to));
    }
    return error ? Status(systemError("read", refs, error.value())) : Status();
}

} // namespace worker
