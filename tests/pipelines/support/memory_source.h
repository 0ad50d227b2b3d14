#pragma once
/// Template files of a test, by "alias:/path" ("self:/t.yml").

#include "pipelines/compile/compiler.h"

#include <map>
#include <string>

namespace tests {

class MemorySource : public pipelines::FileSource
{
public:
    explicit MemorySource(std::map<std::string, std::string> all = {})
        : files(std::move(all))
    {}

    schema::Result<std::string> read(const std::string &alias, const schema::RepositoryResource *,
                                     const std::string &path) override
    {
        const auto found = files.find(alias + ":" + path);
        if (found == files.end())
            return schema::Error{schema::ErrorCode::NotFound, "no such file in the test"};
        return found->second;
    }

    std::map<std::string, std::string> files;
};

} // namespace tests
