#include "worker/node/package.h"

#include "schema/tasks/package_limits.h"

#include <QCryptographicHash>
#include <QFile>

#include <archive.h>
#include <archive_entry.h>

#include <array>
#include <cerrno>
#include <fcntl.h>
#include <memory>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

namespace worker {
namespace {

constexpr std::size_t kBlock = 1U << 17U;

struct WriterDeleter
{
    void operator()(archive *a) const { archive_write_free(a); }
};

struct ReaderDeleter
{
    void operator()(archive *a) const { archive_read_free(a); }
};

struct EntryDeleter
{
    void operator()(archive_entry *e) const { archive_entry_free(e); }
};

schema::Error damaged(archive *reader)
{
    const char *why = archive_error_string(reader);
    return {ErrorCode::InvalidArgument,
            std::string("the task package is damaged: ") + (why == nullptr ? "?" : why)};
}

schema::Error unwritable(archive *writer, const fs::path &file)
{
    const int error = archive_errno(writer);
    return systemError("write", file, error > 0 ? error : EIO);
}

Status packFile(archive *writer, const fs::path &path, const std::string &name)
{
    const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    struct stat info{};
    if (!fd || ::fstat(fd.get(), &info) != 0)
        return systemError("read", path, errno);
    const std::unique_ptr<archive_entry, EntryDeleter> entry(archive_entry_new());
    archive_entry_set_pathname(entry.get(), name.c_str());
    archive_entry_set_filetype(entry.get(), AE_IFREG);
    archive_entry_set_perm(entry.get(), (info.st_mode & 0111U) != 0 ? 0755 : 0644);
    archive_entry_set_mtime(entry.get(), 0, 0); // the same files give the same checksum
    archive_entry_set_size(entry.get(), info.st_size);
    if (archive_write_header(writer, entry.get()) != ARCHIVE_OK)
        return unwritable(writer, path);
    std::vector<char> buffer(kBlock);
    ssize_t count = 0;
    while ((count = ::read(fd.get(), buffer.data(), buffer.size())) > 0) {
        if (archive_write_data(writer, buffer.data(), static_cast<std::size_t>(count)) < 0)
            return unwritable(writer, path);
    }
    return count < 0 ? Status(systemError("read", path, errno)) : Status();
}

} // namespace

Result<std::string> sha256OfFile(const fs::path &file)
{
    QFile in(QString::fromStdString(file.string()));
    if (!in.open(QIODevice::ReadOnly))
        return systemError("read", file, errno == 0 ? ENOENT : errno);
    QCryptographicHash hash(QCryptographicHash::Sha256);
    if (!hash.addData(&in))
        return systemError("read", file, EIO);
    return hash.result().toHex().toStdString();
}

Status packFolder(const fs::path &folder, const fs::path &zip)
{
    std::vector<fs::path> files;
    std::error_code error;
    auto found = fs::recursive_directory_iterator(
        folder, fs::directory_options::follow_directory_symlink, error);
    for (; !error && found != fs::recursive_directory_iterator(); found.increment(error)) {
        if (found->path().filename() == ".git" || found.depth() > 64)
            found.disable_recursion_pending();
        else if (found->is_regular_file(error))
            files.push_back(found->path());
        if (files.size() > schema::kMostPackageFiles)
            return {ErrorCode::LimitExceeded, "'" + folder.string() + "' holds more than " +
                                                  std::to_string(schema::kMostPackageFiles) +
                                                  " files"};
    }
    if (error)
        return systemError("read", folder, error.value());
    std::sort(files.begin(), files.end());
    const std::unique_ptr<archive, WriterDeleter> writer(archive_write_new());
    archive_write_set_format_zip(writer.get());
    if (archive_write_open_filename(writer.get(), zip.c_str()) != ARCHIVE_OK)
        return unwritable(writer.get(), zip);
    for (const auto &file : files)
        RETURN_IF_ERROR(
            packFile(writer.get(), file, file.lexically_relative(folder).generic_string()));
    if (archive_write_close(writer.get()) != ARCHIVE_OK)
        return unwritable(writer.get(), zip);
    return {};
}

Status unpackPackage(const fs::path &zip, const fs::path &folder)
{
    RETURN_IF_ERROR(makeDirectories(folder));
    const std::unique_ptr<archive, ReaderDeleter> reader(archive_read_new());
    archive_read_support_format_zip(reader.get());
    if (archive_read_open_filename(reader.get(), zip.c_str(), kBlock) != ARCHIVE_OK)
        return damaged(reader.get());
    const std::unique_ptr<archive, WriterDeleter> disk(archive_write_disk_new());
    archive_write_disk_set_options(disk.get(), ARCHIVE_EXTRACT_PERM | ARCHIVE_EXTRACT_TIME |
                                                   ARCHIVE_EXTRACT_SECURE_SYMLINKS |
                                                   ARCHIVE_EXTRACT_SECURE_NODOTDOT);
    std::error_code error;
    const std::uint64_t packed = fs::file_size(zip, error);
    if (error)
        return systemError("read", zip, error.value());
    std::uint64_t bytes = 0;
    std::size_t files = 0;
    archive_entry *entry = nullptr;
    while (true) {
        const int next = archive_read_next_header(reader.get(), &entry);
        if (next == ARCHIVE_EOF)
            break;
        if (next != ARCHIVE_OK)
            return damaged(reader.get());
        const char *name = archive_entry_pathname(entry);
        const auto type = archive_entry_filetype(entry);
        if (name == nullptr || fs::path(name).is_absolute() ||
            (type != AE_IFREG && type != AE_IFDIR) || archive_entry_hardlink(entry) != nullptr)
            return {ErrorCode::InvalidArgument, "the task package holds '" +
                                                    std::string(name == nullptr ? "?" : name) +
                                                    "', which is no plain file or folder in it"};
        const fs::path path = folder / fs::path(name);
        archive_entry_set_pathname(entry, path.c_str());
        archive_entry_set_perm(entry,
                               archive_entry_perm(entry) | (type == AE_IFDIR ? 0700U : 0600U));
        if (++files > schema::kMostPackageFiles)
            return {ErrorCode::LimitExceeded, "the task package holds too many files"};
        if (archive_write_header(disk.get(), entry) != ARCHIVE_OK)
            return {ErrorCode::InvalidArgument, "the task package cannot be unpacked: " +
                                                    std::string(archive_error_string(disk.get()))};
        const void *block = nullptr;
        std::size_t size = 0;
        la_int64_t offset = 0;
        int result = ARCHIVE_OK;
        while ((result = archive_read_data_block(reader.get(), &block, &size, &offset)) ==
               ARCHIVE_OK) {
            bytes += size;
            if (schema::isPackageBomb(bytes, packed))
                return {ErrorCode::LimitExceeded,
                        "the task package unpacks to more than 1 GiB, or to more than 250 times "
                        "its size; a task is smaller"};
            if (archive_write_data_block(disk.get(), block, size, offset) < ARCHIVE_OK)
                return unwritable(disk.get(), path);
        }
        if (result != ARCHIVE_EOF)
            return damaged(reader.get());
        if (archive_write_finish_entry(disk.get()) != ARCHIVE_OK)
            return unwritable(disk.get(), path);
    }
    return {};
}

} // namespace worker
