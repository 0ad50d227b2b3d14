#pragma once
/// Parts of a container image's name.

#include <string>
#include <string_view>

namespace server::workers {

struct ImageName
{
    std::string repository; ///< "localhost:5000/space-game/web"
    std::string tag;        ///< empty: none written
    std::string digest;     ///< "sha256:...", or empty
};

/// "registry:5000/path/name:tag@sha256:..." in parts; a port is no tag.
ImageName parseImageName(std::string_view image);

} // namespace server::workers
