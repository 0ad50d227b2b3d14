// Masking: the same output for every split, and no secret in it.
#include "worker/mask/masker.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
    if (size < 3)
        return 0;
    const std::string_view input(reinterpret_cast<const char *>(data), size);
    const std::size_t secretLength = std::min<std::size_t>(1 + data[0] % 12, size - 2);
    const auto secret = input.substr(2, secretLength);
    const auto text = input.substr(2 + secretLength);
    worker::Masker masker;
    masker.add(secret);
    const auto whole = masker.mask(text);
    std::string pieces;
    worker::MaskStream stream(masker);
    const std::size_t step = 1 + data[1] % 7;
    for (std::size_t at = 0; at < text.size(); at += step)
        stream.feed(text.substr(at, step), pieces);
    stream.finish(pieces);
    if (pieces != whole)
        std::abort();
    const auto forms = worker::secretForms(secret);
    // A secret made of asterisks looks like its own mask.
    if (std::find(forms.begin(), forms.end(), secret) != forms.end() &&
        secret.find('*') == std::string_view::npos && whole.find(secret) != std::string::npos)
        std::abort();
    return 0;
}
