#include "pipelines/compile/fields.h"

#include "pipelines/base/text.h"
#include "pipelines/shape/shape.h"

namespace pipelines::compiler {

std::string text(const yaml::Node &mapping, std::string_view key, std::string_view otherwise)
{
    const yaml::Node *const value = mapping.find(key);
    return std::string(value != nullptr && value->isScalar() ? value->text : otherwise);
}

bool flag(const yaml::Node &mapping, std::string_view key, bool otherwise)
{
    bool value = otherwise;
    if (const yaml::Node *const node = mapping.find(key); node != nullptr && node->isScalar())
        shape::parseBoolean(node->text, value);
    return value;
}

std::vector<std::string> texts(const yaml::Node *list)
{
    std::vector<std::string> out;
    if (list == nullptr)
        return out;
    if (list->isScalar() && !list->text.empty())
        out.emplace_back(list->text);
    for (const yaml::Node *item : list->items()) {
        if (item->isScalar())
            out.emplace_back(item->text);
    }
    return out;
}

schema::TextMap textMap(const yaml::Node *mapping)
{
    schema::TextMap out;
    if (mapping == nullptr)
        return out;
    for (const yaml::Entry &entry : mapping->entries()) {
        if (entry.value->isScalar())
            out.emplace_back(entry.key->text, entry.value->text);
    }
    return out;
}

std::optional<std::uint32_t> wholeNumber(std::string_view value)
{
    value = trim(value);
    if (value.empty() || value.size() > 9)
        return std::nullopt;
    std::uint32_t out = 0;
    for (const char c : value) {
        if (c < '0' || c > '9')
            return std::nullopt;
        out = out * 10 + static_cast<std::uint32_t>(c - '0');
    }
    return out;
}

} // namespace pipelines::compiler
