#pragma once
/// How long and how deep an expression may be.

#include <cstddef>

namespace pipelines::expr {

/// Bounds of one expression; the service's own by default (pipeline-language 9.8).
struct ParseLimits
{
    std::size_t length = 21'000; ///< UTF-16 code units of the trimmed text
    /// Function levels, counting the leaf. At most kDeepest, whatever is written here: parser and
    /// evaluator recurse.
    std::size_t depth = 50;

    static constexpr std::size_t kDeepest = 1000;
};

/// For texts that the compiler has already held against the limits of its caller.
inline constexpr ParseLimits kCompiledLimits{std::size_t{1} << 30U, ParseLimits::kDeepest};

} // namespace pipelines::expr
