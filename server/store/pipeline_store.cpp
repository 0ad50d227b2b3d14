#include "server/store/pipeline_store.h"

namespace server::store {

namespace {

#define SLIPWAY_PIPELINE_COLUMNS                                                                   \
    "SELECT id, project_id, name, folder, repository_id, yaml_path, default_branch, revision,"     \
    " queue_status, created_at, deleted_at IS NOT NULL, max_parallelism"                           \
    " FROM pipeline "

constexpr const char *kInsert =
    "INSERT INTO pipeline(project_id, name, folder, repository_id, yaml_path, default_branch,"
    " revision, queue_status, created_at, max_parallelism)"
    " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
constexpr const char *kUpdate =
    "UPDATE pipeline SET name = ?2, folder = ?3, yaml_path = ?4, default_branch = ?5,"
    " queue_status = ?6, max_parallelism = ?7, revision = revision + 1 WHERE id = ?1";
constexpr const char *kFind = SLIPWAY_PIPELINE_COLUMNS "WHERE id = ?1";
constexpr const char *kFindByName = SLIPWAY_PIPELINE_COLUMNS
    "WHERE project_id = ?1 AND name = ?2 AND deleted_at IS NULL ORDER BY id";
constexpr const char *kList =
    SLIPWAY_PIPELINE_COLUMNS "WHERE project_id = ?1 AND deleted_at IS NULL ORDER BY name, id";
constexpr const char *kListOfRepository =
    SLIPWAY_PIPELINE_COLUMNS "WHERE repository_id = ?1 AND deleted_at IS NULL ORDER BY id";
constexpr const char *kListAll = SLIPWAY_PIPELINE_COLUMNS "WHERE deleted_at IS NULL ORDER BY id";
constexpr const char *kNextCounter =
    "INSERT INTO pipeline_counter(pipeline_id, prefix, value) VALUES(?1, ?2, ?3)"
    " ON CONFLICT(pipeline_id, prefix) DO UPDATE SET value = value + 1 RETURNING value";

#undef SLIPWAY_PIPELINE_COLUMNS

Pipeline row(Statement &statement)
{
    Pipeline pipeline;
    pipeline.id = statement.get<std::int64_t>(0);
    pipeline.projectId = statement.get<std::string>(1);
    pipeline.name = statement.get<std::string>(2);
    pipeline.folder = statement.get<std::string>(3);
    pipeline.repositoryId = statement.get<std::string>(4);
    pipeline.yamlPath = statement.get<std::string>(5);
    pipeline.defaultBranch = statement.get<std::string>(6);
    pipeline.revision = statement.get<std::int64_t>(7);
    pipeline.queueStatus = statement.get<int>(8);
    pipeline.createdAt = statement.get<schema::TimePoint>(9);
    pipeline.deleted = statement.get<bool>(10);
    pipeline.maxParallelism = statement.get<int>(11);
    return pipeline;
}

std::vector<Pipeline> rows(Statement &statement)
{
    std::vector<Pipeline> out;
    while (statement.step())
        out.push_back(row(statement));
    return out;
}

} // namespace

std::int64_t PipelineStore::insert(const Pipeline &pipeline)
{
    m_connection.run(kInsert, pipeline.projectId, pipeline.name, pipeline.folder,
                     pipeline.repositoryId, pipeline.yamlPath, pipeline.defaultBranch,
                     pipeline.revision, pipeline.queueStatus, pipeline.createdAt,
                     pipeline.maxParallelism);
    return m_connection.lastInsertId();
}

void PipelineStore::update(const Pipeline &pipeline)
{
    m_connection.run(kUpdate, pipeline.id, pipeline.name, pipeline.folder, pipeline.yamlPath,
                     pipeline.defaultBranch, pipeline.queueStatus, pipeline.maxParallelism);
}

std::optional<Pipeline> PipelineStore::find(std::int64_t id)
{
    auto statement = m_connection.prepare(kFind);
    if (!statement.bind(id).step())
        return std::nullopt;
    return row(statement);
}

std::optional<Pipeline> PipelineStore::findByName(std::string_view projectId, std::string_view name)
{
    auto statement = m_connection.prepare(kFindByName);
    if (!statement.bind(projectId, name).step())
        return std::nullopt;
    return row(statement);
}

std::vector<Pipeline> PipelineStore::list(std::string_view projectId)
{
    auto statement = m_connection.prepare(kList);
    return rows(statement.bind(projectId));
}

std::vector<Pipeline> PipelineStore::listOfRepository(std::string_view repositoryId)
{
    auto statement = m_connection.prepare(kListOfRepository);
    return rows(statement.bind(repositoryId));
}

std::vector<Pipeline> PipelineStore::listAll()
{
    auto statement = m_connection.prepare(kListAll);
    return rows(statement);
}

std::map<std::int64_t, int> PipelineStore::limits()
{
    std::map<std::int64_t, int> limits;
    Statement statement =
        m_connection.prepare("SELECT id, max_parallelism FROM pipeline WHERE max_parallelism > 0");
    while (statement.step())
        limits.emplace(statement.get<std::int64_t>(0), statement.get<int>(1));
    return limits;
}

std::int64_t PipelineStore::nextCounter(std::int64_t pipelineId, std::string_view prefix,
                                        std::int64_t seed)
{
    auto statement = m_connection.prepare(kNextCounter);
    statement.bind(pipelineId, prefix, seed).step();
    const auto value = statement.get<std::int64_t>(0);
    while (statement.step()) // a RETURNING statement takes effect when it is stepped to its end
        ;
    return value;
}

} // namespace server::store
