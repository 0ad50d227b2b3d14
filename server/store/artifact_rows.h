#pragma once
/// Rows of artifacts; their content is server/artifacts' business.

#include "server/store/database.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace server::store {

struct ArtifactRow
{
    std::int64_t id = 0;
    std::int64_t runId = 0;
    std::string name, recordId, sha256;
    std::uint64_t size = 0, files = 0;
    schema::TimePoint createdAt{};
};

/// Statements on artifacts, within the caller's transaction. Methods throw SqlError.
class ArtifactRows
{
public:
    explicit ArtifactRows(Connection &connection)
        : m_connection(connection)
    {}

    std::vector<ArtifactRow> list(std::int64_t runId);
    /// Names compare ignoring case.
    std::optional<ArtifactRow> find(std::int64_t runId, const std::string &name);
    std::int64_t insert(const ArtifactRow &row);
    /// Everything but run and name of the row with this id.
    void replace(const ArtifactRow &row);

private:
    Connection &m_connection;
};

} // namespace server::store
