#include "worker/glob/glob.h"

#include "worker/base/text.h"

#include <algorithm>
#include <map>
#include <set>
#include <sys/stat.h>

namespace worker {
namespace {

constexpr std::size_t kMaxWork = 1'000'000;
constexpr std::size_t kMaxEntries = 1'000'000;

/// Matcher with a budget: patterns come from users, and extended globs can explode.
class Matcher
{
public:
    bool match(std::string_view pattern, std::string_view text)
    {
        if (++m_work > kMaxWork)
            return false;
        while (!pattern.empty()) {
            if (isExtended(pattern))
                return matchExtended(pattern, text);
            const char c = pattern.front();
            if (c == '*')
                return matchStar(pattern, text);
            if (text.empty())
                return false;
            if (c == '?') {
                if (text.front() == '/')
                    return false;
                pattern.remove_prefix(1);
            } else if (c == '[') {
                std::size_t used = 0;
                if (!matchSet(pattern, text.front(), used))
                    return false;
                pattern.remove_prefix(used);
            } else {
                if (c == '\\' && pattern.size() > 1)
                    pattern.remove_prefix(1);
                if (pattern.front() != text.front())
                    return false;
                pattern.remove_prefix(1);
            }
            text.remove_prefix(1);
        }
        return text.empty();
    }

private:
    static bool isExtended(std::string_view pattern)
    {
        return pattern.size() > 1 && pattern[1] == '(' &&
               std::string_view("@?*+!").find(pattern[0]) != std::string_view::npos &&
               closing(pattern) != std::string_view::npos;
    }

    static std::size_t closing(std::string_view pattern)
    {
        int depth = 0;
        for (std::size_t i = 1; i < pattern.size(); ++i) {
            if (pattern[i] == '(')
                ++depth;
            else if (pattern[i] == ')' && --depth == 0)
                return i;
        }
        return std::string_view::npos;
    }

    bool matchStar(std::string_view pattern, std::string_view text)
    {
        if (pattern.starts_with("**/")) {
            // Zero or more folders.
            auto rest = pattern.substr(3);
            if (match(rest, text))
                return true;
            for (std::size_t i = 0; i < text.size(); ++i) {
                if (text[i] == '/' && match(rest, text.substr(i + 1)))
                    return true;
            }
            return false;
        }
        if (pattern == "**")
            return true;
        const bool crosses = pattern.starts_with("**");
        const auto rest = pattern.substr(crosses ? 2 : 1);
        for (std::size_t i = 0;; ++i) {
            if (match(rest, text.substr(i)))
                return true;
            if (i == text.size() || (!crosses && text[i] == '/'))
                return false;
        }
    }

    static bool matchSet(std::string_view pattern, char c, std::size_t &used)
    {
        std::size_t i = 1;
        const bool negated = i < pattern.size() && (pattern[i] == '!' || pattern[i] == '^');
        if (negated)
            ++i;
        bool hit = false;
        const std::size_t first = i;
        while (i < pattern.size() && (pattern[i] != ']' || i == first)) {
            if (i + 2 < pattern.size() && pattern[i + 1] == '-' && pattern[i + 2] != ']') {
                hit |= c >= pattern[i] && c <= pattern[i + 2];
                i += 3;
            } else {
                hit |= c == pattern[i];
                ++i;
            }
        }
        if (i >= pattern.size()) { // no closing bracket: an ordinary character
            used = 1;
            return c == '[';
        }
        used = i + 1;
        return c != '/' && hit != negated;
    }

    bool matchExtended(std::string_view pattern, std::string_view text)
    {
        const char kind = pattern[0];
        const auto end = closing(pattern);
        const auto rest = pattern.substr(end + 1);
        std::vector<std::string_view> choices;
        int depth = 0;
        std::size_t from = 2;
        for (std::size_t i = 2; i <= end; ++i) {
            if (pattern[i] == '(')
                ++depth;
            else if (i == end || (pattern[i] == '|' && depth == 0)) {
                choices.push_back(pattern.substr(from, i - from));
                from = i + 1;
            } else if (pattern[i] == ')')
                --depth;
        }
        if ((kind == '?' || kind == '*') && match(rest, text))
            return true;
        for (std::size_t length = 0; length <= text.size(); ++length) {
            const auto head = text.substr(0, length);
            const auto tail = text.substr(length);
            const bool any = std::any_of(choices.begin(), choices.end(),
                                         [&](auto choice) { return match(choice, head); });
            if (kind == '!') {
                if (!any && head.find('/') == std::string_view::npos && match(rest, tail))
                    return true;
            } else if (any) {
                if (match(rest, tail))
                    return true;
                if ((kind == '*' || kind == '+') && length > 0) {
                    const std::string again = "*" + std::string(pattern.substr(1, end));
                    if (match(again + std::string(rest), tail))
                        return true;
                }
            }
            if (m_work > kMaxWork)
                return false;
        }
        return false;
    }

    std::size_t m_work = 0;
};

struct Visited
{
    dev_t device;
    ino_t inode;
    auto operator<=>(const Visited &) const = default;
};

/// All entries below `folder`, folder included; every real folder once per path, no cycles.
class Walk
{
public:
    Status walk(const fs::path &path)
    {
        struct stat info{};
        if (::stat(path.c_str(), &info) != 0)
            return {}; // a broken link
        const bool directory = S_ISDIR(info.st_mode);
        if (m_entries.size() >= kMaxEntries)
            return {ErrorCode::LimitExceeded,
                    "more than a million files below the search folder; narrow the pattern"};
        m_entries.emplace_back(path.string(), directory);
        if (!directory)
            return {};
        if (!m_open.insert({info.st_dev, info.st_ino}).second)
            return {}; // a link back up
        std::error_code error;
        for (fs::directory_iterator it(path, fs::directory_options::skip_permission_denied, error),
             end;
             !error && it != end; it.increment(error))
            RETURN_IF_ERROR(walk(it->path()));
        m_open.erase({info.st_dev, info.st_ino});
        if (error)
            return systemError("search", path, error.value());
        return {};
    }

    std::vector<std::pair<std::string, bool>> m_entries;

private:
    std::set<Visited> m_open;
};

/// The folder a pattern's search starts in: everything before the first component with a glob.
fs::path literalPrefix(const std::string &pattern)
{
    const auto glob = pattern.find_first_of("*?[");
    std::size_t extended = std::string::npos;
    for (std::size_t i = 0; i + 1 < pattern.size(); ++i) {
        if (pattern[i + 1] == '(' &&
            std::string_view("@+!").find(pattern[i]) != std::string::npos) {
            extended = i;
            break;
        }
    }
    const auto first = std::min(glob, extended);
    if (first == std::string::npos)
        return pattern;
    const auto slash = pattern.rfind('/', first);
    return slash == std::string::npos ? fs::path(".") : fs::path(pattern.substr(0, slash + 1));
}

} // namespace

bool matchesGlob(std::string_view pattern, std::string_view text)
{
    return Matcher().match(pattern, text);
}

bool hasGlob(std::string_view text)
{
    return text.find_first_of("*?[") != std::string_view::npos;
}

Result<std::vector<std::string>> findMatches(const fs::path &root,
                                             const std::vector<std::string> &patterns,
                                             const FindOptions &options)
{
    std::set<std::string> found;
    const std::string base = fs::path(root).lexically_normal().string();
    for (const auto &line : patterns) {
        std::string pattern = trimmed(line);
        if (pattern.empty() || pattern.front() == '#')
            continue;
        bool exclude = false;
        while (pattern.starts_with("!") && !pattern.starts_with("!(")) {
            exclude = !exclude;
            pattern.erase(0, 1);
        }
        pattern = trimmed(pattern);
        const bool byName = options.matchBase && pattern.find('/') == std::string::npos;
        const bool rooted = pattern.starts_with('/');
        const std::string full = rooted ? fs::path(pattern).lexically_normal().string()
                                        : (fs::path(base) / pattern).lexically_normal().string();
        const auto matches = [&](const std::string &path) {
            if (byName)
                return matchesGlob(pattern, fs::path(path).filename().string());
            // The root itself is literal, whatever characters are in it.
            if (!rooted && path.starts_with(base))
                return matchesGlob(fs::path(pattern).lexically_normal().string(),
                                   path.substr(std::min(
                                       path.size(), base.size() + (base.ends_with('/') ? 0 : 1))));
            return matchesGlob(full, path);
        };
        if (exclude) {
            std::erase_if(found, matches);
            continue;
        }
        Walk walk;
        const fs::path start =
            byName || (!rooted && literalPrefix(pattern) == ".")
                ? fs::path(base)
                : (rooted ? literalPrefix(full) : fs::path(base) / literalPrefix(pattern));
        RETURN_IF_ERROR(walk.walk(start.lexically_normal()));
        for (auto &[path, directory] : walk.m_entries) {
            if (path.size() > 1 && path.ends_with('/'))
                path.pop_back();
            if ((options.directories || !directory) && (path == full || matches(path)))
                found.insert(path);
        }
    }
    return std::vector<std::string>(found.begin(), found.end());
}

} // namespace worker
