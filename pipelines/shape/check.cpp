#include "pipelines/base/text.h"
#include "pipelines/shape/shape.h"

#include <algorithm>
#include <array>
#include <set>

namespace pipelines::shape {
namespace {

using yaml::Entry;
using yaml::Node;

const Property *findProperty(const Shape &shape, std::string_view key)
{
    for (const Property &property : shape.properties) {
        if (property.key == key)
            return &property;
    }
    return nullptr;
}

bool knows(const Shape &shape, std::string_view key)
{
    return shape.loose != nullptr || findProperty(shape, key) != nullptr;
}

class Checker
{
public:
    explicit Checker(std::vector<Diagnostic> &diagnostics)
        : m_diagnostics(diagnostics)
    {}

    void check(const Node &node, const Shape &shape)
    {
        if (m_diagnostics.size() >= 2 * kMaxDiagnostics)
            return; // nothing more would be kept
        // Only list items know the reference that led to them; what is below shares it.
        const yaml::Source *const outer = m_via;
        if (node.source != nullptr && node.source->includedBy != nullptr)
            m_via = node.source;
        checkShape(node, shape);
        m_via = outer;
    }

private:
    void checkShape(const Node &node, const Shape &shape)
    {
        switch (shape.kind) {
        case Kind::Any:
            return;
        case Kind::OneOf:
            return oneOf(node, shape);
        case Kind::List:
            if (!node.isSequence()) {
                // An empty value stands for an empty list.
                if (node.isScalar() && node.text.empty())
                    return;
                return report(node, node.isScalar() ? "unexpected-value" : "unexpected-mapping",
                              node.isScalar() ? "Expected a sequence"
                                              : "A mapping was not expected",
                              "write a list: every item begins with `- `");
            }
            for (const Node *item : node.items())
                check(*item, *shape.item);
            return;
        case Kind::Mapping:
            if (!node.isMapping()) {
                if (node.isScalar() && node.text.empty())
                    return;
                return notAMapping(node);
            }
            return mapping(node, std::array{&shape});
        case Kind::TextMap:
            return textMap(node);
        default:
            return scalar(node, shape);
        }
    }

    void report(const Node &node, std::string code, std::string message, std::string hint = {})
    {
        append(m_diagnostics,
               {Severity::Error, std::move(code), std::move(message), node.position(),
                node.isScalar() ? static_cast<std::uint32_t>(utf16Length(node.text)) : 0U,
                std::move(hint), yaml::includeChain(yaml::inheritedSource(node, m_via))});
    }

    void notAMapping(const Node &node)
    {
        if (node.isSequence())
            report(node, "unexpected-sequence", "A sequence was not expected");
        else
            report(node, "unexpected-value", "Unexpected value '" + std::string(node.text) + "'",
                   "write `key: value` lines here");
    }

    void collectionNotExpected(const Node &node)
    {
        report(node, node.isMapping() ? "unexpected-mapping" : "unexpected-sequence",
               node.isMapping() ? "A mapping was not expected" : "A sequence was not expected");
    }

    void textMap(const Node &node)
    {
        if (node.isScalar() && node.text.empty())
            return;
        if (!node.isMapping())
            return notAMapping(node);
        for (const Entry &entry : node.entries()) {
            nonEmptyKey(*entry.key);
            if (!entry.value->isScalar())
                collectionNotExpected(*entry.value);
        }
    }

    /// Keys that people choose (names of variables, of inputs) are texts that are not empty.
    void nonEmptyKey(const Node &key)
    {
        if (key.text.empty() && !key.hasExpressions)
            report(key, "unexpected-value", "Expected a value here: Unexpected value ''",
                   "write a name before the colon");
    }

    void scalar(const Node &node, const Shape &shape)
    {
        if (!node.isScalar())
            return collectionNotExpected(node);
        if (node.guessed)
            return;
        const std::string_view text = node.text;
        bool unused = false;
        switch (shape.kind) {
        case Kind::NonEmptyString:
            if (text.empty())
                report(node, "unexpected-value", "Expected a value here: Unexpected value ''");
            return;
        case Kind::Boolean:
            if (!parseBoolean(text, unused))
                report(node, "unexpected-value", "Unexpected value '" + std::string(text) + "'",
                       "write true or false");
            return;
        case Kind::Word:
            if (!isWord(shape, text))
                report(node, "unexpected-value", "Unexpected value '" + std::string(text) + "'",
                       wordHint(shape, text));
            return;
        case Kind::ReferenceName:
            if (!std::all_of(text.begin(), text.end(), [](char c) {
                    return c == '-' || c == '_' || c == '.' || (c >= '0' && c <= '9') ||
                           (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
                }))
                report(node, "unexpected-value", "Unexpected value '" + std::string(text) + "'",
                       "an alias consists of letters, digits, -, _ and .");
            return;
        default:
            return;
        }
    }

    static bool isWord(const Shape &shape, std::string_view text)
    {
        return std::any_of(shape.words.begin(), shape.words.end(), [&](std::string_view word) {
            return shape.ignoreCase ? equalIgnoringCase(word, text) : word == text;
        });
    }

    static std::string wordHint(const Shape &shape, std::string_view text)
    {
        const std::string close = nearest(text, shape.words);
        if (!close.empty())
            return "did you mean `" + close + "`?";
        return wordList(shape.words);
    }

    template <typename Words> static std::string wordList(const Words &words)
    {
        std::string all;
        for (const std::string_view word : words)
            all += (all.empty() ? "" : ", ") + std::string(word);
        return (words.size() == 1 ? "write " : "write one of ") + all;
    }

    static bool acceptsScalar(const Shape &shape, std::string_view text)
    {
        bool unused = false;
        switch (shape.kind) {
        case Kind::Word:
            return isWord(shape, text);
        case Kind::Boolean:
            return parseBoolean(text, unused);
        case Kind::List:
        case Kind::Mapping:
        case Kind::TextMap:
            return text.empty();
        case Kind::OneOf:
            return std::any_of(
                shape.alternatives.begin(), shape.alternatives.end(),
                [&](const Shape *alternative) { return acceptsScalar(*alternative, text); });
        default:
            return true;
        }
    }

    void oneOf(const Node &node, const Shape &shape)
    {
        std::vector<const Shape *> mappings;
        const Shape *list = nullptr;
        std::vector<std::string_view> words;
        for (const Shape *alternative : shape.alternatives) {
            if (alternative->kind == Kind::Any)
                return;
            if (alternative->kind == Kind::Mapping || alternative->kind == Kind::TextMap)
                mappings.push_back(alternative);
            else if (alternative->kind == Kind::List)
                list = alternative;
            else
                words.insert(words.end(), alternative->words.begin(), alternative->words.end());
        }
        if (node.isScalar()) {
            if (!node.guessed && !acceptsScalar(shape, node.text))
                unexpectedText(node, words, list != nullptr);
            return;
        }
        if (node.isSequence()) {
            if (list == nullptr)
                return report(node, "unexpected-sequence", "A sequence was not expected");
            return check(node, *list);
        }
        if (mappings.empty())
            return report(node, "unexpected-mapping", "A mapping was not expected");
        if (mappings.size() == 1)
            return check(node, *mappings[0]);
        mapping(node, mappings);
    }

    void unexpectedText(const Node &node, const std::vector<std::string_view> &words,
                        bool mayBeList)
    {
        std::string hint;
        const std::size_t colon = node.text.find(':');
        if (const std::string close = nearest(node.text, words); !close.empty())
            hint = "did you mean `" + close + "`?";
        else if (!words.empty())
            hint = wordList(words) + (mayBeList ? ", or a list: every item begins with `- `" : "");
        else if (colon != std::string_view::npos && colon > 0 && colon + 1 < node.text.size())
            hint = "write a blank after the colon";
        report(node, "unexpected-value", "Unexpected value '" + std::string(node.text) + "'",
               std::move(hint));
    }

    static std::set<std::string_view> keysOf(std::span<const Shape *const> shapes, bool onlyFirst)
    {
        std::set<std::string_view> keys;
        for (const Shape *shape : shapes) {
            for (const Property &property : shape->properties) {
                if ((property.flags & kLegacy) == 0 &&
                    (!onlyFirst || (property.flags & (kFirst | kRequired)) != 0))
                    keys.insert(property.key);
            }
        }
        return keys;
    }

    static bool isBody(std::string_view key)
    {
        return key == "stages" || key == "jobs" || key == "steps" || key == "extends" ||
               key == "phases";
    }

    void unexpectedKey(const Node &key, std::span<const Shape *const> candidates)
    {
        std::string hint;
        const auto keys = keysOf(candidates, false);
        if (key.text.size() > 1 && key.text[0] == '-')
            hint = "write a blank after the `-` of a list item";
        else if (const std::string close = nearest(key.text, keys); !close.empty())
            hint = equalIgnoringCase(close, key.text)
                       ? "keys are case-sensitive: write `" + close + "`"
                       : "did you mean `" + close + "`?";
        else if (candidates.size() == 1 && candidates[0]->name.starts_with("pipeline with") &&
                 isBody(key.text))
            hint = "a pipeline has one body: stages, jobs, steps or extends";
        else if (candidates.size() == 1)
            hint = "`" + std::string(candidates[0]->name) + "` has no such key";
        report(key, "unexpected-value", "Unexpected value '" + std::string(key.text) + "'",
               std::move(hint));
    }

    /// The service's algorithm (3.1): the first key may choose the alternative; each key drops the
    /// alternatives that do not know it.
    void mapping(const Node &node, std::span<const Shape *const> alternatives)
    {
        std::vector<const Shape *> candidates(alternatives.begin(), alternatives.end());
        bool first = true;
        bool unexpected = false;
        for (const Entry &entry : node.entries()) {
            const std::string_view key = entry.key->text;
            const auto fits = [&](const Shape *shape) {
                const Property *property = findProperty(*shape, key);
                if (first && property != nullptr && hasFirst(*shape))
                    return (property->flags & kFirst) != 0;
                if (first && hasFirst(*shape))
                    return false;
                return knows(*shape, key);
            };
            if (std::none_of(candidates.begin(), candidates.end(), fits)) {
                if (first && firstKeyIsMisplaced(node, candidates))
                    return misplacedFirstKey(node, *entry.key, candidates);
                unexpectedKey(*entry.key, candidates);
                unexpected = true;
                first = false;
                continue;
            }
            std::erase_if(candidates, [&](const Shape *shape) { return !fits(shape); });
            first = false;
            // A key that several alternatives know has the same shape in all of them.
            const Property *property = findProperty(*candidates[0], key);
            if (property == nullptr)
                looseKey(*entry.key, *candidates[0]);
            check(*entry.value, property != nullptr ? *property->shape : *candidates[0]->loose);
        }
        if (!unexpected || candidates.size() == 1)
            finish(node, candidates);
    }

    /// Extra keys are tolerated here, but one that differs only in case from a known one is
    /// surely meant to be it.
    void looseKey(const Node &key, const Shape &shape)
    {
        nonEmptyKey(key);
        for (const Property &property : shape.properties) {
            if (!equalIgnoringCase(property.key, key.text))
                continue;
            report(key, "key-case",
                   "'" + std::string(key.text) + "' has no effect: keys are case-sensitive",
                   "write `" + std::string(property.key) + "`");
            m_diagnostics.back().severity = Severity::Warning;
        }
    }

    void misplacedFirstKey(const Node &node, const Node &key,
                           std::span<const Shape *const> candidates)
    {
        for (const Shape *shape : candidates) {
            const std::string_view first = shape->properties[0].key;
            if (node.find(first) != nullptr) {
                report(key, "unexpected-value", "Unexpected value '" + std::string(key.text) + "'",
                       "`" + std::string(first) + "` must be the first key");
                return;
            }
        }
        if (candidates.size() == 1 && findProperty(*candidates[0], key.text) != nullptr)
            return report(key, "unexpected-value",
                          "Unexpected value '" + std::string(key.text) + "'",
                          "`" + std::string(candidates[0]->properties[0].key) +
                              "` is missing: it must be the first key");
        unexpectedKey(key, candidates);
    }

    static bool hasFirst(const Shape &shape)
    {
        return !shape.properties.empty() && (shape.properties[0].flags & kFirst) != 0;
    }

    /// The first key of a step, job, ... is one of its other keys: one message is enough.
    static bool firstKeyIsMisplaced(const Node &, std::span<const Shape *const> candidates)
    {
        return std::all_of(candidates.begin(), candidates.end(),
                           [](const Shape *shape) { return hasFirst(*shape); });
    }

    void finish(const Node &node, const std::vector<const Shape *> &candidates)
    {
        if (candidates.size() == 1) {
            for (const Property &property : candidates[0]->properties) {
                if ((property.flags & kRequired) != 0 && node.find(property.key) == nullptr)
                    report(node, "missing-property",
                           "Required property is missing: " + std::string(property.key));
            }
            return;
        }
        const auto isComplete = [&node](const Shape *shape) {
            return std::all_of(shape->properties.begin(), shape->properties.end(),
                               [&node](const Property &property) {
                                   return (property.flags & kRequired) == 0 ||
                                          node.find(property.key) != nullptr;
                               });
        };
        if (node.count > 0 && std::any_of(candidates.begin(), candidates.end(), isComplete))
            return;
        if (node.entries().empty()) {
            // What should have stood here may have been refused already.
            for (const Diagnostic &diagnostic : m_diagnostics) {
                if (diagnostic.severity == Severity::Error &&
                    diagnostic.position == node.position())
                    return;
            }
            report(node, "empty-mapping", "Expected at least one key-value pair in the mapping");
            return;
        }
        std::string keys;
        for (const std::string_view key : keysOf(candidates, true))
            keys += (keys.empty() ? "" : ", ") + std::string(key);
        report(
            node, "not-enough-info",
            "There's not enough info to determine what you meant. Add one of these properties: " +
                keys);
    }

    std::vector<Diagnostic> &m_diagnostics;
    const yaml::Source *m_via = nullptr;
};

} // namespace

bool parseBoolean(std::string_view text, bool &value)
{
    for (const std::string_view word : {"true", "y", "yes", "on"}) {
        if (equalIgnoringCase(text, word)) {
            value = true;
            return true;
        }
    }
    for (const std::string_view word : {"false", "n", "no", "off"}) {
        if (equalIgnoringCase(text, word)) {
            value = false;
            return true;
        }
    }
    return false;
}

void check(const yaml::Node &node, const Shape &shape, std::vector<Diagnostic> &diagnostics)
{
    Checker(diagnostics).check(node, shape);
}

} // namespace pipelines::shape
