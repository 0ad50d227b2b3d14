#include "server/store/commit_metrics.h"

#include <sqlite3.h>

#include <array>
#include <atomic>
#include <mutex>

namespace server::store {
namespace {

std::atomic<std::uint64_t> g_flushes{0};

/// The methods that the system's VFS gave a file, with our xSync in place of its own. It has one
/// set for databases and another for journals and logs, which need no lock.
struct Counted
{
    sqlite3_io_methods methods{}; // first: a file points to it
    const sqlite3_io_methods *original = nullptr;
};

int countedSync(sqlite3_file *file, int flags)
{
    g_flushes.fetch_add(1, std::memory_order_relaxed);
    return reinterpret_cast<const Counted *>(file->pMethods)->original->xSync(file, flags);
}

/// The counted form of a set of methods; null when there are more sets than expected, whose files
/// are left as they are.
const sqlite3_io_methods *counted(const sqlite3_io_methods *original)
{
    static std::mutex mutex;
    static std::array<Counted, 4> known;
    const std::lock_guard lock(mutex);
    for (Counted &one : known) {
        if (one.original == nullptr) {
            one.methods = *original;
            one.methods.xSync = countedSync;
            one.original = original;
        }
        if (one.original == original)
            return &one.methods;
    }
    return nullptr;
}

int openCounted(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *outFlags)
{
    auto *system = static_cast<sqlite3_vfs *>(vfs->pAppData);
    const int code = system->xOpen(system, name, file, flags, outFlags);
    if (code != SQLITE_OK || !file->pMethods)
        return code;
    if (const auto *methods = counted(file->pMethods))
        file->pMethods = methods;
    return code;
}

} // namespace

schema::Durations &commitDurations()
{
    static schema::Durations durations;
    return durations;
}

std::uint64_t flushes()
{
    return g_flushes.load(std::memory_order_relaxed);
}

const char *countingVfs()
{
    static const char *const name = []() -> const char * {
        static sqlite3_vfs vfs;
        auto *system = sqlite3_vfs_find(nullptr);
        if (!system)
            return nullptr;
        vfs = *system;
        vfs.zName = "slipway";
        vfs.pNext = nullptr;
        // The system's functions find their own data in the VFS they are given.
        vfs.pAppData = system;
        vfs.xOpen = openCounted;
        vfs.xDelete = [](sqlite3_vfs *own, const char *file, int sync) {
            auto *real = static_cast<sqlite3_vfs *>(own->pAppData);
            return real->xDelete(real, file, sync);
        };
        vfs.xAccess = [](sqlite3_vfs *own, const char *file, int flags, int *out) {
            auto *real = static_cast<sqlite3_vfs *>(own->pAppData);
            return real->xAccess(real, file, flags, out);
        };
        vfs.xFullPathname = [](sqlite3_vfs *own, const char *file, int length, char *out) {
            auto *real = static_cast<sqlite3_vfs *>(own->pAppData);
            return real->xFullPathname(real, file, length, out);
        };
        return sqlite3_vfs_register(&vfs, 0) == SQLITE_OK ? vfs.zName : nullptr;
    }();
    return name;
}

} // namespace server::store
