#pragma once
/// The built portal: files of one folder, with cache and security headers; every address that is no
/// file is the portal's own route and gets index.html.

#include "schema/base/result.h"
#include "server/http/call.h"

#include <filesystem>

namespace server::http {

class StaticFiles
{
public:
    /// `folder` holds index.html. Errors: NotFound with the remedy.
    static schema::Result<StaticFiles> open(const std::filesystem::path &folder);

    /// Answer to GET of a path. Files under assets/ have a hash in their name and are cached for
    /// good; `x.gz` beside `x` is sent to callers that take gzip. Errors: NotFound.
    [[nodiscard]] schema::Result<Reply> serve(const Call &call) const;

private:
    explicit StaticFiles(std::filesystem::path folder)
        : m_folder(std::move(folder))
    {}

    std::filesystem::path m_folder; ///< canonical
};

} // namespace server::http
