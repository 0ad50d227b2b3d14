#include "server/artifacts/tar_stream.h"

#include <archive.h>
#include <archive_entry.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <memory>

namespace server::artifacts {
namespace {

using schema::Error;
using schema::ErrorCode;
using schema::Status;

constexpr std::size_t kBlock = 64U << 10U;
constexpr std::size_t kEndBytes = 1024;
/// Entries of one artifact at most: a stream of nothing but names must not keep the server busy for
/// hours.
constexpr std::uint64_t kMostEntries = 1'000'000;

struct FreeReader
{
    void operator()(archive *a) const { archive_read_free(a); }
};

struct FreeWriter
{
    void operator()(archive *a) const { archive_write_free(a); }
};

using Reader = std::unique_ptr<archive, FreeReader>;
using Writer = std::unique_ptr<archive, FreeWriter>;

Error broken(archive *a)
{
    const char *why = archive_error_string(a);
    return {ErrorCode::InvalidArgument,
            fmt::format("the stream is no tar, plain or compressed with zstd: {}",
                        why ? why : "unknown reason")};
}

schema::Result<Reader> openTar(const std::filesystem::path &file)
{
    Reader reader(archive_read_new());
    archive_read_support_filter_zstd(reader.get());
    archive_read_support_format_tar(reader.get());
    archive_read_support_format_empty(reader.get());
    if (archive_read_open_filename(reader.get(), file.c_str(), kBlock) != ARCHIVE_OK)
        return broken(reader.get());
    return reader;
}

/// Whether two empty blocks, which end a plain tar, stand at `position`. Content that is cut off is
/// skipped past the end of the file, and no error. A compressed one needs no look: its decompressor
/// knows where it ends.
bool endsAt(const std::filesystem::path &file, std::int64_t position)
{
    std::array<char, kEndBytes> end{};
    std::ifstream in(file, std::ios::binary);
    in.seekg(position);
    in.read(end.data(), static_cast<std::streamsize>(end.size()));
    return in.good() && std::all_of(end.begin(), end.end(), [](char c) { return c == 0; });
}

/// The entry's path without "./", or an error when it is not safe below a folder.
schema::Result<std::string> safePath(archive_entry *entry)
{
    const char *raw = archive_entry_pathname_utf8(entry);
    if (!raw)
        raw = archive_entry_pathname(entry);
    if (!raw)
        return Error{ErrorCode::InvalidArgument, "an entry has no readable path"};
    std::string path(raw);
    while (path.starts_with("./"))
        path.erase(0, 2);
    while (path.ends_with('/'))
        path.pop_back();
    if (path.starts_with('/'))
        return Error{ErrorCode::InvalidArgument, fmt::format("'{}' is an absolute path", path)};
    for (std::size_t at = 0; at <= path.size();) {
        const std::size_t end = std::min(path.find('/', at), path.size());
        if (std::string_view(path).substr(at, end - at) == "..")
            return Error{ErrorCode::InvalidArgument,
                         fmt::format("'{}' leaves the artifact's folder", path)};
        at = end + 1;
    }
    return path;
}

/// Calls `visit(reader, entry, path)` for each regular file until it returns false.
Status eachFile(const std::filesystem::path &file,
                const std::function<schema::Result<bool>(archive *, archive_entry *,
                                                         const std::string &)> &visit)
{
    ASSIGN_OR_RETURN(const Reader reader, openTar(file));
    std::uint64_t count = 0;
    while (true) {
        archive_entry *entry = nullptr;
        const int code = archive_read_next_header(reader.get(), &entry);
        if (code == ARCHIVE_EOF) {
            if (archive_filter_code(reader.get(), 0) == ARCHIVE_FILTER_NONE &&
                !endsAt(file, archive_read_header_position(reader.get())))
                return {ErrorCode::InvalidArgument, "the tar is cut off"};
            return {};
        }
        if (code != ARCHIVE_OK && code != ARCHIVE_WARN)
            return broken(reader.get());
        if (++count > kMostEntries)
            return {ErrorCode::LimitExceeded,
                    fmt::format(
                        "an artifact may have {} entries at most; pack them into an archive first",
                        kMostEntries)};
        ASSIGN_OR_RETURN(const std::string path, safePath(entry));
        const auto type = archive_entry_filetype(entry);
        if (type == AE_IFDIR)
            continue;
        if (type != AE_IFREG || archive_entry_hardlink(entry))
            return {ErrorCode::InvalidArgument,
                    fmt::format("'{}' is neither a file nor a folder", path)};
        ASSIGN_OR_RETURN(const bool more, visit(reader.get(), entry, path));
        if (!more)
            return {};
    }
}

} // namespace

Status scanTar(const std::filesystem::path &file,
               const std::function<bool(const ArtifactEntry &)> &visit)
{
    return eachFile(
        file,
        [&](archive *, archive_entry *entry, const std::string &path) -> schema::Result<bool> {
            return visit({path, static_cast<std::uint64_t>(archive_entry_size(entry)),
                          static_cast<std::uint32_t>(archive_entry_perm(entry))});
        });
}

Status extractFile(const std::filesystem::path &file, const std::string &wanted,
                   const ArtifactStore::Sink &sink)
{
    bool found = false;
    RETURN_IF_ERROR(eachFile(
        file,
        [&](archive *reader, archive_entry *, const std::string &path) -> schema::Result<bool> {
            if (path != wanted)
                return true;
            found = true;
            std::array<char, kBlock> buffer{};
            while (true) {
                const la_ssize_t got = archive_read_data(reader, buffer.data(), buffer.size());
                if (got < 0)
                    return broken(reader);
                if (got == 0 || !sink({buffer.data(), static_cast<std::size_t>(got)}))
                    return false;
            }
        }));
    if (!found)
        return {ErrorCode::NotFound, fmt::format("the artifact has no file '{}'", wanted)};
    return {};
}

Status tarToZip(const std::filesystem::path &file, const std::string &folder,
                const ArtifactStore::Sink &sink)
{
    struct Output
    {
        const ArtifactStore::Sink &sink;
        bool stopped = false;
    } output{sink};

    Writer writer(archive_write_new());
    archive_write_set_format_zip(writer.get());
    archive_write_set_bytes_in_last_block(writer.get(), 1);
    const auto write = [](archive *, void *client, const void *bytes,
                          std::size_t size) -> la_ssize_t {
        auto *out = static_cast<Output *>(client);
        if (!out->sink({static_cast<const char *>(bytes), size})) {
            out->stopped = true;
            return -1;
        }
        return static_cast<la_ssize_t>(size);
    };
    if (archive_write_open(writer.get(), &output, nullptr, write, nullptr) != ARCHIVE_OK)
        return {ErrorCode::Io, fmt::format("begin zip: {}", archive_error_string(writer.get()))};
    Status copied = eachFile(
        file,
        [&](archive *reader, archive_entry *entry,
            const std::string &path) -> schema::Result<bool> {
            archive_entry_set_pathname_utf8(entry, (folder + "/" + path).c_str());
            if (archive_write_header(writer.get(), entry) != ARCHIVE_OK)
                return output.stopped
                           ? Error{ErrorCode::Canceled, "the download was stopped"}
                           : Error{ErrorCode::Io, fmt::format("zip '{}': {}", path,
                                                              archive_error_string(writer.get()))};
            std::array<char, kBlock> buffer{};
            while (true) {
                const la_ssize_t got = archive_read_data(reader, buffer.data(), buffer.size());
                if (got < 0)
                    return broken(reader);
                if (got == 0)
                    return true;
                if (archive_write_data(writer.get(), buffer.data(), static_cast<std::size_t>(got)) <
                    0)
                    return output.stopped ? Error{ErrorCode::Canceled, "the download was stopped"}
                                          : Error{ErrorCode::Io,
                                                  fmt::format("zip '{}': {}", path,
                                                              archive_error_string(writer.get()))};
            }
        });
    if (!copied)
        return copied;
    if (archive_write_close(writer.get()) != ARCHIVE_OK)
        return {output.stopped ? ErrorCode::Canceled : ErrorCode::Io,
                "end of zip could not be delivered"};
    return {};
}

} // namespace server::artifacts
