// Where this checkout lies, for tests that read files of it. Kept in one translation unit, so that
// the checkout's path is in no other command line and two checkouts share their compilations
// (ccache).
#pragma once

#include <string>

namespace test {

/// The absolute path of PATH, which is relative to the repository's root ("tests/golden").
std::string sourceTree(const char *path);

} // namespace test
