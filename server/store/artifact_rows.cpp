#include "server/store/artifact_rows.h"

namespace server::store {
namespace {

ArtifactRow readRow(const Statement &s)
{
    return {s.get<std::int64_t>(0),  s.get<std::int64_t>(1),     s.get<std::string>(2),
            s.get<std::string>(3),   s.get<std::string>(4),      s.get<std::uint64_t>(5),
            s.get<std::uint64_t>(6), s.get<schema::TimePoint>(7)};
}

} // namespace

std::vector<ArtifactRow> ArtifactRows::list(std::int64_t runId)
{
    std::vector<ArtifactRow> rows;
    Statement s = m_connection.prepare(
        "SELECT id, run_id, name, record_id, blob_sha256, size, files, created_at FROM artifact "
        "WHERE run_id = ? ORDER BY id");
    s.bind(runId);
    while (s.step())
        rows.push_back(readRow(s));
    return rows;
}

std::optional<ArtifactRow> ArtifactRows::find(std::int64_t runId, const std::string &name)
{
    Statement s = m_connection.prepare(
        "SELECT id, run_id, name, record_id, blob_sha256, size, files, created_at FROM artifact "
        "WHERE run_id = ? AND name = ?");
    s.bind(runId, name);
    return s.step() ? std::optional(readRow(s)) : std::nullopt;
}

std::int64_t ArtifactRows::insert(const ArtifactRow &row)
{
    m_connection.run("INSERT INTO artifact(run_id, name, record_id, blob_sha256, size, files, "
                     "created_at) VALUES(?,?,?,?,?,?,?)",
                     row.runId, row.name, row.recordId, row.sha256, row.size, row.files,
                     row.createdAt);
    return m_connection.lastInsertId();
}

void ArtifactRows::replace(const ArtifactRow &row)
{
    m_connection.run("UPDATE artifact SET record_id = ?, blob_sha256 = ?, size = ?, files = ?, "
                     "created_at = ? WHERE id = ?",
                     row.recordId, row.sha256, row.size, row.files, row.createdAt, row.id);
}

} // namespace server::store
