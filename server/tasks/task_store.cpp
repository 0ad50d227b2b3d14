#include "server/tasks/task_store.h"

#include "schema/base/guid.h"
#include "server/tasks/package_reader.h"

#include <QCryptographicHash>
#include <QFile>
#include <QLoggingCategory>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <istream>
#include <unistd.h>

namespace server::tasks {
namespace {

namespace fs = std::filesystem;
using schema::Error;
using schema::ErrorCode;
using schema::Result;
using schema::Status;

Q_LOGGING_CATEGORY(lcTasks, "server.tasks", QtInfoMsg)

constexpr const char *kPackage = "package.zip";
constexpr const char *kInfo = "info.json";
constexpr const char *kIncoming = ".incoming-";

bool same(std::string_view a, std::string_view b)
{
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](unsigned char x, unsigned char y) {
        return std::tolower(x) == std::tolower(y);
    });
}

Error ioError(std::string_view doing, const fs::path &path, int code)
{
    return {code == EACCES ? ErrorCode::PermissionDenied : ErrorCode::Io,
            fmt::format("{} {}: {}{}", doing, path.string(), std::strerror(code),
                        code == ENOSPC ? "; free space on that disk" : "")};
}

Result<std::string> checksum(const fs::path &file)
{
    QFile in(QString::fromStdString(file.string()));
    QCryptographicHash hash(QCryptographicHash::Sha256);
    if (!in.open(QIODevice::ReadOnly) || !hash.addData(&in))
        return ioError("read", file, EIO);
    return hash.result().toHex().toStdString();
}

/// What was written is on disk when this returns.
Status synchronise(const fs::path &path)
{
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    const bool done = fd >= 0 && ::fsync(fd) == 0;
    const int code = errno;
    if (fd >= 0)
        ::close(fd);
    return done ? Status() : Status(ioError("write", path, code));
}

Status receive(std::istream &body, const fs::path &file)
{
    std::ofstream out(file, std::ios::binary | std::ios::trunc);
    std::vector<char> buffer(1U << 18U);
    std::uint64_t bytes = 0;
    while (body.good() && out.good()) {
        body.read(buffer.data(), static_cast<std::streamsize>(buffer.size()));
        bytes += static_cast<std::uint64_t>(body.gcount());
        if (bytes > kMaxPackageBytes)
            return {ErrorCode::LimitExceeded,
                    fmt::format("a task package may have {} MiB at most", kMaxPackageBytes >> 20U)};
        out.write(buffer.data(), body.gcount());
    }
    out.close();
    if (body.bad())
        return {ErrorCode::Io, "the package ended early; nothing was installed"};
    return out ? Status() : Status(ioError("write", file, errno == 0 ? EIO : errno));
}

bool isOf(const StoredTask &task, std::string_view reference)
{
    return same(task.id, reference) || same(task.name, reference) ||
           (!task.contribution.empty() && (same(task.contribution + "." + task.name, reference) ||
                                           same(task.contribution, reference)));
}

nlohmann::ordered_json infoOf(const StoredTask &task)
{
    return {{"id", task.id},
            {"name", task.name},
            {"version", task.version},
            {"title", task.title},
            {"description", task.description},
            {"contribution", task.contribution},
            {"demands", task.demands},
            {"sha256", task.sha256},
            {"size", task.size},
            {"installedAt", schema::toEpochMillis(task.installedAt)}};
}

Result<StoredTask> readInfo(const fs::path &file)
{
    std::ifstream in(file, std::ios::binary);
    const auto json = nlohmann::ordered_json::parse(in, nullptr, false);
    if (!json.is_object())
        return Error{ErrorCode::InvalidArgument, fmt::format("{} is damaged", file.string())};
    StoredTask task;
    task.id = json.value("id", "");
    task.name = json.value("name", "");
    task.version = json.value("version", "");
    task.title = json.value("title", "");
    task.description = json.value("description", "");
    task.contribution = json.value("contribution", "");
    if (const auto demands = json.find("demands"); demands != json.end() && demands->is_array()) {
        for (const auto &demand : *demands) {
            if (demand.is_string())
                task.demands.push_back(demand.get<std::string>());
        }
    }
    task.sha256 = json.value("sha256", "");
    task.size = json.value("size", std::uint64_t{0});
    task.installedAt = schema::fromEpochMillis(json.value("installedAt", std::int64_t{0}));
    return task;
}

} // namespace

Result<std::unique_ptr<TaskStore>> TaskStore::open(const fs::path &root)
{
    std::error_code code;
    fs::create_directories(root, code);
    if (code)
        return ioError("create", root, code.value());
    std::unique_ptr<TaskStore> store(new TaskStore(root));
    RETURN_IF_ERROR(store->load());
    return store;
}

Status TaskStore::load()
{
    std::error_code code;
    for (const auto &entry : fs::directory_iterator(m_root, code)) {
        if (entry.path().filename().string().starts_with(kIncoming)) {
            std::error_code ignored; // tried again at the next start
            fs::remove_all(entry.path(), ignored);
            continue;
        }
        std::error_code inner;
        for (const auto &version : fs::directory_iterator(entry.path(), inner)) {
            auto task = readInfo(version.path() / kInfo);
            if (task && fs::is_regular_file(version.path() / kPackage, inner))
                m_tasks.push_back(std::move(*task));
            else
                qCWarning(lcTasks, "the task package %s is damaged and left out",
                          version.path().c_str());
        }
    }
    return code ? Status(ioError("read", m_root, code.value())) : Status();
}

Result<std::vector<StoredTask>> TaskStore::install(std::istream &body, const std::string &sha256)
{
    fs::path folder;
    {
        const std::lock_guard lock(m_mutex);
        folder = m_root / fmt::format("{}{}-{}", kIncoming, ::getpid(), ++m_next);
    }

    struct Cleaner
    {
        fs::path path;

        ~Cleaner()
        {
            std::error_code ignored; // removed at the next start
            fs::remove_all(path, ignored);
        }
    } const cleaner{folder};

    std::error_code code;
    fs::create_directories(folder, code);
    if (code)
        return ioError("create", folder, code.value());
    const fs::path upload = folder / "upload";
    RETURN_IF_ERROR(receive(body, upload));
    if (!sha256.empty()) {
        ASSIGN_OR_RETURN(const auto actual, checksum(upload));
        if (!same(actual, sha256))
            return Error{ErrorCode::InvalidArgument,
                         fmt::format("the package has a wrong checksum: expected SHA-256 {}, got "
                                     "{}; nothing was installed",
                                     sha256, actual)};
    }
    ASSIGN_OR_RETURN(const auto found, findTaskFolders(upload));
    std::vector<StoredTask> out;
    for (const auto &task : found) {
        ASSIGN_OR_RETURN(auto stored, add(upload, task.path, task.contribution));
        out.push_back(std::move(stored));
    }
    return out;
}

Result<StoredTask> TaskStore::add(const fs::path &upload, const std::string &folder,
                                  const std::string &contribution)
{
    const fs::path fresh = upload.parent_path() / "task";
    std::error_code code;
    fs::remove_all(fresh, code);
    fs::create_directories(fresh, code);
    if (code)
        return ioError("create", fresh, code.value());
    ASSIGN_OR_RETURN(const auto text, copyTaskFolder(upload, folder, fresh / kPackage));
    auto execution = schema::parseTaskExecution(text);
    if (!execution)
        return std::move(execution).error().withContext(folder.empty() ? "task.json"
                                                                       : folder + "/task.json");
    StoredTask task;
    const auto &definition = execution->definition;
    task.id = definition.id;
    task.name = definition.name;
    task.version = execution->version();
    task.title = definition.friendlyName;
    task.description = definition.description;
    task.contribution = contribution;
    task.demands = execution->demands;
    if (!schema::isGuid(task.id))
        return Error{ErrorCode::InvalidArgument, "task.json: `id` is no GUID"};
    if (task.name.find_first_of("/\\@ ") != std::string::npos || task.name.size() > 200)
        return Error{ErrorCode::InvalidArgument,
                     "task.json: `name` may not hold blanks, slashes or '@'"};
    ASSIGN_OR_RETURN(task.sha256, checksum(fresh / kPackage));
    task.size = fs::file_size(fresh / kPackage, code);
    task.installedAt = schema::wallClockNow();
    std::ofstream(fresh / "task.json", std::ios::binary) << text;
    std::ofstream(fresh / kInfo, std::ios::binary) << infoOf(task).dump(1);
    for (const char *name : {kPackage, "task.json", kInfo})
        RETURN_IF_ERROR(synchronise(fresh / name));

    const std::lock_guard lock(m_mutex);
    for (const StoredTask &known : m_tasks) {
        if (known.id == task.id && known.version == task.version) {
            if (known.sha256 == task.sha256)
                return known;
            return Error{ErrorCode::AlreadyExists,
                         fmt::format("version {} of the task {} is installed with other content; "
                                     "raise the version in task.json, or remove it first: slipway "
                                     "task remove {}@{}",
                                     task.version, task.name, task.name, task.version)};
        }
        // Bash@3 and ShellScript@2 may share an id; a name and major version may not be two tasks.
        if (known.id != task.id && same(known.name, task.name) &&
            known.contribution == task.contribution &&
            schema::versionNumbers(known.version)[0] == definition.version[0])
            return Error{ErrorCode::AlreadyExists,
                         fmt::format("{}@{} is another task already (id {})", task.name,
                                     definition.version[0], known.id)};
    }
    const fs::path place = m_root / task.id / task.version;
    fs::create_directories(place.parent_path(), code);
    if (!code)
        fs::rename(fresh, place, code);
    if (code)
        return ioError("move a package to", place, code.value());
    RETURN_IF_ERROR(synchronise(place));
    RETURN_IF_ERROR(synchronise(place.parent_path()));
    RETURN_IF_ERROR(synchronise(m_root));
    m_tasks.push_back(task);
    return task;
}

std::vector<StoredTask> TaskStore::list() const
{
    std::vector<StoredTask> out;
    {
        const std::lock_guard lock(m_mutex);
        out = m_tasks;
    }
    std::sort(out.begin(), out.end(), [](const StoredTask &a, const StoredTask &b) {
        return std::tuple(a.name, schema::versionNumbers(a.version)) <
               std::tuple(b.name, schema::versionNumbers(b.version));
    });
    return out;
}

Result<StoredTask> TaskStore::find(std::string_view reference, std::string_view version) const
{
    std::string others;
    const StoredTask *best = nullptr;
    const auto tasks = list();
    for (const StoredTask &task : tasks) {
        if (!isOf(task, reference))
            continue;
        others += (others.empty() ? "" : ", ") + task.version;
        const auto numbers = schema::versionNumbers(task.version);
        if (schema::answersTo(numbers, version) &&
            (best == nullptr || schema::versionNumbers(best->version) < numbers))
            best = &task;
    }
    if (best != nullptr)
        return *best;
    return Error{ErrorCode::NotFound,
                 others.empty()
                     ? fmt::format("the server's task store has no task '{}'", reference)
                     : fmt::format("the server's task store has version {} of the task '{}'",
                                   others, reference)};
}

Result<fs::path> TaskStore::package(const std::string &id, const std::string &version) const
{
    const std::lock_guard lock(m_mutex);
    for (const StoredTask &task : m_tasks) {
        if (same(task.id, id) && task.version == version)
            return m_root / task.id / task.version / kPackage;
    }
    return Error{ErrorCode::NotFound,
                 fmt::format("the task store has no package {} {}", id, version)};
}

Result<std::vector<StoredTask>> TaskStore::remove(std::string_view reference,
                                                  std::string_view version)
{
    const std::lock_guard lock(m_mutex);
    std::vector<StoredTask> out;
    for (const StoredTask &task : m_tasks) {
        if (isOf(task, reference) &&
            schema::answersTo(schema::versionNumbers(task.version), version))
            out.push_back(task);
    }
    if (out.empty())
        return Error{ErrorCode::NotFound,
                     fmt::format("there is no installed task '{}{}{}'", reference,
                                 version.empty() ? "" : "@", version)};
    for (const StoredTask &task : out) {
        // A running download keeps its open file; the name goes first, so no half folder is read.
        const fs::path place = m_root / task.id / task.version;
        const fs::path gone = m_root / fmt::format("{}{}-{}", kIncoming, ::getpid(), ++m_next);
        std::error_code code;
        fs::rename(place, gone, code);
        if (code)
            return ioError("remove", place, code.value());
        std::erase_if(m_tasks, [&task](const StoredTask &known) {
            return known.id == task.id && known.version == task.version;
        });
        std::error_code ignored; // removed at the next start
        fs::remove_all(gone, ignored);
        RETURN_IF_ERROR(synchronise(m_root));
    }
    return out;
}

} // namespace server::tasks
