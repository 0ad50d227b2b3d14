#include "server/http/static_files.h"

#include "server/http/content.h"
#include "server/http/file_body.h"

#include <array>
#include <sys/stat.h>

namespace server::http {

using schema::ErrorCode;
using schema::Result;

namespace {

// Scripts, styles and connections only from the server itself. Fluent UI inserts style elements at
// run time, hence 'unsafe-inline' for styles and nothing else.
constexpr const char *kContentSecurityPolicy =
    "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' "
    "data:; font-src 'self' data:; connect-src 'self'; worker-src 'self' blob:; object-src "
    "'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'";

std::string_view mediaType(const std::filesystem::path &file)
{
    static constexpr std::array<std::pair<std::string_view, std::string_view>, 14> kTypes{{
        {".html", "text/html; charset=utf-8"},
        {".js", "text/javascript; charset=utf-8"},
        {".css", "text/css; charset=utf-8"},
        {".json", "application/json; charset=utf-8"},
        {".map", "application/json; charset=utf-8"},
        {".svg", "image/svg+xml"},
        {".png", "image/png"},
        {".ico", "image/x-icon"},
        {".woff", "font/woff"},
        {".woff2", "font/woff2"},
        {".ttf", "font/ttf"},
        {".txt", "text/plain; charset=utf-8"},
        {".webmanifest", "application/manifest+json"},
        {".wasm", "application/wasm"},
    }};
    const std::string extension = file.extension().string();
    for (const auto &[ending, type] : kTypes)
        if (ending == extension)
            return type;
    return "application/octet-stream";
}

/// A file beside index.html that browsers ask for by themselves or the page names, not a project.
bool isAssetName(const std::filesystem::path &file)
{
    return mediaType(file) != "application/octet-stream" && file.extension() != ".html";
}

/// Size and modification time of a regular file.
struct FileState
{
    std::uint64_t size = 0;
    std::string tag; ///< ETag; weak, as the compressed file beside it is sent with the same one
};

std::optional<FileState> stateOf(const std::filesystem::path &file)
{
    struct stat status = {};
    if (::stat(file.c_str(), &status) != 0 || !S_ISREG(status.st_mode))
        return std::nullopt;
    return FileState{static_cast<std::uint64_t>(status.st_size),
                     "W/\"" + std::to_string(status.st_mtim.tv_sec) + "-" +
                         std::to_string(status.st_mtim.tv_nsec) + "-" +
                         std::to_string(status.st_size) + "\""};
}

} // namespace

Result<StaticFiles> StaticFiles::open(const std::filesystem::path &folder)
{
    std::error_code code;
    const auto canonical = std::filesystem::canonical(folder, code);
    if (code || !stateOf(canonical / "index.html"))
        return {ErrorCode::NotFound, "no portal in '" + folder.string() +
                                         "' (index.html is missing); build it with `./run build` "
                                         "or leave --web out"};
    return StaticFiles(canonical);
}

Result<Reply> StaticFiles::serve(const Call &call) const
{
    std::filesystem::path relative;
    for (const auto &segment : call.target.segments) {
        if (segment == "." || segment == ".." || segment.find('/') != std::string::npos)
            return {ErrorCode::NotFound, "no such page"};
        relative /= segment;
    }
    std::filesystem::path file = m_folder / relative;
    auto state = relative.empty() ? std::nullopt : stateOf(file);
    const bool isAsset = !call.target.segments.empty() && call.target.segments.front() == "assets";
    if (!state) {
        // A missing asset must not become a page: the browser would run HTML as script. Everything
        // else is a page of the portal, names with dots included ("/my.project/pipelines/1.2").
        if (isAsset || (call.target.segments.size() == 1 && isAssetName(relative)))
            return {ErrorCode::NotFound, "no file " + call.target.rawPath};
        file = m_folder / "index.html";
        state = stateOf(file);
        if (!state)
            return {ErrorCode::NotFound, "the portal's index.html is gone"};
    }
    Reply reply;
    reply.contentType = mediaType(file);
    reply.with("ETag", state->tag)
        .with("Cache-Control", isAsset ? "public, max-age=31536000, immutable" : "no-cache")
        .with("Content-Security-Policy", kContentSecurityPolicy)
        .with("Referrer-Policy", "same-origin")
        .with("X-Frame-Options", "DENY")
        .with("Cross-Origin-Opener-Policy", "same-origin")
        .with("Vary", "Accept-Encoding");
    if (namesTag(call.header("If-None-Match"), state->tag)) {
        reply.status = 304;
        return reply;
    }
    std::filesystem::path compressed = file;
    compressed += ".gz";
    if (takesGzip(call)) {
        if (const auto other = stateOf(compressed)) {
            file = compressed;
            reply.with("Content-Encoding", "gzip");
        }
    }
    // Opened here: what another program puts in its place meanwhile has another length.
    ASSIGN_OR_RETURN(reply.file, FileBody::open(file));
    return reply;
}

} // namespace server::http
