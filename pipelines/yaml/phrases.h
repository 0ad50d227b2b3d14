#pragma once
/// What the YAML parser says, in the words of the service.

#include <string_view>

namespace pipelines::yaml {

struct Phrase
{
    std::string_view original; ///< how the parser's message begins
    std::string_view service;  ///< the sentence of the service's own parser (16.1)
    std::string_view hint;     ///< what to do
};

/// The phrase for a message of yaml-cpp; null: there is none. The result lives as long as the
/// program.
const Phrase *phraseOf(std::string_view message);

} // namespace pipelines::yaml
