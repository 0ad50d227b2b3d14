#pragma once
/// Pipelines (definitions) and their counters.

#include "server/store/database.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace server::store {

struct Pipeline
{
    std::int64_t id = 0;
    std::string projectId;
    std::string name;
    std::string folder = "\\";
    std::string repositoryId;
    std::string yamlPath; ///< begins with '/'
    std::string defaultBranch = "refs/heads/main";
    std::int64_t revision = 1;
    int queueStatus = 0;    ///< 0 enabled, 1 paused, 2 disabled
    int maxParallelism = 0; ///< jobs of it that workers may hold at once; 0: no limit
    schema::TimePoint createdAt;
    bool deleted = false; ///< read only; runs that were deployed still refer to it
};

class PipelineStore
{
public:
    explicit PipelineStore(Connection &connection)
        : m_connection(connection)
    {}

    /// Gives the new id. Throws SqlError AlreadyExists when the folder has one of that name.
    std::int64_t insert(const Pipeline &pipeline);
    /// Writes name, folder, path, default branch, queue status and limit, and counts the revision
    /// up. Throws SqlError AlreadyExists.
    void update(const Pipeline &pipeline);
    [[nodiscard]] std::optional<Pipeline> find(std::int64_t id);
    /// By name ignoring case, within a project.
    [[nodiscard]] std::optional<Pipeline> findByName(std::string_view projectId,
                                                     std::string_view name);
    /// By name; of one project. Lists leave deleted ones out.
    [[nodiscard]] std::vector<Pipeline> list(std::string_view projectId);
    [[nodiscard]] std::vector<Pipeline> listOfRepository(std::string_view repositoryId);
    [[nodiscard]] std::vector<Pipeline> listAll();
    /// Pipelines with a limit: id and how many jobs workers may hold at once.
    [[nodiscard]] std::map<std::int64_t, int> limits();

    /// Next value of a counter: `seed` the first time, then one more each time
    /// (pipeline-language 9, counter()).
    std::int64_t nextCounter(std::int64_t pipelineId, std::string_view prefix, std::int64_t seed);

private:
    Connection &m_connection;
};

} // namespace server::store
