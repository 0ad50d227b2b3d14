#pragma once
/// The keyword tables as a JSON schema, for editors (schema/pipeline.schema.json is its output).

#include <string>

namespace pipelines::shape {

/// Draft 2020-12. Template expressions are allowed wherever the language evaluates them: any text
/// with `${{` fits a scalar, keys with `${{` fit a mapping.
std::string jsonSchema();

} // namespace pipelines::shape
