#pragma once
/// YAML text to tree, by yaml-cpp's events: the subset of YAML that the service accepts
/// (pipeline-language 2), every node with its position, all problems as diagnostics.

#include "pipelines/base/diagnostic.h"
#include "pipelines/yaml/node.h"

#include <string_view>
#include <vector>

namespace pipelines::yaml {

struct ReadLimits
{
    std::size_t maxBytes = 10U << 20U;
    std::size_t maxDepth = 200;
    std::size_t maxNodes = 5'000'000;
};

/// Called for every scalar whose text holds `${{`; may set Node::embedded, hasExpressions, text.
class ScalarHook
{
public:
    virtual ~ScalarHook() = default;
    virtual void onScalar(Node &node, bool isKey) = 0;
};

/// The root node, or nullptr when the text could not be read (then there is an error in
/// `diagnostics`). An empty text gives an empty scalar. Never throws.
const Node *read(Arena &arena, const Source *source, std::string_view text,
                 const ReadLimits &limits, ScalarHook *hook, std::vector<Diagnostic> &diagnostics);

} // namespace pipelines::yaml
