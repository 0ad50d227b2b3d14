// Any bytes through the YAML reader; what it accepts must survive writing and reading again.
#include "pipelines/yaml/reader.h"
#include "pipelines/yaml/writer.h"

#include <cstdint>
#include <cstdlib>
#include <iostream>

using namespace pipelines;

namespace {

bool sameData(const yaml::Node &a, const yaml::Node &b)
{
    if (a.type != b.type || a.count != b.count)
        return false;
    if (a.isScalar())
        return a.text == b.text;
    for (std::size_t i = 0; i < a.items().size(); ++i) {
        if (!sameData(*a.items()[i], *b.items()[i]))
            return false;
    }
    for (std::size_t i = 0; i < a.entries().size(); ++i) {
        if (a.entries()[i].key->text != b.entries()[i].key->text ||
            !sameData(*a.entries()[i].value, *b.entries()[i].value))
            return false;
    }
    return true;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
    const std::string_view text(reinterpret_cast<const char *>(data), size);
    yaml::Arena arena;
    const yaml::Source *const source = arena.source({});
    std::vector<Diagnostic> diagnostics;
    const yaml::Node *const root = yaml::read(arena, source, text, {}, nullptr, diagnostics);
    if (root == nullptr) {
        if (diagnostics.empty())
            std::abort();
        return 0;
    }
    if (!diagnostics.empty())
        return 0;
    const std::string written = yaml::write(*root);
    const yaml::Node *const again = yaml::read(arena, source, written, {}, nullptr, diagnostics);
    if (again == nullptr || !sameData(*root, *again)) {
        std::cerr << written << "\n";
        for (const Diagnostic &diagnostic : diagnostics)
            std::cerr << diagnostic.position.line << ": " << diagnostic.message << "\n";
        std::abort();
    }
    return 0;
}
