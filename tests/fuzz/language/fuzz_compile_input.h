#pragma once
/// Several files from one input: parts separated by a line "%%% PATH"; the first is the entry.

#include "pipelines/compile/compiler.h"

#include <map>
#include <string>
#include <string_view>

namespace fuzz {

class Files : public pipelines::FileSource
{
public:
    explicit Files(std::string_view input)
    {
        constexpr std::string_view kMark = "\n%%% ";
        std::string name;
        while (true) {
            const std::size_t at = input.find(kMark);
            const std::string_view text = input.substr(0, at);
            if (name.empty())
                entry = text;
            else
                m_files[name] = text;
            if (at == std::string_view::npos)
                return;
            input.remove_prefix(at + kMark.size());
            const std::size_t end = input.find('\n');
            name = "/" + std::string(input.substr(0, end));
            input = end == std::string_view::npos ? std::string_view{} : input.substr(end + 1);
        }
    }

    schema::Result<std::string> read(const std::string &, const schema::RepositoryResource *,
                                     const std::string &path) override
    {
        const auto found = m_files.find(path);
        if (found == m_files.end())
            return schema::Error{schema::ErrorCode::NotFound, "not in the input"};
        return found->second;
    }

    std::string entry;

private:
    std::map<std::string, std::string> m_files;
};

/// Limits that keep one input short; the defaults are for people.
inline pipelines::Limits shortLimits()
{
    pipelines::Limits limits;
    limits.maxFileBytes = 1U << 20U;
    limits.maxExpandedNodes = 20'000;
    return limits;
}

} // namespace fuzz
