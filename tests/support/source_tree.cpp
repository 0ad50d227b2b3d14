#include "tests/support/source_tree.h"

std::string test::sourceTree(const char *path)
{
    return std::string(SLIPWAY_SOURCE_DIR "/") + path;
}
