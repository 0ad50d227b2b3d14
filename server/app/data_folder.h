#pragma once
/// The data folder of a server: where everything lies, and the lock that keeps a second server off.

#include "schema/base/result.h"

#include <filesystem>

namespace server::app {

class DataFolder
{
public:
    /// Creates the folder (mode 0700) when missing and locks it. What the process makes from now on
    /// is for its user only (umask). Errors: AlreadyExists when another
    /// server uses it (message names its process id); PermissionDenied, Io with path and remedy.
    static schema::Result<DataFolder> open(const std::filesystem::path &folder);
    ~DataFolder();
    DataFolder(DataFolder &&other) noexcept;
    DataFolder(const DataFolder &) = delete;
    DataFolder &operator=(const DataFolder &) = delete;
    DataFolder &operator=(DataFolder &&) = delete;

    [[nodiscard]] std::filesystem::path database() const { return m_folder / "slipway.db"; }

    [[nodiscard]] std::filesystem::path sealingKey() const { return m_folder / "sealing-key"; }

    [[nodiscard]] std::filesystem::path operatorToken() const
    {
        return m_folder / "operator-token";
    }

    /// Where the commands of this machine find the server's address.
    [[nodiscard]] std::filesystem::path url() const { return m_folder / "url"; }

    [[nodiscard]] std::filesystem::path logs() const { return m_folder / "logs"; }

    [[nodiscard]] std::filesystem::path artifacts() const { return m_folder / "artifacts"; }

    [[nodiscard]] std::filesystem::path deletionLock() const { return m_folder / "deletion-lock"; }

    [[nodiscard]] std::filesystem::path tasks() const { return m_folder / "tasks"; }

    [[nodiscard]] std::filesystem::path repositories() const { return m_folder / "repositories"; }

private:
    DataFolder(std::filesystem::path folder, int lock)
        : m_folder(std::move(folder))
        , m_lock(lock)
    {}

    std::filesystem::path m_folder;
    int m_lock; ///< descriptor that holds the lock; -1 when moved from
};

} // namespace server::app
