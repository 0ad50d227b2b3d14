// Template expansion: the input is a steps template and its caller in one.
#include "fuzz_compile_input.h"

#include <cstdint>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
    const std::string_view text(reinterpret_cast<const char *>(data), size);
    fuzz::Files files("parameters:\n- name: o\n  type: object\n  default: {a: [1, {b: c}], d: e}\n"
                      "variables:\n  v: 1\nsteps:\n- template: t.yml\n  parameters:\n"
                      "    o: ${{ parameters.o }}\n\n%%% t.yml\n" +
                      std::string(text));
    pipelines::CompileRequest request;
    request.text = files.entry;
    request.limits = fuzz::shortLimits();
    const auto result = pipelines::compile(request, files);
    if (!result.ok() && result.diagnostics.empty())
        std::abort();
    return 0;
}
