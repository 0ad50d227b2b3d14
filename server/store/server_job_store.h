#pragma once
/// Jobs of `pool: server` that run, sealed.

#include "server/store/database.h"

#include <string>
#include <utility>
#include <vector>

namespace server::store {

/// Statements within the caller's transaction. Methods throw SqlError (see database.h).
class ServerJobStore
{
public:
    explicit ServerJobStore(Connection &connection)
        : m_connection(connection)
    {}

    /// Inserts or replaces.
    void put(const std::string &jobId, const Blob &sealed)
    {
        m_connection.run("INSERT INTO server_job(job_id, state_sealed) VALUES(?1, ?2)"
                         " ON CONFLICT DO UPDATE SET state_sealed = excluded.state_sealed",
                         jobId, sealed);
    }

    void remove(const std::string &jobId)
    {
        m_connection.run("DELETE FROM server_job WHERE job_id = ?1", jobId);
    }

    [[nodiscard]] std::vector<std::pair<std::string, Blob>> all()
    {
        std::vector<std::pair<std::string, Blob>> out;
        auto statement = m_connection.prepare("SELECT job_id, state_sealed FROM server_job");
        while (statement.step())
            out.emplace_back(statement.get<std::string>(0), statement.get<Blob>(1));
        return out;
    }

private:
    Connection &m_connection;
};

} // namespace server::store
