// Frames and bodies: whatever decodes must encode to something that decodes to the same.
#include "schema/protocol/messages.h"

#include <nlohmann/json.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdlib>

namespace protocol = schema::protocol;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
    const std::string_view text(reinterpret_cast<const char *>(data), size);
    if (const auto frame = protocol::decodeWorkerFrame(text)) {
        if (!protocol::decodeWorkerFrame(protocol::encode(*frame)))
            std::abort();
    }
    if (const auto frame = protocol::decodeServerFrame(text)) {
        if (!protocol::decodeServerFrame(protocol::encode(*frame)))
            std::abort();
    }
    const auto json = nlohmann::ordered_json::parse(text, nullptr, false);
    if (json.is_discarded())
        return 0;
    if (const auto update = protocol::recordUpdateFromJson(json)) {
        const auto again = protocol::recordUpdateFromJson(toJson(*update));
        if (!again || !(*again == *update))
            std::abort();
    }
    if (const auto completion = protocol::jobCompletionFromJson(json)) {
        const auto again = protocol::jobCompletionFromJson(toJson(*completion));
        if (!again || !(*again == *completion))
            std::abort();
    }
    static_cast<void>(protocol::pushedImageFromJson(json));
    static_cast<void>(protocol::deployedItemFromJson(json));
    static_cast<void>(protocol::testRunUploadFromJson(json));
    static_cast<void>(protocol::jobMessageFromJson(json));
    return 0;
}
