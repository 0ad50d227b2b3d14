#pragma once
/// What `slipway up` remembers in its data directory between two starts, and the lock that keeps a
/// second one away.

#include "cli/up/process.h"
#include "schema/base/result.h"

#include <cstdint>
#include <filesystem>
#include <string>

namespace cli {

struct UpState
{
    int registryPort = 0; ///< of the private registry; 0: none was started
    int devWebPort = 0;
    int productionWebPort = 0;
    std::int64_t firstRun = 0; ///< 0: the sample is not (wholly) imported
    std::string target;        ///< "kubernetes" or "docker", as imported
};

/// The state in `folder`; an empty one when there is none.
schema::Result<UpState> loadState(const std::filesystem::path &folder);

/// Replaces the state in one step.
schema::Status saveState(const std::filesystem::path &folder, const UpState &state);

/// Makes the folder (mode 0700) if need be, and checks that it can be written and has room.
schema::Status prepareFolder(const std::filesystem::path &folder);

/// Takes the lock of the folder for as long as the descriptor lives; AlreadyExists when another
/// `slipway up` has it.
schema::Result<FileDescriptor> lockFolder(const std::filesystem::path &folder);

/// `wanted` when it is free on loopback, else any free port.
schema::Result<int> freePort(int wanted);

} // namespace cli
