#pragma once
/// JSON forms of Slipway's own additions (docs/api.md): versions, matrix, history, approvals.

#include "server/http/shapes.h"

#include <map>

namespace server::http {

/// Sets "pipeline" of `out` when it is known.
void setPipeline(Json &out, const environments::PipelineRef &pipeline);
Json versionJson(const environments::Version &version);
Json historyEntryJson(const environments::HistoryEntry &entry);

/// The matrix of a project, read at most once per answer.
class VersionsAhead
{
public:
    VersionsAhead(Services &services, std::string projectId)
        : m_services(services)
        , m_projectId(std::move(projectId))
    {}

    /// What approving would change: `[{service, from?, to}]` for the environment and run.
    schema::Result<Json> of(const checks::Approval &approval);

private:
    Services &m_services;
    std::string m_projectId;
    std::optional<environments::Matrix> m_matrix;
};

/// Slipway's ApprovalItem as `viewer` sees it.
schema::Result<Json> approvalItemJson(const checks::Approval &approval,
                                      const auth::Principal &viewer, VersionsAhead &versions);

} // namespace server::http
