#pragma once
/// Readers of test result files (worker-and-tasks 10.1). External entities and DTDs are ignored;
/// memory is bounded by the file.

#include "schema/base/result.h"
#include "schema/protocol/messages.h"

#include <string_view>
#include <vector>

namespace worker {

enum class TestFormat : std::uint8_t { JUnit, NUnit, XUnit, VSTest, CTest };

/// The format an input names ("JUnit", ignoring case). Errors: InvalidArgument.
schema::Result<TestFormat> testFormat(std::string_view name);

/// The cases of one file. Errors: InvalidArgument with line and column for what is no such file.
schema::Result<std::vector<schema::protocol::TestCaseResult>>
readTestResults(TestFormat format, std::string_view text);

} // namespace worker
