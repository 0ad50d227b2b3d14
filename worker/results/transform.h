#pragma once
/// Variables into configuration files (FileTransform, worker-and-tasks 10.7). Pure.

#include "schema/base/result.h"

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace worker {

/// The value of a variable that a pipeline set, by name (ignoring case).
using VariableValue = std::function<std::optional<std::string>(const std::string &name)>;

struct Transformed
{
    std::string text;
    std::size_t replaced = 0; ///< values that a variable took the place of
};

/// Every value whose path ("Data.Items.0.Name") is a variable's name gets that variable's value;
/// numbers and booleans stay such when the value reads as one. Comments are dropped. Errors:
/// InvalidArgument with the position.
schema::Result<Transformed> transformJson(std::string_view text, const VariableValue &variable);

/// The values of `add` in appSettings (by key) and connectionStrings (by name), of `setting` in
/// applicationSettings and of `parameter` (defaultValue) in parameters.xml. Errors: InvalidArgument
/// with the line.
schema::Result<Transformed> transformXml(std::string_view text, const VariableValue &variable);

} // namespace worker
