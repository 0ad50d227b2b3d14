#include "server/tasks/package_reader.h"

#include "schema/tasks/package_limits.h"

#include <archive.h>
#include <archive_entry.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <set>

namespace server::tasks {
namespace {

namespace fs = std::filesystem;
using schema::Error;
using schema::ErrorCode;
using schema::Result;
using schema::Status;

constexpr std::size_t kBlock = 1U << 17U;
constexpr std::size_t kMostManifestBytes = 16U << 20U;
constexpr const char *kTaskFile = "task.json";
constexpr const char *kManifest = "extension.vsomanifest";

struct ReaderDeleter
{
    void operator()(archive *a) const { archive_read_free(a); }
};

struct WriterDeleter
{
    void operator()(archive *a) const { archive_write_free(a); }
};

using Reader = std::unique_ptr<archive, ReaderDeleter>;

Error damaged(archive *reader)
{
    const char *why = archive_error_string(reader);
    return {ErrorCode::InvalidArgument,
            fmt::format("the package is no zip archive or is damaged: {}", why ? why : "?")};
}

Result<Reader> openZip(const fs::path &file)
{
    Reader reader(archive_read_new());
    archive_read_support_format_zip_seekable(reader.get());
    if (archive_read_open_filename(reader.get(), file.c_str(), kBlock) != ARCHIVE_OK)
        return damaged(reader.get());
    return reader;
}

/// Normal form of an entry's path, with a remark when it may not be.
Result<std::string> safePath(archive_entry *entry)
{
    const char *raw = archive_entry_pathname(entry);
    const std::string name = raw ? raw : "";
    std::string text = name;
    std::replace(text.begin(), text.end(), '\\', '/'); // as some tools for extensions write it
    const fs::path path = fs::path(text).lexically_normal();
    if (text.empty() || path.is_absolute() || *path.begin() == "..")
        return Error{ErrorCode::InvalidArgument,
                     fmt::format("the package holds the path '{}', which leaves it", name)};
    std::string out = path.generic_string();
    while (out.ends_with('/'))
        out.pop_back();
    return out;
}

Result<std::string> contentOf(archive *reader, std::size_t limit)
{
    std::string out;
    std::array<char, 16384> buffer{};
    la_ssize_t count = 0;
    while ((count = archive_read_data(reader, buffer.data(), buffer.size())) > 0) {
        out.append(buffer.data(), static_cast<std::size_t>(count));
        if (out.size() > limit)
            return Error{ErrorCode::LimitExceeded, "a manifest of the package is too long"};
    }
    if (count < 0)
        return damaged(reader);
    return out;
}

/// Calls `visit(reader, entry, path)` for each entry.
template <typename Visit> Status forEach(archive *reader, const Visit &visit)
{
    archive_entry *entry = nullptr;
    std::size_t entries = 0;
    while (true) {
        const int next = archive_read_next_header(reader, &entry);
        if (next == ARCHIVE_EOF)
            return {};
        if (next != ARCHIVE_OK && next != ARCHIVE_WARN)
            return damaged(reader);
        if (++entries > schema::kMostPackageFiles)
            return {ErrorCode::LimitExceeded, "the package holds too many files"};
        ASSIGN_OR_RETURN(const auto path, safePath(entry));
        RETURN_IF_ERROR(visit(entry, path));
    }
}

std::string textOf(const nlohmann::json &object, const char *name)
{
    const auto found = object.is_object() ? object.find(name) : object.end();
    return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

/// Folders that the manifest of an extension contributes as tasks, with their full names.
std::vector<TaskFolder> contributions(const std::string &text)
{
    std::vector<TaskFolder> out;
    const auto json = nlohmann::json::parse(text, nullptr, false, true);
    const auto list = json.is_object() ? json.find("contributions") : json.end();
    if (!json.is_object() || list == json.end() || !list->is_array())
        return out;
    std::string extension = textOf(json, "publisher");
    const std::string name =
        textOf(json, "extensionId").empty() ? textOf(json, "id") : textOf(json, "extensionId");
    if (!extension.empty() && !name.empty())
        extension += "." + name + ".";
    for (const auto &contribution : *list) {
        if (textOf(contribution, "type") != "ms.vss-distributed-task.task")
            continue;
        const auto properties = contribution.find("properties");
        std::string folder =
            properties == contribution.end() ? std::string() : textOf(*properties, "name");
        while (folder.ends_with('/'))
            folder.pop_back();
        if (!folder.empty())
            out.push_back({folder, extension + textOf(contribution, "id")});
    }
    return out;
}

/// Folder of a task.json that may count: not deeper than two folders, not a dependency's.
bool mayBeTask(const std::string &folder)
{
    return std::count(folder.begin(), folder.end(), '/') < 2 &&
           folder.find("node_modules") == std::string::npos;
}

} // namespace

Result<std::vector<TaskFolder>> findTaskFolders(const fs::path &file)
{
    ASSIGN_OR_RETURN(const auto reader, openZip(file));
    std::set<std::string> found; // sorted: the same archive gives the same order
    std::string manifest;
    RETURN_IF_ERROR(
        forEach(reader.get(), [&](archive_entry * /*entry*/, const std::string &path) -> Status {
            if (path == kManifest) {
                ASSIGN_OR_RETURN(manifest, contentOf(reader.get(), kMostManifestBytes));
            } else if (path == kTaskFile || path.ends_with(std::string("/") + kTaskFile)) {
                const auto slash = path.rfind('/');
                found.insert(slash == std::string::npos ? std::string() : path.substr(0, slash));
            }
            return {};
        }));
    std::vector<TaskFolder> out;
    // Each contributed folder holds a task, or a folder per major version that does.
    for (const auto &contribution : contributions(manifest)) {
        for (const auto &folder : found) {
            const auto slash = folder.rfind('/');
            if (folder == contribution.path ||
                (slash != std::string::npos && folder.substr(0, slash) == contribution.path))
                out.push_back({folder, contribution.contribution});
        }
    }
    if (out.empty()) {
        for (const auto &folder : found) {
            if (found.contains("") ? folder.empty() : mayBeTask(folder))
                out.push_back({folder, {}});
        }
    }
    if (out.empty())
        return Error{ErrorCode::InvalidArgument,
                     "the package holds no task: there is no task.json at its root or in a folder "
                     "of it, and no extension manifest that contributes one"};
    return out;
}

Result<std::string> copyTaskFolder(const fs::path &file, const std::string &folder,
                                   const fs::path &package)
{
    ASSIGN_OR_RETURN(const auto reader, openZip(file));
    const std::unique_ptr<archive, WriterDeleter> writer(archive_write_new());
    archive_write_set_format_zip(writer.get());
    const auto unwritable = [&] {
        return Error{ErrorCode::Io, fmt::format("write {}: {}", package.string(),
                                                archive_error_string(writer.get()))};
    };
    if (archive_write_open_filename(writer.get(), package.c_str()) != ARCHIVE_OK)
        return unwritable();
    const std::string prefix = folder.empty() ? std::string() : folder + "/";
    std::string taskJson;
    std::error_code error;
    const std::uint64_t packed = fs::file_size(file, error);
    if (error)
        return Error{ErrorCode::Io, fmt::format("read {}: {}", file.string(), error.message())};
    std::uint64_t bytes = 0;
    std::vector<char> buffer(kBlock);
    RETURN_IF_ERROR(
        forEach(reader.get(), [&](archive_entry *entry, const std::string &path) -> Status {
            if (!path.starts_with(prefix) || archive_entry_filetype(entry) == AE_IFDIR)
                return {};
            const std::string name = path.substr(prefix.size());
            if (archive_entry_filetype(entry) != AE_IFREG)
                return {ErrorCode::InvalidArgument,
                        fmt::format("the package holds a link or device at '{}'", path)};
            archive_entry *copy = archive_entry_new();
            archive_entry_set_pathname(copy, name.c_str());
            archive_entry_set_filetype(copy, AE_IFREG);
            archive_entry_set_perm(copy, (archive_entry_perm(entry) & 0111U) != 0 ? 0755 : 0644);
            archive_entry_set_mtime(copy, archive_entry_mtime(entry), 0);
            if (archive_entry_size_is_set(entry) != 0)
                archive_entry_set_size(copy, archive_entry_size(entry));
            const int header = archive_write_header(writer.get(), copy);
            archive_entry_free(copy);
            if (header != ARCHIVE_OK)
                return unwritable();
            la_ssize_t count = 0;
            while ((count = archive_read_data(reader.get(), buffer.data(), buffer.size())) > 0) {
                bytes += static_cast<std::uint64_t>(count);
                if (schema::isPackageBomb(bytes, packed))
                    return {ErrorCode::LimitExceeded,
                            fmt::format("'{}': the package unpacks to more than 1 GiB, or to more "
                                        "than 250 times its size; a task is smaller",
                                        path)};
                if (name == kTaskFile) {
                    if (taskJson.size() + static_cast<std::size_t>(count) > kMostManifestBytes)
                        return {ErrorCode::LimitExceeded, "task.json is too long"};
                    taskJson.append(buffer.data(), static_cast<std::size_t>(count));
                }
                if (archive_write_data(writer.get(), buffer.data(),
                                       static_cast<std::size_t>(count)) < 0)
                    return unwritable();
            }
            return count < 0 ? Status(damaged(reader.get())) : Status();
        }));
    if (archive_write_close(writer.get()) != ARCHIVE_OK)
        return unwritable();
    return taskJson;
}

} // namespace server::tasks
