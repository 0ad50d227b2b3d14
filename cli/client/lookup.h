#pragma once
/// From what people type (a run's number or id, a pipeline's name) to the thing of the API.

#include "cli/client/options.h"

#include <nlohmann/json_fwd.hpp>

#include <cstdint>
#include <string>

namespace cli {

/// The pipeline of that id, name or `folder\name`; the error lists the names there are.
schema::Result<nlohmann::json> findPipeline(const Connection &server, const std::string &text);

/// The id of a run: `text` is its id, its number ("20261121.3", the newest of that number), or
/// "latest".
schema::Result<std::int64_t> findRun(const Connection &server, const std::string &text);

/// Names of people's things differ in more than case.
bool sameName(const std::string &left, const std::string &right);

/// A job's identifier as people write it: "Build.Compile", "Compile.linux"; the names that a file
/// without stages or matrix has for what it does not say are left out.
std::string shownIdentifier(const std::string &identifier);

/// Whether a job of an answer of `explain` is called like this: id, identifier, shown
/// name, or the end of its identifier ("linux" for "Build.Compile.linux"). Case does not matter.
bool isCalled(const nlohmann::json &entry, const std::string &name);

/// RunDetail of docs/api.md.
schema::Result<nlohmann::json> runDetail(const Connection &server, std::int64_t id);

/// Where people see the run in the portal.
std::string runPage(const Connection &server, std::int64_t id);

/// 0 when a completed run succeeded (also partially), else 1.
int exitCodeOf(const nlohmann::json &run);

} // namespace cli
