#pragma once
/// A shell in the place of a step that failed.

#include "worker/job/job_context.h"

#include <string>

namespace cli {

/// Runs $SHELL (else sh) on this terminal with the step's folder and environment, inside its
/// container if it had one (client `engine`), and waits for its end. What cannot be started is
/// said on standard error.
void shellAt(const worker::FailedStep &step, const std::string &engine);

} // namespace cli
