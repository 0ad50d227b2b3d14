// `task.json` of a package, and the rules in it that say when an input is shown.
#include "schema/tasks/task_definition.h"

#include <cstdint>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
    const std::string_view text(reinterpret_cast<const char *>(data), size);
    auto task = schema::parseTaskDefinition(text);
    (void)schema::isVisible(text, [](std::string_view name) { return name; });
    if (!task)
        return 0;
    for (const auto &input : task->inputs) {
        const auto *const found = task->findInput(input.name);
        if (found == nullptr)
            std::abort(); // what was read can be found
        (void)schema::isVisible(input.visibleRule, [](std::string_view) { return "true"; });
    }
    const std::string name = task->name;
    const std::string major = std::to_string(task->version[0]);
    schema::TaskCatalogue catalogue;
    catalogue.add(std::move(*task));
    if (catalogue.find(name, major) == nullptr)
        std::abort();
    return 0;
}
