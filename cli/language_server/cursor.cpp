#include "cli/language_server/cursor.h"

#include "pipelines/base/text.h"

#include <algorithm>

namespace cli::language_server {
namespace {

using pipelines::shape::Kind;
using pipelines::shape::Property;
using pipelines::shape::Shape;

/// One line: its dashes, its key and its value.
struct Line
{
    std::vector<std::size_t> dashes; ///< columns
    std::size_t column = 0;          ///< of the key or text
    std::string_view key, value;
    bool hasColon = false;
    bool isBlank = true;
};

Line parseLine(std::string_view text)
{
    Line line;
    std::size_t at = text.find_first_not_of(' ');
    if (at == std::string_view::npos || text[at] == '#') {
        line.column = std::min(at, text.size());
        return line;
    }
    line.isBlank = false;
    while (at < text.size() && text[at] == '-' && (at + 1 == text.size() || text[at + 1] == ' ')) {
        line.dashes.push_back(at);
        at = std::min(text.find_first_not_of(' ', at + 1), text.size());
    }
    line.column = at;
    const std::string_view rest = text.substr(at);
    // A colon inside of an expression or a quoted text ends no key.
    std::size_t colon = std::string_view::npos;
    std::size_t from = 0;
    if (rest.starts_with("${{"))
        from = std::min(rest.find("}}"), rest.size());
    for (std::size_t i = from; i < rest.size(); ++i) {
        if (rest[i] == ':' && (i + 1 == rest.size() || rest[i + 1] == ' ')) {
            colon = i;
            break;
        }
        if (rest[i] == '#' && i > 0 && rest[i - 1] == ' ')
            break;
    }
    line.hasColon = colon != std::string_view::npos;
    line.key = rest.substr(0, colon);
    if (line.hasColon)
        line.value = pipelines::trim(rest.substr(colon + 1));
    return line;
}

bool isDirective(std::string_view key)
{
    return key.starts_with("${{");
}

/// Walks from a line to the root and collects the keys on the way.
class PathWalk
{
public:
    PathWalk(const std::vector<std::string_view> &lines, Cursor &cursor)
        : m_lines(lines)
        , m_cursor(cursor)
    {}

    /// `dashes`: of the cursor's line, in front of `column`.
    void run(std::size_t line, std::size_t column, const std::vector<std::size_t> &dashes)
    {
        siblingsBelow(line, column);
        std::size_t level = column;
        bool inList = enterItems(dashes, level);
        for (std::size_t i = line; i-- > 0;) {
            const Line above = parseLine(m_lines[i]);
            if (above.isBlank)
                continue;
            if (inList) {
                const bool isItem = std::find(above.dashes.begin(), above.dashes.end(), level) !=
                                    above.dashes.end();
                if (isItem || above.column > level || !above.hasColon)
                    continue;
                takeParent(above, level, inList);
            } else if (above.column == level && above.hasColon) {
                if (m_cursor.path.empty())
                    m_cursor.siblings.emplace_back(above.key, above.value);
                inList = enterItems(above.dashes, level);
            } else if (above.column < level && above.hasColon) {
                takeParent(above, level, inList);
            } else if (!above.dashes.empty() && above.dashes.back() < level && !above.hasColon) {
                inList = enterItems(above.dashes, level);
            }
        }
        std::reverse(m_cursor.path.begin(), m_cursor.path.end());
        std::reverse(m_cursor.siblings.begin(), m_cursor.siblings.end());
    }

private:
    bool enterItems(const std::vector<std::size_t> &dashes, std::size_t &level)
    {
        for (auto dash = dashes.rbegin(); dash != dashes.rend(); ++dash) {
            m_cursor.path.emplace_back("[]");
            level = *dash;
        }
        return !dashes.empty();
    }

    void takeParent(const Line &line, std::size_t &level, bool &inList)
    {
        m_cursor.path.emplace_back(line.key);
        level = line.column;
        inList = enterItems(line.dashes, level);
    }

    void siblingsBelow(std::size_t line, std::size_t column)
    {
        for (std::size_t i = line + 1; i < m_lines.size(); ++i) {
            const Line below = parseLine(m_lines[i]);
            if (below.isBlank)
                continue;
            if (below.column < column || (!below.dashes.empty() && below.dashes[0] < column))
                return;
            if (below.column == column && below.hasColon)
                m_cursor.siblings.insert(m_cursor.siblings.begin(),
                                         {std::string(below.key), std::string(below.value)});
        }
    }

    const std::vector<std::string_view> &m_lines;
    Cursor &m_cursor;
};

void flatten(const Shape &shape, std::vector<const Shape *> &out)
{
    if (shape.kind == Kind::OneOf) {
        for (const Shape *alternative : shape.alternatives)
            flatten(*alternative, out);
    } else if (std::find(out.begin(), out.end(), &shape) == out.end()) {
        out.push_back(&shape);
    }
}

} // namespace

Cursor locate(const std::vector<std::string_view> &lines, std::size_t line, std::size_t byte)
{
    Cursor cursor;
    if (line >= lines.size())
        return cursor;
    byte = std::min(byte, lines[line].size());
    const Line whole = parseLine(lines[line]);
    const Line before = parseLine(lines[line].substr(0, byte));
    std::size_t column = byte;
    std::vector<std::size_t> dashes;
    if (!before.isBlank) {
        column = before.column;
        dashes = before.dashes;
        cursor.inValue = before.hasColon;
        cursor.key = before.key;
        cursor.value = before.value;
        cursor.isItemText = !before.hasColon && !dashes.empty() && !whole.hasColon;
    }
    PathWalk(lines, cursor).run(line, column, dashes);
    return cursor;
}

std::vector<Holder> holders(const std::vector<std::string_view> &lines)
{
    constexpr std::string_view kItem = "[]";

    struct Part
    {
        std::size_t column;
        std::string_view text;
    };

    std::vector<Part> open;
    // The list below a directive in a list goes on with the outer one.
    const auto holder = [&]() {
        Holder out;
        for (std::size_t i = open.size(); i-- > 0 && out.outer.empty();) {
            const bool isOfDirective =
                open[i].text == kItem && i > 0 && isDirective(open[i - 1].text);
            if (isDirective(open[i].text) || isOfDirective)
                continue;
            (out.inner.empty() ? out.inner : out.outer) = open[i].text;
        }
        return out;
    };
    std::vector<Holder> out;
    out.reserve(lines.size());
    for (const std::string_view text : lines) {
        const Line line = parseLine(text);
        if (!line.isBlank) {
            for (const std::size_t dash : line.dashes) {
                // A list may begin in the column of its key.
                while (!open.empty() && (open.back().column > dash ||
                                         (open.back().column == dash && open.back().text == kItem)))
                    open.pop_back();
                open.push_back({dash, kItem});
            }
            while (!open.empty() && open.back().column >= line.column)
                open.pop_back();
        }
        out.push_back(holder());
        if (!line.isBlank && line.hasColon)
            open.push_back({line.column, line.key});
    }
    return out;
}

std::vector<const Shape *> shapesAt(const std::vector<std::string> &path)
{
    namespace shape = pipelines::shape;
    std::vector<const Shape *> current;
    flatten(shape::kRoot, current);
    std::vector<const Shape *> list; // what the last item was taken from
    for (std::size_t i = 0; i < path.size(); ++i) {
        const std::string &part = path[i];
        if (isDirective(part)) {
            if (i > 0 && path[i - 1] == "[]" && i + 1 < path.size() && path[i + 1] == "[]")
                current = list;
            continue;
        }
        std::vector<const Shape *> next;
        if (part == "[]") {
            list = current;
            for (const Shape *candidate : current) {
                if (candidate->kind == Kind::List)
                    flatten(*candidate->item, next);
            }
        } else if (part == "parameters" && i == 0) {
            flatten(shape::kParameters, next);
        } else {
            next = valueShapes(current, part);
        }
        current = std::move(next);
    }
    return current;
}

std::vector<const Shape *> valueShapes(const std::vector<const Shape *> &mappings,
                                       std::string_view key)
{
    std::vector<const Shape *> out;
    for (const Shape *mapping : mappings) {
        const auto found =
            std::find_if(mapping->properties.begin(), mapping->properties.end(),
                         [key](const Property &property) { return property.key == key; });
        if (found != mapping->properties.end())
            flatten(*found->shape, out);
        else if (mapping->kind == Kind::Mapping && mapping->loose != nullptr)
            flatten(*mapping->loose, out);
    }
    return out;
}

} // namespace cli::language_server
