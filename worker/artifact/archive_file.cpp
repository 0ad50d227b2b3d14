#include "worker/artifact/archive_file.h"

#include <archive.h>
#include <archive_entry.h>
#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <clocale>
#include <fcntl.h>
#include <memory>
#include <unistd.h>

namespace worker {
namespace {

constexpr std::size_t kBlock = 1U << 17U;

/// libarchive turns names into other encodings by the thread's locale, and the worker's is "C".
class Utf8Names
{
public:
    Utf8Names()
        : m_locale(::newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr))
        , m_before(m_locale == nullptr ? nullptr : ::uselocale(m_locale))
    {}

    ~Utf8Names()
    {
        if (m_locale == nullptr)
            return;
        ::uselocale(m_before);
        ::freelocale(m_locale);
    }

    Utf8Names(const Utf8Names &) = delete;
    Utf8Names &operator=(const Utf8Names &) = delete;

private:
    locale_t m_locale, m_before;
};

struct Close
{
    void operator()(archive *a) const { archive_free(a); }

    void operator()(archive_entry *e) const { archive_entry_free(e); }
};

using ArchivePtr = std::unique_ptr<archive, Close>;
using EntryPtr = std::unique_ptr<archive_entry, Close>;

std::string errorOf(archive *a)
{
    const char *text = archive_error_string(a);
    return text == nullptr ? "damaged archive" : text;
}

schema::Error refused(const std::string &path, std::string_view why)
{
    return {ErrorCode::InvalidArgument, fmt::format("the entry '{}' {}", path, why)};
}

/// True when the path, taken from `base` inside the target, stays inside.
bool staysInside(const fs::path &base, const fs::path &path)
{
    if (path.is_absolute())
        return false;
    int depth = 0;
    for (const auto &part : base / path) {
        if (part == "..")
            --depth;
        else if (part != "." && !part.empty())
            ++depth;
        if (depth < 0)
            return false;
    }
    return true;
}

class Extraction
{
public:
    Extraction(const fs::path &file, const fs::path &target, const ExtractOptions &options)
        : m_file(file)
        , m_target(target)
        , m_options(options)
        , m_in(archive_read_new())
        , m_out(archive_write_disk_new())
    {
        archive_read_support_filter_all(m_in.get());
        archive_read_support_format_all(m_in.get());
        // Not the sticky bits, owners or flags of strangers; never through a link.
        archive_write_disk_set_options(m_out.get(), ARCHIVE_EXTRACT_TIME | ARCHIVE_EXTRACT_PERM |
                                                        ARCHIVE_EXTRACT_SECURE_SYMLINKS |
                                                        ARCHIVE_EXTRACT_SECURE_NODOTDOT);
    }

    Result<ExtractCount> run()
    {
        std::error_code error;
        m_packed = fs::file_size(m_file, error);
        if (error)
            return systemError("read", m_file, error.value());
        if (archive_read_open_filename(m_in.get(), m_file.c_str(), kBlock) != ARCHIVE_OK)
            return damaged();
        std::uint64_t seen = 0;
        while (true) {
            archive_entry *entry = nullptr;
            const int status = archive_read_next_header(m_in.get(), &entry);
            if (status == ARCHIVE_EOF)
                break;
            if (status < ARCHIVE_WARN)
                return damaged();
            if (++seen > m_options.entries)
                return {ErrorCode::LimitExceeded, fmt::format("'{}' has more than {} entries",
                                                              m_file.string(), m_options.entries)};
            if (m_options.canceled && m_options.canceled())
                return {ErrorCode::Canceled, "the step was stopped"};
            RETURN_IF_ERROR(take(entry));
        }
        if (archive_write_close(m_out.get()) < ARCHIVE_WARN)
            return {ErrorCode::Io, errorOf(m_out.get())};
        return m_count;
    }

private:
    schema::Error damaged()
    {
        return {ErrorCode::InvalidArgument,
                fmt::format("'{}' cannot be unpacked: {}", m_file.string(), errorOf(m_in.get()))};
    }

    Status take(archive_entry *entry)
    {
        const char *raw = archive_entry_pathname_utf8(entry);
        if (raw == nullptr)
            raw = archive_entry_pathname(entry);
        const std::string path = raw == nullptr ? "" : raw;
        if (path.empty() || path.find('\\') != std::string::npos)
            return refused(path, "has no usable name");
        if (!staysInside({}, path))
            return refused(path, "lies outside the destination folder");
        const auto type = archive_entry_filetype(entry);
        const char *hard = archive_entry_hardlink(entry);
        if (hard != nullptr && !staysInside({}, hard))
            return refused(path, "is a link that leaves the destination folder");
        const char *soft = archive_entry_symlink(entry);
        if (type == AE_IFLNK &&
            (soft == nullptr || !staysInside(fs::path(path).parent_path(), soft)))
            return refused(path, "is a link that leaves the destination folder");
        if (hard == nullptr && type != AE_IFREG && type != AE_IFDIR && type != AE_IFLNK)
            return refused(path, "is neither file nor folder nor link");
        const auto place = (m_target / path).lexically_normal();
        std::error_code error;
        if (type != AE_IFDIR && fs::exists(fs::symlink_status(place, error))) {
            if (!m_options.overwrite) {
                ++m_count.kept;
                return {};
            }
            if (!fs::is_directory(fs::symlink_status(place, error)))
                fs::remove(place, error);
        }
        archive_entry_set_pathname(entry, place.c_str());
        if (hard != nullptr)
            archive_entry_set_hardlink(entry, (m_target / hard).lexically_normal().c_str());
        archive_entry_set_perm(entry, (archive_entry_perm(entry) & 0777U) |
                                          (type == AE_IFDIR ? 0700U : 0600U));
        if (archive_write_header(m_out.get(), entry) < ARCHIVE_WARN)
            return schema::Error{ErrorCode::Io,
                                 fmt::format("'{}': {}", path, errorOf(m_out.get()))};
        if (type == AE_IFREG && hard == nullptr)
            RETURN_IF_ERROR(copyContent(path));
        if (type != AE_IFDIR)
            ++m_count.files;
        if (archive_write_finish_entry(m_out.get()) < ARCHIVE_WARN)
            return schema::Error{ErrorCode::Io,
                                 fmt::format("'{}': {}", path, errorOf(m_out.get()))};
        return {};
    }

    Status copyContent(const std::string &path)
    {
        while (true) {
            const void *block = nullptr;
            std::size_t size = 0;
            la_int64_t offset = 0;
            const int status = archive_read_data_block(m_in.get(), &block, &size, &offset);
            if (status == ARCHIVE_EOF)
                return {};
            if (status < ARCHIVE_WARN)
                return damaged().withContext("the entry '" + path + "'");
            m_count.bytes += size;
            if (m_count.bytes > m_options.suspicious && m_count.bytes / m_options.growth > m_packed)
                return schema::Error{
                    ErrorCode::LimitExceeded,
                    fmt::format("'{}' unpacks to more than {} times its size; that is an attack, "
                                "or use a script step for it",
                                m_file.string(), m_options.growth)};
            if (archive_write_data_block(m_out.get(), block, size, offset) < ARCHIVE_WARN)
                return systemError("write", path, archive_errno(m_out.get()));
        }
    }

    const fs::path &m_file;
    const fs::path &m_target;
    const ExtractOptions &m_options;
    ArchivePtr m_in, m_out;
    ExtractCount m_count;
    std::uint64_t m_packed = 0;
};

Status chooseFormat(archive *out, const ArchiveFormat &format)
{
    if (format.type == "zip") {
        archive_write_set_format_zip(out);
        return {};
    }
    if (format.type == "7z") {
        archive_write_set_format_7zip(out);
        const auto level = std::string(format.compression);
        if (level == "0")
            archive_write_set_format_option(out, "7zip", "compression", "store");
        else
            archive_write_set_format_option(out, "7zip", "compression-level", level.c_str());
        return {};
    }
    archive_write_set_format_pax_restricted(out);
    if (format.type != "tar")
        return {ErrorCode::InvalidArgument,
                fmt::format("'{}' is no archive type (zip, tar, 7z)", format.type)};
    if (format.compression == "gz")
        archive_write_add_filter_gzip(out);
    else if (format.compression == "bz2")
        archive_write_add_filter_bzip2(out);
    else if (format.compression == "xz")
        archive_write_add_filter_xz(out);
    return {};
}

/// Content of the open file into the entry whose header was written.
Status copyInto(archive *out, const fs::path &path)
{
    UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!fd)
        return systemError("read", path, errno);
    std::array<char, kBlock> buffer; // NOLINT: filled by read
    while (true) {
        const auto got = ::read(fd.get(), buffer.data(), buffer.size());
        if (got == 0)
            return {};
        if (got < 0)
            return systemError("read", path, errno);
        if (archive_write_data(out, buffer.data(), static_cast<std::size_t>(got)) < 0)
            return schema::Error{ErrorCode::Io, errorOf(out)};
    }
}

} // namespace

Result<ExtractCount> extractArchive(const fs::path &file, const fs::path &target,
                                    const ExtractOptions &options)
{
    const Utf8Names names;
    // The target itself may be reached through links; what is below it may not.
    std::error_code error;
    const auto place = fs::canonical(target, error);
    if (error)
        return systemError("open", target, error.value());
    return Extraction(file, place, options).run();
}

Status createArchive(const fs::path &file, const ArchiveFormat &format, const fs::path &directory,
                     const std::string &entry,
                     const std::function<void(const std::string &path)> &visit)
{
    const Utf8Names names;
    ArchivePtr out(archive_write_new());
    RETURN_IF_ERROR(chooseFormat(out.get(), format));
    if (archive_write_open_filename(out.get(), file.c_str()) != ARCHIVE_OK)
        return schema::Error{ErrorCode::Io,
                             fmt::format("write '{}': {}", file.string(), errorOf(out.get()))};
    ArchivePtr disk(archive_read_disk_new());
    archive_read_disk_set_symlink_physical(disk.get());
    archive_read_disk_set_standard_lookup(disk.get());
    const auto root = (directory / entry).lexically_normal();
    if (archive_read_disk_open(disk.get(), root.c_str()) != ARCHIVE_OK)
        return schema::Error{ErrorCode::NotFound,
                             fmt::format("read '{}': {}", root.string(), errorOf(disk.get()))};
    while (true) {
        EntryPtr item(archive_entry_new());
        const int status = archive_read_next_header2(disk.get(), item.get());
        if (status == ARCHIVE_EOF)
            break;
        if (status < ARCHIVE_WARN)
            return schema::Error{ErrorCode::Io, errorOf(disk.get())};
        const fs::path path(archive_entry_sourcepath(item.get()));
        if (archive_entry_filetype(item.get()) == AE_IFDIR)
            archive_read_disk_descend(disk.get());
        std::error_code ignored;
        auto name = path.lexically_relative(directory.lexically_normal()).string();
        if (name == "." || fs::equivalent(path, file, ignored))
            continue;
        archive_entry_set_pathname(item.get(), name.c_str());
        archive_entry_set_uname(item.get(), nullptr);
        archive_entry_set_gname(item.get(), nullptr);
        if (archive_write_header(out.get(), item.get()) < ARCHIVE_WARN)
            return schema::Error{ErrorCode::Io, fmt::format("'{}': {}", name, errorOf(out.get()))};
        if (archive_entry_filetype(item.get()) == AE_IFREG &&
            archive_entry_hardlink(item.get()) == nullptr)
            RETURN_IF_ERROR(copyInto(out.get(), path));
        if (visit)
            visit(name);
    }
    if (archive_write_close(out.get()) < ARCHIVE_WARN)
        return schema::Error{ErrorCode::Io, errorOf(out.get())};
    return {};
}

} // namespace worker
