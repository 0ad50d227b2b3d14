#pragma once
/// What jobs leave beside logs, artifacts and test results (code coverage, attachments, tags of the
/// run), and secure files, which only jobs may read.

#include "schema/protocol/job_resources.h"
#include "server/store/database.h"

#include <optional>
#include <string>
#include <vector>

namespace server::store {

struct AttachmentRow
{
    std::int64_t id = 0;
    std::string recordId, type, name;
    std::int64_t size = 0;
};

struct SecureFileRow
{
    std::string id; ///< GUID
    std::string projectId, name;
    std::int64_t size = 0; ///< bytes in clear
    std::string createdBy; ///< identity, may be empty
    schema::TimePoint createdAt{};
    std::string createdByName; ///< read only, joined
};

/// Statements within the caller's transaction. Methods throw SqlError (see database.h).
class JobResourceStore
{
public:
    explicit JobResourceStore(Connection &connection)
        : m_connection(connection)
    {}

    /// A repeat of the same job and key replaces it.
    void putCoverage(std::int64_t runId, const std::string &jobId,
                     const schema::protocol::CoverageUpload &coverage);
    /// Sums over the jobs of the run, by label.
    [[nodiscard]] std::vector<schema::protocol::CoverageStatistic> coverage(std::int64_t runId);

    /// A repeat replaces the content.
    void putAttachment(std::int64_t runId, const AttachmentRow &attachment, const Blob &content,
                       schema::TimePoint now);
    /// Oldest first; an empty type means all.
    [[nodiscard]] std::vector<AttachmentRow> attachments(std::int64_t runId, std::string_view type);
    [[nodiscard]] std::optional<Blob> attachment(std::int64_t runId, std::string_view recordId,
                                                 std::string_view type, std::string_view name);

    void addTags(std::int64_t runId, const std::vector<std::string> &tags);
    bool removeTag(std::int64_t runId, std::string_view tag);
    [[nodiscard]] std::vector<std::string> tags(std::int64_t runId);

    /// Throws SqlError AlreadyExists.
    void insertSecureFile(const SecureFileRow &file, const Blob &sealed);
    bool removeSecureFile(std::string_view projectId, std::string_view id);
    [[nodiscard]] std::vector<SecureFileRow> secureFiles(std::string_view projectId);
    /// Sealed content by name or id.
    [[nodiscard]] std::optional<Blob> secureFile(std::string_view projectId,
                                                 std::string_view nameOrId);

private:
    Connection &m_connection;
};

} // namespace server::store
