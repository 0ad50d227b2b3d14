#pragma once

/// Memory of processes that wait most of the time.

namespace worker {

/// Gives back the pages of program code that only the start needed (dynamic linking touches most of
/// every library). They stay in the page cache and come back when they are used. Data is left
/// alone.
void releaseStartupCode();

} // namespace worker
