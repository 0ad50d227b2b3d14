#include "server/store/commit_metrics.h"

#include <sqlite3.h>

#include <atomic>

namespace server::store {
namespace {

std::atomic<std::uint64_t> g_flushes{0};

/// The methods that the system's VFS gave its files, and the same with our xSync. One pair is
/// enough: all files of a data directory lie on one file system, so they have one set of methods; a
/// file with other ones is left as it is.
std::atomic<const sqlite3_io_methods *> g_original{nullptr};
sqlite3_io_methods g_counted{};

int countedSync(sqlite3_file *file, int flags)
{
    g_flushes.fetch_add(1, std::memory_order_relaxed);
    return g_original.load()->xSync(file, flags);
}

int openCounted(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *outFlags)
{
    auto *system = static_cast<sqlite3_vfs *>(vfs->pAppData);
    const int code = system->xOpen(system, name, file, flags, outFlags);
    if (code != SQLITE_OK || !file->pMethods)
        return code;
    static const sqlite3_io_methods *const first = [&] {
        g_counted = *file->pMethods;
        g_counted.xSync = countedSync;
        g_original = file->pMethods;
        return file->pMethods;
    }();
    if (file->pMethods == first)
        file->pMethods = &g_counted;
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
