#pragma once

/// Memory of a server that has started.

namespace server::app {

/// Gives back the pages of program code that were needed so far, of this program and its libraries:
/// half of them only the start needed. Those that are wanted again come from the page cache at once
/// (`MADV_DONTNEED`, madvise(2): of a private mapping of a file that nobody wrote to). Any thread.
void dropStartupCode();

} // namespace server::app
