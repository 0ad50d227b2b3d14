#include "worker/artifact/archive_stream.h"

#include "worker/artifact/artifact_ignore.h"
#include "worker/artifact/write_behind.h"

#include <archive.h>
#include <archive_entry.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <fcntl.h>
#include <istream>
#include <ostream>
#include <set>
#include <sys/stat.h>
#include <unistd.h>

namespace worker {
namespace {

constexpr std::size_t kBlock = 256U << 10U;
/// Longer files are written on a thread of their own.
constexpr std::int64_t kLongFile = 4 << 20;

struct ArchiveDeleter
{
    void operator()(archive *a) const { archive_free(a); }
};

using ArchivePtr = std::unique_ptr<archive, ArchiveDeleter>;

struct EntryDeleter
{
    void operator()(archive_entry *e) const { archive_entry_free(e); }
};

using EntryPtr = std::unique_ptr<archive_entry, EntryDeleter>;

la_ssize_t writeToStream(archive * /*unused*/, void *data, const void *buffer, std::size_t length)
{
    auto *out = static_cast<std::ostream *>(data);
    out->write(static_cast<const char *>(buffer), static_cast<std::streamsize>(length));
    return out->good() ? static_cast<la_ssize_t>(length) : -1;
}

struct Source
{
    std::istream *in;
    std::array<char, kBlock> buffer;
};

la_ssize_t readFromStream(archive * /*unused*/, void *data, const void **buffer)
{
    auto *source = static_cast<Source *>(data);
    source->in->read(source->buffer.data(), static_cast<std::streamsize>(source->buffer.size()));
    *buffer = source->buffer.data();
    return static_cast<la_ssize_t>(source->in->gcount());
}

class Packer
{
public:
    Packer(std::ostream &out, Packing packing)
        : m_archive(archive_write_new())
        , m_buffer(kBlock)
    {
        archive_write_set_format_pax_restricted(m_archive.get());
        if (packing == Packing::Zstd) {
            archive_write_add_filter_zstd(m_archive.get());
            archive_write_set_filter_option(m_archive.get(), "zstd", "compression-level", "1");
        }
        // What comes goes to the stream at once, which collects small pieces itself.
        archive_write_set_bytes_per_block(m_archive.get(), 0);
        archive_write_open(m_archive.get(), &out, nullptr, writeToStream, nullptr);
    }

    Status addTree(const fs::path &path, const std::string &name, const ArtifactIgnore &ignore)
    {
        struct stat info{};
        if (::stat(path.c_str(), &info) != 0)
            return errno == ENOENT ? Status() : Status(systemError("read", path, errno));
        if (!name.empty() && ignore.excludes(name))
            return {};
        if (S_ISREG(info.st_mode))
            return addFile(path, name, info);
        if (!S_ISDIR(info.st_mode) || !m_open.insert({info.st_dev, info.st_ino}).second)
            return {}; // a socket or device, or a link back up
        if (!name.empty())
            RETURN_IF_ERROR(addHeader(name, info, 0));
        std::vector<fs::path> children;
        std::error_code error;
        for (fs::directory_iterator it(path, error), end; !error && it != end; it.increment(error))
            children.push_back(it->path());
        if (error)
            return systemError("read", path, error.value());
        std::sort(children.begin(), children.end());
        for (const auto &child : children)
            RETURN_IF_ERROR(addTree(
                child, (name.empty() ? "" : name + "/") + child.filename().string(), ignore));
        m_open.erase({info.st_dev, info.st_ino});
        return {};
    }

    Status addFile(const fs::path &path, const std::string &name, const struct stat &info)
    {
        const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
        if (!fd)
            return systemError("read", path, errno);
        RETURN_IF_ERROR(addHeader(name, info, info.st_size));
        auto left = static_cast<std::uint64_t>(info.st_size);
        while (left > 0) {
            const auto count =
                ::read(fd.get(), m_buffer.data(), std::min<std::uint64_t>(m_buffer.size(), left));
            if (count < 0 && errno == EINTR)
                continue;
            if (count < 0)
                return systemError("read", path, errno);
            if (count == 0)
                return {ErrorCode::Conflict, "the file '" + path.string() +
                                                 "' became shorter while it was published; publish "
                                                 "after its writer has finished"};
            if (archive_write_data(m_archive.get(), m_buffer.data(),
                                   static_cast<std::size_t>(count)) < 0)
                return broken();
            left -= static_cast<std::uint64_t>(count);
        }
        ++m_info.files;
        m_info.size += static_cast<std::uint64_t>(info.st_size);
        return {};
    }

    Result<ArtifactInfo> finish()
    {
        if (archive_write_close(m_archive.get()) != ARCHIVE_OK)
            return broken();
        return m_info;
    }

private:
    Status addHeader(const std::string &name, const struct stat &info, std::int64_t size)
    {
        const EntryPtr entry(archive_entry_new());
        archive_entry_set_pathname(entry.get(), name.c_str());
        archive_entry_set_filetype(entry.get(), S_ISDIR(info.st_mode) ? AE_IFDIR : AE_IFREG);
        archive_entry_set_perm(entry.get(), info.st_mode & 0777U);
        archive_entry_set_mtime(entry.get(), info.st_mtim.tv_sec, 0);
        archive_entry_set_size(entry.get(), size);
        if (archive_write_header(m_archive.get(), entry.get()) != ARCHIVE_OK)
            return broken();
        return {};
    }

    schema::Error broken()
    {
        const char *why = archive_error_string(m_archive.get());
        return {ErrorCode::Unavailable,
                std::string("the artifact could not be sent: ") + (why == nullptr ? "?" : why)};
    }

    ArchivePtr m_archive;
    std::vector<char> m_buffer;
    std::set<std::pair<dev_t, ino_t>> m_open;
    ArtifactInfo m_info;
};

/// The path of an entry made relative and harmless, or an error.
Result<std::string> safePath(const char *name)
{
    if (name == nullptr)
        return {ErrorCode::InvalidArgument, "the artifact holds a name that is no UTF-8"};
    const fs::path path = fs::path(name).lexically_normal();
    if (path.is_absolute() || path.empty() || *path.begin() == "..")
        return {ErrorCode::InvalidArgument,
                "the artifact holds the path '" + std::string(name) + "', which leaves its folder"};
    auto text = path.string();
    while (text.ends_with('/'))
        text.pop_back();
    return text == "." ? std::string() : text;
}

/// Gives each block of the entry's content to `write`.
template <typename Write> Status eachBlock(archive *from, Write write)
{
    while (true) {
        const void *block = nullptr;
        std::size_t size = 0;
        la_int64_t offset = 0;
        const int result = archive_read_data_block(from, &block, &size, &offset);
        if (result == ARCHIVE_EOF)
            return {};
        if (result != ARCHIVE_OK)
            return {ErrorCode::InvalidArgument,
                    std::string("the artifact is damaged: ") + archive_error_string(from)};
        RETURN_IF_ERROR(write(std::string_view(static_cast<const char *>(block), size)));
    }
}

Status copyData(archive *from, const fs::path &to, unsigned mode, std::int64_t length,
                ArtifactInfo &info)
{
    std::error_code ignored;
    if (fs::is_symlink(to, ignored) || fs::exists(to, ignored))
        fs::remove(to, ignored); // never write through a link
    const UniqueFd fd(
        ::open(to.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, mode));
    if (!fd)
        return systemError("write", to, errno);
    if (length >= kLongFile) {
        WriteBehind behind(fd.get(), to);
        RETURN_IF_ERROR(eachBlock(from, [&](std::string_view bytes) {
            info.size += bytes.size();
            return behind.write(bytes);
        }));
        RETURN_IF_ERROR(behind.finish());
    } else {
        RETURN_IF_ERROR(eachBlock(from, [&](std::string_view bytes) {
            info.size += bytes.size();
            return writeAll(fd.get(), bytes, to);
        }));
    }
    ::fchmod(fd.get(), mode);
    ++info.files;
    return {};
}

} // namespace

Result<ArtifactInfo> packArtifact(const fs::path &path, std::ostream &out, Packing packing)
{
    struct stat info{};
    if (::stat(path.c_str(), &info) != 0)
        return systemError("publish", path, errno);
    Packer packer(out, packing);
    if (S_ISDIR(info.st_mode)) {
        RETURN_IF_ERROR(packer.addTree(path, "", ArtifactIgnore(path)));
    } else {
        RETURN_IF_ERROR(packer.addFile(path, path.filename().string(), info));
    }
    return packer.finish();
}

Result<ArtifactInfo> unpackArtifact(std::istream &in, const fs::path &target,
                                    const std::function<bool(const std::string &path)> &wanted)
{
    RETURN_IF_ERROR(makeDirectories(target));
    const ArchivePtr reader(archive_read_new());
    archive_read_support_format_tar(reader.get());
    archive_read_support_filter_zstd(reader.get());
    const auto source = std::make_unique<Source>();
    source->in = &in;
    const auto damaged = [&reader]() -> schema::Error {
        const char *why = archive_error_string(reader.get());
        return {ErrorCode::InvalidArgument,
                std::string("the artifact is damaged: ") + (why == nullptr ? "?" : why)};
    };
    if (archive_read_open(reader.get(), source.get(), nullptr, readFromStream, nullptr) !=
        ARCHIVE_OK)
        return damaged();
    ArtifactInfo info;
    archive_entry *entry = nullptr;
    while (true) {
        const int result = archive_read_next_header(reader.get(), &entry);
        if (result == ARCHIVE_EOF)
            return info;
        if (result != ARCHIVE_OK)
            return damaged();
        ASSIGN_OR_RETURN(const auto name, safePath(archive_entry_pathname(entry)));
        if (name.empty())
            continue;
        const auto type = archive_entry_filetype(entry);
        if (type == AE_IFDIR) {
            if (!wanted || wanted(name + "/"))
                RETURN_IF_ERROR(makeDirectories(target / name));
            continue;
        }
        // Published artifacts hold files and folders only; anything else was not made by us.
        if (type != AE_IFREG || archive_entry_hardlink(entry) != nullptr)
            return {ErrorCode::InvalidArgument,
                    "the artifact holds a link or device at '" + name + "'"};
        if (wanted && !wanted(name))
            continue;
        RETURN_IF_ERROR(makeDirectories((target / name).parent_path()));
        RETURN_IF_ERROR(copyData(reader.get(), target / name,
                                 static_cast<unsigned>(archive_entry_perm(entry)) & 0777U,
                                 archive_entry_size(entry), info));
    }
}

bool isArtifactName(std::string_view name)
{
    if (name.empty() || name.size() > 255 || name == "." || name == "..")
        return false;
    return std::none_of(name.begin(), name.end(), [](char c) {
        return static_cast<unsigned char>(c) < 0x20 ||
               std::string_view("\":<>|*?/\\").find(c) != std::string_view::npos;
    });
}

} // namespace worker
