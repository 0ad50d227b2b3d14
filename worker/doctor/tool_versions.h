#pragma once
/// What the programs on a worker say their versions are.

#include "worker/process/process.h"

#include <string>
#include <utility>
#include <vector>

namespace worker {

/// The first thing in a text that looks like a version: "git version 2.39.5" -> "2.39.5"; empty:
/// none.
std::string versionIn(const std::string &text);

/// Version of one program, asked with the argument it knows (--version mostly); empty when it is
/// not there, says none, or takes longer than ten seconds.
std::string toolVersion(const std::string &program, const Environment &environment);

/// {"git.version", "2.39.5"} for each known program that is on the PATH of `environment`. Asks
/// several at a time.
std::vector<std::pair<std::string, std::string>> toolVersions(const Environment &environment);

} // namespace worker
