#include "server/app/data_copy.h"

#include "server/backup/backup.h"

#include <sodium.h>

#include <sys/stat.h>

namespace server::app {

using schema::Result;

namespace {

Result<BackupSummary> summaryOf(const Result<backup::Manifest> &manifest)
{
    if (!manifest)
        return manifest.error();
    BackupSummary out{manifest->createdAt, manifest->dataVersion, manifest->runs,
                      manifest->entries.size(), 0};
    for (const auto &entry : manifest->entries)
        out.bytes += entry.size;
    return out;
}

/// As DataFolder::open: what is copied is for this user only.
void keepToOurselves()
{
    ::umask(0077);
}

} // namespace

Result<BackupSummary> backUp(const std::filesystem::path &data,
                             const std::filesystem::path &destination)
{
    if (sodium_init() < 0)
        return {schema::ErrorCode::Internal, "libsodium could not be initialised"};
    keepToOurselves();
    return summaryOf(backup::create(data, destination));
}

Result<BackupSummary> verifyBackup(const std::filesystem::path &backup)
{
    if (sodium_init() < 0)
        return {schema::ErrorCode::Internal, "libsodium could not be initialised"};
    return summaryOf(backup::verify(backup));
}

Result<BackupSummary> restoreBackup(const std::filesystem::path &backup,
                                    const std::filesystem::path &data)
{
    if (sodium_init() < 0)
        return {schema::ErrorCode::Internal, "libsodium could not be initialised"};
    keepToOurselves();
    return summaryOf(backup::restore(backup, data));
}

} // namespace server::app
