#pragma once
/// Where a cursor stands in a pipeline file that may be half written: found from indentation alone,
/// since what is being typed is seldom valid YAML.

#include "pipelines/shape/shape.h"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace cli::language_server {

struct Cursor
{
    /// Keys from the root to the mapping that holds the cursor; "[]" for an item of a list.
    std::vector<std::string> path;
    /// Keys of that mapping with the text of their values, the cursor's own line left out.
    std::vector<std::pair<std::string, std::string>> siblings;
    std::string
        key; ///< of the cursor's line; while it is being typed, what stands before the cursor
    bool inValue = false;    ///< behind the colon
    std::string value;       ///< text between the colon and the cursor
    bool isItemText = false; ///< a bare text behind `- `
};

/// `byte`: offset in the line. A position behind the text is taken as its end.
Cursor locate(const std::vector<std::string_view> &lines, std::size_t line, std::size_t byte);

/// What the key or text of a line stands in: the two innermost parts of its path, template
/// directives stepped over.
struct Holder
{
    std::string_view inner; ///< "[]": an item of the list that is the value of `outer`
    std::string_view outer;
};

/// Of every line, in one pass: a document may have very many.
std::vector<Holder> holders(const std::vector<std::string_view> &lines);

/// The shapes that may stand at the end of a path, alternatives taken apart. Template expressions
/// among the keys are stepped over.
std::vector<const pipelines::shape::Shape *> shapesAt(const std::vector<std::string> &path);

/// What a value of `key` may be, in any of the mappings.
std::vector<const pipelines::shape::Shape *>
valueShapes(const std::vector<const pipelines::shape::Shape *> &mappings, std::string_view key);

} // namespace cli::language_server
