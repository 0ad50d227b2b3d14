#pragma once
/// Publishing of test results and code coverage for a step: by the built-in tasks, and at the end
/// of a step that asked for it with a logging command (worker-and-tasks 10.1, 10.2).

#include "worker/job/job_context.h"
#include "worker/results/test_results.h"

#include <string>
#include <vector>

namespace worker {

/// Result files of one format that are to become test runs.
struct TestFiles
{
    TestFormat format = TestFormat::JUnit;
    std::string formatName; ///< as it was given, for the title
    std::vector<std::string> files;
    std::string title;  ///< of the run; empty: "<format>_TestResults_<build id>"
    bool merge = false; ///< one run of all files; more than 100 files are merged anyway
};

struct TestsPublished
{
    std::size_t failed = 0;
    bool complete = true; ///< every file was read and every run was taken
};

/// Reads the files, shows counts and failed tests in the step's log and sends the runs. What goes
/// wrong is a warning there. The job's thread only.
TestsPublished publishTestFiles(StepState &step, const TestFiles &tests);

/// What publishing of coverage ended with.
struct CoveragePublished
{
    bool empty = false; ///< no file held counts
};

/// Reads Cobertura and JaCoCo files, shows and sends their sum, keeps the files and the report as
/// artifacts. `reportFolder` may be empty. Errors: those of a file that cannot be read, and of the
/// server; single files and artifacts that fail are warnings.
Result<CoveragePublished> publishCoverageFiles(StepState &step,
                                               const std::vector<std::string> &files,
                                               const fs::path &reportFolder);

} // namespace worker
