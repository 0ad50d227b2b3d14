// What a job process delivers, as the server reads it: whatever decodes is bounded by its body, and
// encodes to what decodes to the same.
#include "schema/protocol/delivery.h"

#include <nlohmann/json.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdlib>

namespace protocol = schema::protocol;

namespace {

void require(bool condition)
{
    if (!condition)
        std::abort();
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
    const std::string_view body(reinterpret_cast<const char *>(data), size);
    const auto delivery = protocol::decodeDelivery(std::string(body));
    if (!delivery) {
        require(!delivery.error().message.empty());
        return 0;
    }
    std::size_t bytes = 0;
    for (const auto &piece : delivery->logs)
        bytes += piece.bytes.size();
    require(bytes <= body.size());
    const auto again = protocol::decodeDelivery(protocol::encode(*delivery));
    require(again.has_value() && *again == *delivery);
    return 0;
}
