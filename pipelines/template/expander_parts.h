#pragma once
/// Parts that the expander's source files share (private to pipelines/template).

#include "pipelines/template/expander.h"

namespace pipelines::templates {

struct Expander::File
{
    const yaml::Source *source = nullptr;
    const yaml::Node *root = nullptr; ///< null: could not be read, was reported
    bool wasRead = false;             ///< its text was there
    std::optional<Declarations> declarations;
};

/// A list item `- template: ...`.
inline bool isTemplateItem(const yaml::Node &item)
{
    return item.isMapping() && item.count > 0 && item.entries()[0].key->embedded == nullptr &&
           item.entries()[0].key->text == "template";
}

/// State of an if/elseif/else chain in one container (9.4).
struct Expander::Chain
{
    bool open = false;
    bool taken = false;
};

/// A mapping under construction. `blame` is where a collision of the entry is reported.
struct Expander::Output
{
    std::vector<yaml::Entry> entries;
    std::vector<const yaml::Node *> blame;
    bool mayCollide = false;

    void add(const yaml::Node *key, const yaml::Node *value, const yaml::Node *where)
    {
        entries.push_back({key, value});
        blame.push_back(where != nullptr ? where : key);
    }
};

} // namespace pipelines::templates
