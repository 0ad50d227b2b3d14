#pragma once
/// Backup of a data directory while its server runs, and the way back.
///
/// Order makes it consistent: first the database (one snapshot), then what it refers to. Logs only
/// grow, artifacts never change, git objects are copied after the refs; what is newer than the
/// snapshot and unknown to it stays out. Nothing is deleted meanwhile: retention and backup share a
/// lock.

#include "server/backup/backup_file.h"

#include <filesystem>

namespace server::backup {

struct Places
{
    std::filesystem::path database, sealingKey, operatorToken, logs, artifacts, repositories;
    std::filesystem::path deletionLock; ///< held shared by a backup, exclusively by retention
};

/// Places in a data folder.
Places placesIn(const std::filesystem::path &data);

/// Writes a backup of the data folder to `destination` (a new folder, or a new file ending in
/// .tar.zst). It holds the sealing key: whoever has the backup can read the secrets in it. Errors:
/// NotFound (no data there), AlreadyExists, Io, Internal (database damaged).
schema::Result<Manifest> create(const std::filesystem::path &data,
                                const std::filesystem::path &destination);

/// Puts a backup into `data`, which must be missing or empty. Everything is checked first (sums,
/// database, references); a backup that fails leaves nothing behind. Errors: as extractBackup;
/// AlreadyExists (data there); Conflict (written by a newer Slipway).
schema::Result<Manifest> restore(const std::filesystem::path &backup,
                                 const std::filesystem::path &data);

/// Checks a backup as restore() does, in a temporary folder beside it, and keeps nothing.
schema::Result<Manifest> verify(const std::filesystem::path &backup);

/// Lock that keeps retention and backups apart; released on destruction.
class DeletionLock
{
public:
    /// Shared: waits. Exclusive: errors with Unavailable when a backup is running.
    static schema::Result<DeletionLock> shared(const std::filesystem::path &file);
    static schema::Result<DeletionLock> exclusive(const std::filesystem::path &file);
    ~DeletionLock();
    DeletionLock(DeletionLock &&other) noexcept;
    DeletionLock(const DeletionLock &) = delete;
    DeletionLock &operator=(const DeletionLock &) = delete;
    DeletionLock &operator=(DeletionLock &&) = delete;

private:
    static schema::Result<DeletionLock> lock(const std::filesystem::path &file, int how);

    explicit DeletionLock(int fd)
        : m_fd(fd)
    {}

    int m_fd;
};

} // namespace server::backup
