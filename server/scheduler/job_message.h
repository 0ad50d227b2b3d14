#pragma once
/// The message that gives a worker everything about its job. Pure: all facts come in.

#include "pipelines/run/graph.h"
#include "schema/base/result.h"
#include "schema/protocol/messages.h"
#include "server/scheduler/run_snapshot.h"
#include "server/store/environment_store.h"
#include "server/store/identity_store.h"
#include "server/store/repository_store.h"
#include "server/store/run_store.h"

#include <optional>
#include <set>
#include <string>
#include <vector>

namespace server::scheduler {

/// Predefined variables of a run that expressions of stages and jobs may read (pipeline-language
/// 17), and those given at queue time. URLs are missing: they depend on how a worker reaches the
/// server.
std::vector<schema::protocol::JobVariable> runVariables(const store::RunRow &run,
                                                        const store::RunFacts &facts);

struct MessageInput
{
    const RunSnapshot *snapshot = nullptr;
    const store::RunFacts *facts = nullptr;
    const store::JobRow *job = nullptr;
    const pipelines::run::JobInstance *instance = nullptr;
    std::string serverUrl; ///< without a slash at the end
    std::string jobToken;
    std::int64_t workerId = 0;
    /// Who started or repeated the stage; nothing: it came by itself.
    std::optional<store::Identity> stageRequestedBy;
    std::optional<store::EnvironmentRow> environment;
    std::optional<store::ResourceRow> resource;
    std::vector<store::Repository> repositories; ///< of the project
};

/// The message without service connections; `connectionsOf` says which ones it needs.
schema::protocol::JobMessage buildMessage(const MessageInput &input);

/// Names or ids of service connections that the job uses, out of `known`: named by an input of a
/// step (macros expanded), by a container, by a repository or by the environment's resource.
std::set<std::string> connectionsOf(const schema::protocol::JobMessage &message,
                                    const std::vector<std::string> &known);

} // namespace server::scheduler
