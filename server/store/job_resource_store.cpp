#include "server/store/job_resource_store.h"

namespace server::store {

namespace {

constexpr const char *kPutCoverage =
    "INSERT INTO code_coverage(job_id, key, label, run_id, tool, covered, total)"
    " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT DO UPDATE SET tool = excluded.tool,"
    " covered = excluded.covered, total = excluded.total";
constexpr const char *kCoverage =
    "SELECT label, SUM(covered), SUM(total) FROM code_coverage WHERE run_id = ?1"
    " GROUP BY label ORDER BY label <> 'Lines', label";
constexpr const char *kPutAttachment =
    "INSERT INTO attachment(run_id, record_id, type, name, content, created_at)"
    " VALUES(?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO UPDATE SET content = excluded.content";
constexpr const char *kAttachments =
    "SELECT id, record_id, type, name, length(content) FROM attachment"
    " WHERE run_id = ?1 AND (?2 = '' OR type = ?2 COLLATE NOCASE) ORDER BY id";
constexpr const char *kAttachment =
    "SELECT content FROM attachment WHERE run_id = ?1 AND record_id = ?2"
    " AND type = ?3 COLLATE NOCASE AND name = ?4";
constexpr const char *kAddTag = "INSERT OR IGNORE INTO run_tag(run_id, tag) VALUES(?1, ?2)";
constexpr const char *kRemoveTag = "DELETE FROM run_tag WHERE run_id = ?1 AND tag = ?2";
constexpr const char *kTags = "SELECT tag FROM run_tag WHERE run_id = ?1 ORDER BY tag";
constexpr const char *kInsertFile =
    "INSERT INTO secure_file(id, project_id, name, content_sealed, size, created_by, created_at)"
    " VALUES(?1, ?2, ?3, ?4, ?5, nullif(?6, ''), ?7)";
constexpr const char *kRemoveFile = "DELETE FROM secure_file WHERE project_id = ?1 AND id = ?2";
constexpr const char *kFiles =
    "SELECT f.id, f.project_id, f.name, f.size, ifnull(f.created_by, ''), f.created_at,"
    " ifnull(i.display_name, '') FROM secure_file f LEFT JOIN identity i ON i.id = f.created_by"
    " WHERE f.project_id = ?1 ORDER BY f.name";
constexpr const char *kFile = "SELECT content_sealed FROM secure_file WHERE project_id = ?1"
                              " AND (name = ?2 OR id = ?2) ORDER BY name <> ?2 LIMIT 1";

} // namespace

void JobResourceStore::putCoverage(std::int64_t runId, const std::string &jobId,
                                   const schema::protocol::CoverageUpload &coverage)
{
    for (const auto &one : coverage.statistics)
        m_connection.run(kPutCoverage, jobId, coverage.key, one.label, runId, coverage.tool,
                         one.covered, one.total);
}

std::vector<schema::protocol::CoverageStatistic> JobResourceStore::coverage(std::int64_t runId)
{
    std::vector<schema::protocol::CoverageStatistic> out;
    auto statement = m_connection.prepare(kCoverage);
    statement.bind(runId);
    while (statement.step())
        out.push_back({statement.get<std::string>(0), statement.get<std::int64_t>(1),
                       statement.get<std::int64_t>(2)});
    return out;
}

void JobResourceStore::putAttachment(std::int64_t runId, const AttachmentRow &attachment,
                                     const Blob &content, schema::TimePoint now)
{
    m_connection.run(kPutAttachment, runId, attachment.recordId, attachment.type, attachment.name,
                     content, now);
}

std::vector<AttachmentRow> JobResourceStore::attachments(std::int64_t runId, std::string_view type)
{
    std::vector<AttachmentRow> out;
    auto statement = m_connection.prepare(kAttachments);
    statement.bind(runId, type);
    while (statement.step())
        out.push_back({statement.get<std::int64_t>(0), statement.get<std::string>(1),
                       statement.get<std::string>(2), statement.get<std::string>(3),
                       statement.get<std::int64_t>(4)});
    return out;
}

std::optional<Blob> JobResourceStore::attachment(std::int64_t runId, std::string_view recordId,
                                                 std::string_view type, std::string_view name)
{
    auto statement = m_connection.prepare(kAttachment);
    if (!statement.bind(runId, recordId, type, name).step())
        return std::nullopt;
    return statement.get<Blob>(0);
}

void JobResourceStore::addTags(std::int64_t runId, const std::vector<std::string> &tags)
{
    for (const auto &tag : tags)
        m_connection.run(kAddTag, runId, tag);
}

bool JobResourceStore::removeTag(std::int64_t runId, std::string_view tag)
{
    auto statement = m_connection.prepare(kRemoveTag);
    return statement.bind(runId, tag).run() > 0;
}

std::vector<std::string> JobResourceStore::tags(std::int64_t runId)
{
    std::vector<std::string> out;
    auto statement = m_connection.prepare(kTags);
    statement.bind(runId);
    while (statement.step())
        out.push_back(statement.get<std::string>(0));
    return out;
}

void JobResourceStore::insertSecureFile(const SecureFileRow &file, const Blob &sealed)
{
    m_connection.run(kInsertFile, file.id, file.projectId, file.name, sealed, file.size,
                     file.createdBy, file.createdAt);
}

bool JobResourceStore::removeSecureFile(std::string_view projectId, std::string_view id)
{
    auto statement = m_connection.prepare(kRemoveFile);
    return statement.bind(projectId, id).run() > 0;
}

std::vector<SecureFileRow> JobResourceStore::secureFiles(std::string_view projectId)
{
    std::vector<SecureFileRow> out;
    auto statement = m_connection.prepare(kFiles);
    statement.bind(projectId);
    while (statement.step())
        out.push_back({statement.get<std::string>(0), statement.get<std::string>(1),
                       statement.get<std::string>(2), statement.get<std::int64_t>(3),
                       statement.get<std::string>(4), statement.get<schema::TimePoint>(5),
                       statement.get<std::string>(6)});
    return out;
}

std::optional<Blob> JobResourceStore::secureFile(std::string_view projectId,
                                                 std::string_view nameOrId)
{
    auto statement = m_connection.prepare(kFile);
    if (!statement.bind(projectId, nameOrId).step())
        return std::nullopt;
    return statement.get<Blob>(0);
}

} // namespace server::store
