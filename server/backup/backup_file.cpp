#include "server/backup/backup_file.h"

#include <archive.h>
#include <archive_entry.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <sodium.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <map>
#include <sys/stat.h>
#include <unistd.h>

namespace server::backup {
namespace {

namespace fs = std::filesystem;
using schema::Error;
using schema::ErrorCode;
using schema::Result;
using schema::Status;

constexpr const char *kManifest = "manifest.json";
constexpr std::size_t kPiece = 256U << 10U;
constexpr std::uint64_t kLargestManifest = 1U << 30U;

Error systemError(std::string_view doing, const fs::path &path, int code = errno)
{
    const ErrorCode kind = code == ENOENT                        ? ErrorCode::NotFound
                           : code == EACCES || code == EPERM     ? ErrorCode::PermissionDenied
                           : code == EEXIST || code == ENOTEMPTY ? ErrorCode::AlreadyExists
                                                                 : ErrorCode::Io;
    const bool making = doing == "create";
    const char *const remedy = code == ENOSPC             ? "; free space on that disk"
                               : making && code == ENOENT ? "; make its folder first"
                               : making && code == EACCES
                                   ? "; choose a place that this user may write to"
                                   : "";
    return {kind, fmt::format("{} {}: {}{}", doing, path.string(), std::strerror(code), remedy)};
}

class Descriptor
{
public:
    explicit Descriptor(int fd)
        : m_fd(fd)
    {}

    ~Descriptor() { reset(); }

    Descriptor(const Descriptor &) = delete;
    Descriptor &operator=(const Descriptor &) = delete;

    void reset(int fd = -1)
    {
        if (m_fd >= 0)
            ::close(m_fd);
        m_fd = fd;
    }

    [[nodiscard]] int get() const { return m_fd; }

private:
    int m_fd;
};

class Sum
{
public:
    Sum() { crypto_hash_sha256_init(&m_state); }

    void add(std::span<const char> bytes)
    {
        crypto_hash_sha256_update(&m_state, reinterpret_cast<const unsigned char *>(bytes.data()),
                                  bytes.size());
    }

    std::string finish()
    {
        std::array<unsigned char, crypto_hash_sha256_BYTES> digest{};
        crypto_hash_sha256_final(&m_state, digest.data());
        std::string text;
        for (const unsigned char byte : digest)
            text += fmt::format("{:02x}", byte);
        return text;
    }

private:
    crypto_hash_sha256_state m_state{};
};

Status writeAll(int fd, std::span<const char> bytes, const fs::path &path)
{
    while (!bytes.empty()) {
        const ssize_t put = ::write(fd, bytes.data(), bytes.size());
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return systemError("write", path);
        bytes = bytes.subspan(static_cast<std::size_t>(put));
    }
    return {};
}

Status syncFolder(const fs::path &folder)
{
    const Descriptor fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (fd.get() >= 0 && ::fsync(fd.get()) != 0)
        return systemError("flush", folder);
    return {};
}

/// Relative, without "..": an entry must not leave the folder it is put into.
bool isSafe(const std::string &path)
{
    if (path.empty() || path.front() == '/' || path.find('\0') != std::string::npos)
        return false;
    for (const auto &part : fs::path(path))
        if (part == ".." || part == ".")
            return false;
    return true;
}

std::string manifestText(const Manifest &manifest)
{
    auto entries = nlohmann::ordered_json::array();
    for (const auto &entry : manifest.entries)
        entries.push_back({{"path", entry.path},
                           {"size", entry.size},
                           {"sha256", entry.sha256},
                           {"secret", entry.secret}});
    const nlohmann::ordered_json json{{"format", 1},
                                      {"createdAt", manifest.createdAt},
                                      {"dataVersion", manifest.dataVersion},
                                      {"runs", manifest.runs},
                                      {"entries", std::move(entries)}};
    return json.dump(1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

Result<Manifest> manifestOf(const std::string &text, const fs::path &backup)
{
    const Error broken{
        ErrorCode::InvalidArgument,
        fmt::format("{}: its manifest is damaged or of another program", backup.string())};
    const auto json = nlohmann::json::parse(text, nullptr, false);
    if (!json.is_object() || json.value("format", nlohmann::json(0)) != 1)
        return broken;
    try {
        Manifest out;
        out.createdAt = json.at("createdAt").get<std::string>();
        out.dataVersion = json.at("dataVersion").get<int>();
        out.runs = json.at("runs").get<std::int64_t>();
        for (const auto &entry : json.at("entries"))
            out.entries.push_back(
                {entry.at("path").get<std::string>(), entry.at("size").get<std::uint64_t>(),
                 entry.at("sha256").get<std::string>(), entry.at("secret").get<bool>()});
        return out;
    } catch (const nlohmann::json::exception &) {
        return broken;
    }
}

// ---- writing ----------------------------------------------------------------------------------

class FolderWriter final : public BackupWriter
{
public:
    explicit FolderWriter(fs::path destination)
        : m_destination(std::move(destination))
        , m_partial(m_destination.string() + ".partial")
    {}

    ~FolderWriter() override
    {
        std::error_code ignored;
        if (!m_published)
            fs::remove_all(m_partial, ignored);
    }

    Status open()
    {
        std::error_code code;
        fs::remove_all(m_partial, code); // of an interrupted backup
        if (::mkdir(m_partial.c_str(), 0700) != 0)
            return systemError("create", m_partial);
        return {};
    }

protected:
    Result<Bytes> begin(const std::string &path, std::uint64_t, bool secret) override
    {
        m_file = m_partial / path;
        std::error_code code;
        fs::create_directories(m_file.parent_path(), code);
        if (code)
            return systemError("create", m_file.parent_path(), code.value());
        m_fd.reset(
            ::open(m_file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, secret ? 0600 : 0644));
        if (m_fd.get() < 0)
            return systemError("create", m_file);
        return Bytes(
            [this](std::span<const char> bytes) { return writeAll(m_fd.get(), bytes, m_file); });
    }

    Status end() override
    {
        if (::fdatasync(m_fd.get()) != 0)
            return systemError("flush", m_file);
        m_fd.reset();
        return {};
    }

    Status publish() override
    {
        if (::rename(m_partial.c_str(), m_destination.c_str()) != 0)
            return systemError("create", m_destination);
        m_published = true;
        return syncFolder(fs::absolute(m_destination).parent_path());
    }

private:
    fs::path m_destination, m_partial, m_file;
    Descriptor m_fd{-1};
    bool m_published = false;
};

class TarWriter final : public BackupWriter
{
public:
    explicit TarWriter(fs::path destination)
        : m_destination(std::move(destination))
        , m_partial(m_destination.string() + ".partial")
        , m_archive(archive_write_new())
        , m_entry(archive_entry_new())
    {}

    ~TarWriter() override
    {
        archive_entry_free(m_entry);
        archive_write_free(m_archive);
        if (!m_published)
            ::unlink(m_partial.c_str());
    }

    TarWriter(const TarWriter &) = delete;
    TarWriter &operator=(const TarWriter &) = delete;

    Status open()
    {
        m_fd.reset(::open(m_partial.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
        if (m_fd.get() < 0)
            return systemError("create", m_partial);
        archive_write_set_format_pax_restricted(m_archive);
        archive_write_add_filter_zstd(m_archive);
        if (archive_write_open_fd(m_archive, m_fd.get()) != ARCHIVE_OK)
            return failed();
        return {};
    }

protected:
    Result<Bytes> begin(const std::string &path, std::uint64_t size, bool secret) override
    {
        archive_entry_clear(m_entry);
        archive_entry_set_pathname(m_entry, path.c_str());
        archive_entry_set_size(m_entry, static_cast<la_int64_t>(size));
        archive_entry_set_filetype(m_entry, AE_IFREG);
        archive_entry_set_perm(m_entry, secret ? 0600 : 0644);
        if (archive_write_header(m_archive, m_entry) < ARCHIVE_WARN)
            return failed();
        return Bytes([this](std::span<const char> bytes) -> Status {
            if (archive_write_data(m_archive, bytes.data(), bytes.size()) < 0)
                return failed();
            return {};
        });
    }

    Status end() override
    {
        return archive_write_finish_entry(m_archive) < ARCHIVE_WARN ? Status(failed()) : Status();
    }

    Status publish() override
    {
        if (archive_write_close(m_archive) < ARCHIVE_WARN)
            return failed();
        if (::fsync(m_fd.get()) != 0)
            return systemError("flush", m_partial);
        if (::rename(m_partial.c_str(), m_destination.c_str()) != 0)
            return systemError("create", m_destination);
        m_published = true;
        return syncFolder(fs::absolute(m_destination).parent_path());
    }

private:
    [[nodiscard]] Error failed() const
    {
        const char *text = archive_error_string(m_archive);
        return {ErrorCode::Io,
                fmt::format("write {}: {}", m_partial.string(), text ? text : "unknown error")};
    }

    fs::path m_destination, m_partial;
    archive *m_archive;
    archive_entry *m_entry;
    Descriptor m_fd{-1};
    bool m_published = false;
};

// ---- reading ----------------------------------------------------------------------------------

struct Extracted
{
    std::uint64_t size = 0;
    std::string sha256;
};

/// Writes one entry below `target`, summing it up.
class EntryFile
{
public:
    EntryFile(const fs::path &target, const std::string &path)
        : m_file(target / path)
    {}

    Status open()
    {
        std::error_code code;
        fs::create_directories(m_file.parent_path(), code);
        if (code)
            return systemError("create", m_file.parent_path(), code.value());
        m_fd.reset(::open(m_file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
        return m_fd.get() < 0 ? Status(systemError("create", m_file)) : Status();
    }

    Status write(std::span<const char> bytes)
    {
        m_sum.add(bytes);
        m_extracted.size += bytes.size();
        return writeAll(m_fd.get(), bytes, m_file);
    }

    Result<Extracted> finish()
    {
        if (::fdatasync(m_fd.get()) != 0)
            return systemError("flush", m_file);
        m_extracted.sha256 = m_sum.finish();
        return m_extracted;
    }

private:
    fs::path m_file;
    Descriptor m_fd{-1};
    Sum m_sum;
    Extracted m_extracted;
};

using ExtractedEntries = std::map<std::string, Extracted>;

Result<std::string> readText(const fs::path &file)
{
    const Descriptor fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
    if (fd.get() < 0)
        return systemError("read", file);
    std::string out;
    std::vector<char> piece(kPiece);
    ssize_t got = 0;
    while ((got = ::read(fd.get(), piece.data(), piece.size())) > 0) {
        out.append(piece.data(), static_cast<std::size_t>(got));
        if (out.size() > kLargestManifest)
            return {ErrorCode::LimitExceeded, fmt::format("{} is too large", file.string())};
    }
    if (got < 0)
        return systemError("read", file);
    return out;
}

Result<std::string> extractFolder(const fs::path &backup, const fs::path &target,
                                  ExtractedEntries &out)
{
    auto text = readText(backup / kManifest);
    if (!text)
        return {text.error().code == ErrorCode::NotFound ? ErrorCode::InvalidArgument
                                                         : text.error().code,
                fmt::format("{} is no backup: {}", backup.string(), text.error().message)};
    ASSIGN_OR_RETURN(const auto manifest, manifestOf(*text, backup));
    std::vector<char> piece(kPiece);
    for (const auto &entry : manifest.entries) {
        if (!isSafe(entry.path))
            return {ErrorCode::InvalidArgument,
                    fmt::format("{} lists an unsafe path", backup.string())};
        const fs::path source = backup / entry.path;
        const Descriptor fd(::open(source.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
        if (fd.get() < 0 && errno == ENOENT)
            continue; // reported with the rest
        if (fd.get() < 0)
            return systemError("read", source);
        EntryFile file(target, entry.path);
        RETURN_IF_ERROR(file.open());
        ssize_t got = 0;
        while ((got = ::read(fd.get(), piece.data(), piece.size())) > 0)
            RETURN_IF_ERROR(file.write({piece.data(), static_cast<std::size_t>(got)}));
        if (got < 0)
            return systemError("read", source);
        ASSIGN_OR_RETURN(out[entry.path], file.finish());
    }
    return *std::move(text);
}

Result<std::string> extractTar(const fs::path &backup, const fs::path &target,
                               ExtractedEntries &out)
{
    const std::unique_ptr<archive, decltype(&archive_read_free)> reader(archive_read_new(),
                                                                        &archive_read_free);
    archive_read_support_format_tar(reader.get());
    archive_read_support_filter_zstd(reader.get());
    const auto failed = [&]() -> Error {
        const char *text = archive_error_string(reader.get());
        return {ErrorCode::InvalidArgument,
                fmt::format("{} is no backup, or is cut off or damaged: {}", backup.string(),
                            text ? text : "unknown error")};
    };
    std::error_code code;
    if (!fs::exists(backup, code))
        return {ErrorCode::NotFound, fmt::format("there is no backup {}", backup.string())};
    if (archive_read_open_filename(reader.get(), backup.c_str(), kPiece) != ARCHIVE_OK)
        return failed();
    std::string manifest;
    std::vector<char> piece(kPiece);
    archive_entry *entry = nullptr;
    int status = ARCHIVE_OK;
    while ((status = archive_read_next_header(reader.get(), &entry)) >= ARCHIVE_WARN &&
           status != ARCHIVE_EOF) {
        const char *name = archive_entry_pathname(entry);
        const std::string path = name ? name : "";
        if (!isSafe(path) || archive_entry_filetype(entry) != AE_IFREG || out.contains(path))
            return {ErrorCode::InvalidArgument,
                    fmt::format("{} has an unsafe entry '{}'", backup.string(), path)};
        const bool isManifest = path == kManifest;
        EntryFile file(target, path);
        if (!isManifest)
            RETURN_IF_ERROR(file.open());
        la_ssize_t got = 0;
        while ((got = archive_read_data(reader.get(), piece.data(), piece.size())) > 0) {
            const std::span<const char> bytes(piece.data(), static_cast<std::size_t>(got));
            if (!isManifest) {
                RETURN_IF_ERROR(file.write(bytes));
                continue;
            }
            manifest.append(bytes.data(), bytes.size());
            if (manifest.size() > kLargestManifest)
                return {ErrorCode::LimitExceeded,
                        fmt::format("{}: the manifest is too large", backup.string())};
        }
        if (got < 0)
            return failed();
        if (!isManifest) {
            ASSIGN_OR_RETURN(out[path], file.finish());
        }
    }
    if (status != ARCHIVE_EOF)
        return failed();
    if (manifest.empty())
        return {ErrorCode::InvalidArgument,
                fmt::format("{} has no manifest: it is cut off or no backup", backup.string())};
    return manifest;
}

} // namespace

bool isFileForm(const fs::path &path)
{
    const std::string name = path.filename().string();
    return name.ends_with(".tar.zst") || name.ends_with(".tzst");
}

Result<std::unique_ptr<BackupWriter>> BackupWriter::create(const fs::path &destination)
{
    std::error_code code;
    if (fs::exists(destination, code))
        return {ErrorCode::AlreadyExists,
                fmt::format("{} exists already; name a new file or folder", destination.string())};
    if (isFileForm(destination)) {
        auto writer = std::make_unique<TarWriter>(destination);
        RETURN_IF_ERROR(writer->open());
        return std::unique_ptr<BackupWriter>(std::move(writer));
    }
    auto writer = std::make_unique<FolderWriter>(destination);
    RETURN_IF_ERROR(writer->open());
    return std::unique_ptr<BackupWriter>(std::move(writer));
}

Status BackupWriter::add(const fs::path &source, const std::string &path, bool secret)
{
    const Descriptor fd(::open(source.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    struct stat status = {};
    if (fd.get() < 0 || ::fstat(fd.get(), &status) != 0)
        return systemError("read", source);
    ManifestEntry entry{path, static_cast<std::uint64_t>(status.st_size), {}, secret};
    ASSIGN_OR_RETURN(const Bytes write, begin(path, entry.size, secret));
    Sum sum;
    std::vector<char> piece(kPiece);
    for (std::uint64_t rest = entry.size; rest > 0;) {
        const auto want = static_cast<std::size_t>(std::min<std::uint64_t>(rest, piece.size()));
        const ssize_t got = ::read(fd.get(), piece.data(), want);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return systemError("read", source);
        if (got == 0)
            return {ErrorCode::Io, fmt::format("{} became shorter while it was copied; make the "
                                               "backup again",
                                               source.string())};
        const std::span<const char> bytes(piece.data(), static_cast<std::size_t>(got));
        sum.add(bytes);
        RETURN_IF_ERROR(write(bytes));
        rest -= static_cast<std::uint64_t>(got);
    }
    RETURN_IF_ERROR(end());
    entry.sha256 = sum.finish();
    m_entries.push_back(std::move(entry));
    return {};
}

Status BackupWriter::finish(Manifest facts)
{
    facts.entries = m_entries;
    const std::string text = manifestText(facts);
    ASSIGN_OR_RETURN(const Bytes write, begin(kManifest, text.size(), false));
    RETURN_IF_ERROR(write(text));
    RETURN_IF_ERROR(end());
    return publish();
}

Result<Manifest> extractBackup(const fs::path &backup, const fs::path &target)
{
    if (::mkdir(target.c_str(), 0700) != 0)
        return systemError("create", target);
    std::error_code code;
    ExtractedEntries extracted;
    ASSIGN_OR_RETURN(const std::string text, fs::is_directory(backup, code)
                                                 ? extractFolder(backup, target, extracted)
                                                 : extractTar(backup, target, extracted));
    ASSIGN_OR_RETURN(auto manifest, manifestOf(text, backup));
    std::string problems;
    const auto report = [&](const std::string &path, const char *what) {
        if (problems.size() < 1000)
            problems += fmt::format("{}{} {}", problems.empty() ? "" : ", ", path, what);
    };
    for (const auto &entry : manifest.entries) {
        const auto found = extracted.find(entry.path);
        if (found == extracted.end())
            report(entry.path, "is missing");
        else if (found->second.size != entry.size || found->second.sha256 != entry.sha256)
            report(entry.path, "is damaged");
        if (!entry.secret)
            ::chmod((target / entry.path).c_str(), 0644);
        if (found != extracted.end())
            extracted.erase(found);
    }
    for (const auto &[path, entry] : extracted)
        report(path, "is not listed");
    if (!problems.empty())
        return {ErrorCode::Internal, fmt::format("{} is damaged: {}", backup.string(), problems)};
    return manifest;
}

} // namespace server::backup
