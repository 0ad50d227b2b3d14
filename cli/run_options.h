#pragma once
/// What `slipway run` is asked for, and the part of a plan that this chooses.

#include "cli/validate_options.h"
#include "schema/protocol/messages.h"
#include "worker/base/files.h"

#include <string>
#include <vector>

namespace cli {

struct RunOptions
{
    LanguageOptions language;
    std::vector<std::string> stages, jobs, steps, secrets;
    std::string secretsFile, connectionsFile, work, nodeFolder;
    int parallel = 2;
    bool dryRun = false, yes = false, watch = false, breakOnFailure = false;
    std::string engine = "docker";
    std::string format = "text";
};

/// NAME=VALUE, or NAME alone with the value from the environment (so that it is in no argument).
/// Errors: InvalidArgument.
schema::Result<schema::protocol::JobVariable> secretOf(const std::string &text);

/// The service connections of a JSON file; none without a file. Errors: NotFound, InvalidArgument.
schema::Result<std::vector<schema::protocol::ServiceConnection>>
readConnections(const std::string &file);

/// Leaves what --stage, --job and --step choose; what it depended on counts as done. Errors:
/// NotFound naming what does not exist.
schema::Status restrict(schema::RunPlan &plan, const RunOptions &options);

/// Where the run keeps workspaces and artifacts: --work, else a folder of the tree's own in the
/// user's cache. Absolute.
worker::fs::path runFolder(const RunOptions &options, const std::string &root);

/// Stages, jobs and steps of a plan on standard output.
void printPlan(const schema::RunPlan &plan);

} // namespace cli
