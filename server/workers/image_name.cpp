#include "server/workers/image_name.h"

namespace server::workers {

ImageName parseImageName(std::string_view image)
{
    ImageName name;
    if (const std::size_t at = image.find('@'); at != std::string_view::npos) {
        name.digest = image.substr(at + 1);
        image = image.substr(0, at);
    }
    const std::size_t slash = image.rfind('/');
    const std::size_t colon = image.rfind(':');
    if (colon != std::string_view::npos && (slash == std::string_view::npos || colon > slash)) {
        name.tag = image.substr(colon + 1);
        image = image.substr(0, colon);
    }
    name.repository = image;
    return name;
}

} // namespace server::workers
