#pragma once
/// Aligned columns for the terminal.

#include <string>
#include <vector>

namespace cli {

using TableRow = std::vector<std::string>;

/// Rows with columns as wide as their longest cell (in code points), two spaces between, no
/// trailing spaces; each row ends with a new-line. Control characters in cells become '?', so that
/// a commit message cannot move the cursor.
std::string formatTable(const std::vector<TableRow> &rows);

} // namespace cli
