#include "pipelines/yaml/reader.h"

#include "pipelines/base/text.h"
#include "pipelines/yaml/phrases.h"

#include <yaml-cpp/depthguard.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <array>
#include <istream>
#include <new>
#include <optional>
#include <streambuf>
#include <unordered_set>

namespace pipelines::yaml {
namespace {

/// Ends the reading at the first problem that leaves no sensible tree.
struct Stop
{
    std::string code, message, hint;
    std::uint32_t line = 0, column = 0;
};

/// yaml-cpp 0.7 turns the escapes \N and \_ into single bytes (Latin-1). The file is UTF-8, so
/// whatever is no UTF-8 in a value came from one of them.
std::string fromLatin1Escapes(std::string_view value)
{
    std::string out;
    while (true) {
        const std::size_t bad = findInvalidUtf8(value);
        if (bad == std::string_view::npos)
            return out.append(value);
        out.append(value.substr(0, bad));
        appendUtf8(out, static_cast<unsigned char>(value[bad]));
        value.remove_prefix(bad + 1);
    }
}

/// Reads a text in place.
class ViewBuffer : public std::streambuf
{
public:
    explicit ViewBuffer(std::string_view text)
    {
        // streambuf wants char*, but a get area is never written.
        char *const begin = const_cast<char *>(text.data());
        setg(begin, begin, begin + text.size());
    }
};

bool isNullWord(std::string_view text, std::size_t at, std::string_view word)
{
    if (at > text.size() || text.substr(at, word.size()) != word)
        return false;
    const std::size_t end = at + word.size();
    return end >= text.size() ||
           std::string_view(" \t\r\n,]}:#").find(text[end]) != std::string_view::npos;
}

class Builder : public YAML::EventHandler
{
public:
    Builder(Arena &arena, const Source *source, std::string_view text, const ReadLimits &limits,
            ScalarHook *hook, std::vector<Diagnostic> &diagnostics)
        : m_arena(arena)
        , m_source(source)
        , m_text(text)
        , m_limits(limits)
        , m_hook(hook)
        , m_diagnostics(diagnostics)
    {
        m_ascii = std::all_of(text.begin(), text.end(),
                              [](char c) { return static_cast<unsigned char>(c) < 0x80; });
    }

    [[nodiscard]] const Node *root() const { return m_root; }

    void OnDocumentStart(const YAML::Mark &) override
    {
        if (m_documents++ > 0)
            throw Stop{"second-document", "Expected stream end parse event",
                       "a pipeline file holds one document: remove everything from the second "
                       "`---` on"};
    }

    void OnDocumentEnd() override {}

    void OnAnchor(const YAML::Mark &mark, const std::string &name) override
    {
        throw Stop{"anchor",
                   "Anchors are not currently supported. Remove the anchor '" + name + "'",
                   "use a template or a parameter instead", line(mark), column(mark)};
    }

    void OnAlias(const YAML::Mark &mark, YAML::anchor_t) override
    {
        throw Stop{"anchor", "Anchors are not currently supported. Remove the alias",
                   "use a template or a parameter instead", line(mark), column(mark)};
    }

    void OnNull(const YAML::Mark &mark, YAML::anchor_t) override
    {
        // yaml-cpp reports `null`, `~` and nothing at all alike; the text tells them apart. The
        // mark of a missing value is that of the next token, which may itself be a key `null`.
        const auto at = static_cast<std::size_t>(mark.pos);
        std::string_view word;
        for (const std::string_view candidate : {"null", "Null", "NULL", "~"}) {
            if (isNullWord(m_text, at, candidate))
                word = candidate;
        }
        if (m_lastNull != nullptr && m_lastNullAt == at)
            m_lastNull->text = {};
        Node &scalar = *newNode(mark);
        scalar.text = m_arena.copy(word);
        m_lastNull = &scalar;
        m_lastNullAt = at;
        if (word.empty())
            placeAfterKey(scalar);
        add(scalar);
    }

    void OnScalar(const YAML::Mark &mark, const std::string &tag, YAML::anchor_t,
                  const std::string &value) override
    {
        checkTag(tag, mark);
        Node &scalar = *newNode(mark);
        const bool isText = tag == "!" || tag.ends_with(":str");
        scalar.style = isText ? Style::Quoted : Style::Plain; // !!int 1 is as good as 1
        if (tag != "?" && !tag.empty())
            m_lastQuoted = mark;
        if (scalar.style == Style::Quoted && findInvalidUtf8(value) != std::string_view::npos)
            scalar.text = m_arena.copy(fromLatin1Escapes(value));
        else
            scalar.text = m_arena.copy(value);
        if (m_hook != nullptr && scalar.text.find("${{") != std::string_view::npos)
            m_hook->onScalar(scalar, expectsKey());
        add(scalar);
    }

    void OnSequenceStart(const YAML::Mark &mark, const std::string &tag, YAML::anchor_t,
                         YAML::EmitterStyle::value) override
    {
        checkTag(tag, mark);
        open(*newNode(mark), false, mark);
    }

    void OnSequenceEnd() override
    {
        const Frame frame = m_frames.back();
        m_frames.pop_back();
        m_arena.setChildren(*frame.node, std::span(m_stack).subspan(frame.start));
        m_stack.resize(frame.start);
        add(*frame.node);
    }

    void OnMapStart(const YAML::Mark &mark, const std::string &tag, YAML::anchor_t,
                    YAML::EmitterStyle::value) override
    {
        checkTag(tag, mark);
        open(*newNode(mark), true, mark);
    }

    void OnMapEnd() override
    {
        const Frame frame = m_frames.back();
        m_frames.pop_back();
        m_entries.clear();
        for (std::size_t i = frame.start; i + 1 < m_stack.size(); i += 2)
            m_entries.push_back({m_stack[i], m_stack[i + 1]});
        checkDuplicates();
        m_arena.setChildren(*frame.node, m_entries);
        m_stack.resize(frame.start);
        add(*frame.node);
    }

    /// With the last place that was read.
    [[nodiscard]] Stop outOfMemory() const
    {
        return {"limit-size", "Maximum object size exceeded",
                "there is no memory left for the rest of the file: make it smaller", m_lastLine,
                m_lastColumn};
    }

    /// yaml-cpp takes the end of the text for the end of a quoted scalar: only the last one can be
    /// open.
    void checkLastQuote() const
    {
        const auto at = static_cast<std::size_t>(m_lastQuoted.pos);
        if (m_lastQuoted.pos < 0 || at >= m_text.size() ||
            (m_text[at] != '"' && m_text[at] != '\''))
            return;
        const char quote = m_text[at];
        for (std::size_t i = at + 1; i < m_text.size(); ++i) {
            if (quote == '"' && m_text[i] == '\\') {
                ++i;
            } else if (m_text[i] == quote) {
                if (quote == '"' || i + 1 == m_text.size() || m_text[i + 1] != quote)
                    return;
                ++i;
            }
        }
        throw Stop{"yaml-syntax", "While scanning a quoted scalar, found unexpected end of stream.",
                   "close the quote that opens here", line(m_lastQuoted), column(m_lastQuoted)};
    }

private:
    struct Frame
    {
        Node *node;
        std::size_t start;
        bool isMapping;
    };

    static std::uint32_t line(const YAML::Mark &mark)
    {
        return static_cast<std::uint32_t>(mark.line + 1);
    }

    /// Columns count characters; yaml-cpp counts bytes.
    [[nodiscard]] std::uint32_t column(const YAML::Mark &mark) const
    {
        auto bytes = static_cast<std::size_t>(mark.column);
        const auto at = static_cast<std::size_t>(mark.pos);
        if (m_ascii || at > m_text.size() || bytes > at)
            return static_cast<std::uint32_t>(bytes + 1);
        std::uint32_t characters = 1;
        for (const char c : m_text.substr(at - bytes, bytes))
            characters += (c & 0xC0) != 0x80 ? 1U : 0U;
        return characters;
    }

    Node *newNode(const YAML::Mark &mark)
    {
        if (m_arena.nodeCount() >= m_limits.maxNodes)
            throw Stop{"limit-size", "Maximum object size exceeded",
                       "the file holds more values than the limit allows", line(mark),
                       column(mark)};
        Node *const node = m_arena.node();
        node->source = m_source;
        node->line = m_lastLine = line(mark);
        node->column = m_lastColumn = column(mark);
        return node;
    }

    /// The tags of YAML's core schema change nothing; sets, ordered maps, binary texts and what
    /// people define themselves would.
    void checkTag(std::string_view tag, const YAML::Mark &mark) const
    {
        constexpr std::string_view kPrefix = "tag:yaml.org,2002:";
        constexpr std::array<std::string_view, 7> kCore{"str",   "null", "bool", "int",
                                                        "float", "map",  "seq"};
        if (tag.empty() || tag == "?" || tag == "!")
            return;
        std::string shown(tag);
        if (tag.starts_with(kPrefix)) {
            tag.remove_prefix(kPrefix.size());
            if (std::find(kCore.begin(), kCore.end(), tag) != kCore.end())
                return;
            shown = "!!" + std::string(tag);
        }
        throw Stop{"yaml-tag", "The tag '" + shown + "' is not supported", "remove the tag",
                   line(mark), column(mark)};
    }

    [[nodiscard]] bool expectsKey() const
    {
        return !m_frames.empty() && m_frames.back().isMapping &&
               (m_stack.size() - m_frames.back().start) % 2 == 0;
    }

    void placeAfterKey(Node &scalar) const
    {
        if (m_frames.empty() || !m_frames.back().isMapping || expectsKey() || m_stack.empty())
            return;
        const Node &key = *m_stack.back();
        scalar.line = key.line;
        scalar.column = key.column + static_cast<std::uint32_t>(utf16Length(key.text)) + 1;
    }

    void open(Node &node, bool isMapping, const YAML::Mark &mark)
    {
        if (expectsKey()) {
            const Node &outer = *m_frames.back().node;
            const bool isDoubled =
                isMapping && outer.line == line(mark) && outer.column + 1 == column(mark);
            throw Stop{"complex-key", "Expected a scalar value",
                       isDoubled ? "an expression begins with a dollar sign: write ${{ }}"
                                 : "a key is a plain text, not a list or a mapping: close every "
                                   "bracket, and quote a text that begins with one",
                       line(mark), column(mark)};
        }
        if (m_frames.size() >= m_limits.maxDepth)
            throw Stop{"limit-depth", "Maximum object depth exceeded",
                       "the YAML is nested deeper than " + std::to_string(m_limits.maxDepth) +
                           " levels",
                       line(mark), column(mark)};
        m_frames.push_back({&node, m_stack.size(), isMapping});
    }

    void add(Node &node)
    {
        if (m_frames.empty())
            m_root = &node;
        else
            m_stack.push_back(&node);
    }

    /// Keys compare ignoring case, in user data too (2.3). Keys with expressions are compared
    /// after evaluation. The first of two counts, so that nothing more is said of the second.
    void checkDuplicates()
    {
        constexpr std::size_t kFew = 12;
        std::size_t kept = 0;
        std::unordered_set<std::string_view, HashIgnoringCase, EqualIgnoringCase> seen;
        for (std::size_t i = 0; i < m_entries.size(); ++i) {
            const Node &key = *m_entries[i].key;
            bool duplicate = false;
            if (key.hasExpressions) {
                m_entries[kept++] = m_entries[i];
                continue;
            }
            if (m_entries.size() > kFew) {
                duplicate = !seen.insert(key.text).second;
            } else {
                for (std::size_t j = 0; j < kept && !duplicate; ++j)
                    duplicate = !m_entries[j].key->hasExpressions &&
                                m_entries[j].key->text.size() == key.text.size() &&
                                equalIgnoringCase(m_entries[j].key->text, key.text);
            }
            if (!duplicate)
                m_entries[kept++] = m_entries[i];
            else
                append(m_diagnostics, {Severity::Error,
                                       "duplicate-key",
                                       "'" + std::string(key.text) + "' is already defined",
                                       key.position(),
                                       static_cast<std::uint32_t>(utf16Length(key.text)),
                                       "remove or rename one of the two keys",
                                       {}});
        }
        m_entries.resize(kept);
    }

    Arena &m_arena;
    const Source *m_source;
    std::string_view m_text;
    const ReadLimits &m_limits;
    ScalarHook *m_hook;
    std::vector<Diagnostic> &m_diagnostics;
    bool m_ascii = true;
    std::uint32_t m_lastLine = 1, m_lastColumn = 1; ///< of the newest node
    int m_documents = 0;
    std::vector<Frame> m_frames;
    std::vector<const Node *> m_stack;
    std::vector<Entry> m_entries;
    Node *m_lastNull = nullptr;
    std::size_t m_lastNullAt = 0;
    YAML::Mark m_lastQuoted = YAML::Mark::null_mark();
    const Node *m_root = nullptr;
};

Stop explain(const YAML::Exception &error)
{
    Stop stop{"yaml-syntax", error.msg, "",
              static_cast<std::uint32_t>(std::max(error.mark.line, 0) + 1),
              static_cast<std::uint32_t>(std::max(error.mark.column, 0) + 1)};
    if (const Phrase *const phrase = phraseOf(error.msg); phrase != nullptr) {
        stop.message = phrase->service;
        stop.hint = phrase->hint;
    }
    return stop;
}

/// Line and column of a byte offset.
std::pair<std::uint32_t, std::uint32_t> place(std::string_view text, std::size_t offset)
{
    const std::string_view before = text.substr(0, offset);
    const auto line =
        static_cast<std::uint32_t>(std::count(before.begin(), before.end(), '\n') + 1);
    const std::size_t start = before.rfind('\n');
    const std::size_t width = start == std::string_view::npos ? offset : offset - start - 1;
    return {line, static_cast<std::uint32_t>(width + 1)};
}

/// Does the white space a line begins with hold a tab?
bool isIndentedByTab(std::string_view text, std::uint32_t line)
{
    for (std::uint32_t current = 1; current < line; ++current) {
        const std::size_t end = text.find('\n');
        if (end == std::string_view::npos)
            return false;
        text.remove_prefix(end + 1);
    }
    const std::size_t first = text.find_first_not_of(" \t");
    return text.substr(0, first).find('\t') != std::string_view::npos;
}

/// What must not even reach the parser.
void checkBytes(std::string_view text, const ReadLimits &limits)
{
    if (text.size() > limits.maxBytes) {
        const auto [line, column] = place(text, limits.maxBytes);
        throw Stop{"limit-size", "Maximum object size exceeded",
                   "the file has " + std::to_string(text.size()) + " bytes, the limit is " +
                       std::to_string(limits.maxBytes),
                   line, column};
    }
    const auto refuse = [text](std::size_t at, std::string what, std::string hint) {
        const auto [line, column] = place(text, at);
        throw Stop{"encoding", std::move(what), std::move(hint), line, column};
    };
    if (text.starts_with(std::string_view("\xff\xfe\0\0", 4)) ||
        text.starts_with(std::string_view("\0\0\xfe\xff", 4)))
        refuse(0, "The file is UTF-32", "save it as UTF-8");
    if (text.starts_with("\xff\xfe") || text.starts_with("\xfe\xff"))
        refuse(0, "The file is UTF-16", "save it as UTF-8");
    if (const std::size_t nul = text.find('\0'); nul != std::string_view::npos)
        refuse(nul, "The file holds a NUL byte", "save it as UTF-8 text");
    if (const std::size_t bad = findInvalidUtf8(text); bad != std::string_view::npos)
        refuse(bad, "The file holds a byte that is not UTF-8", "save it as UTF-8");
    // yaml-cpp keeps every token after an open bracket until it knows that no key begins there, so
    // that millions of them would fill the memory before the first event. Texts hold brackets that
    // are never closed too, but not so many.
    constexpr std::size_t kMostOpen = 100'000;
    std::size_t open = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (c == '[' || c == '{')
            ++open;
        else if ((c == ']' || c == '}') && open > 0)
            --open;
        if (open > kMostOpen) {
            const auto [line, column] = place(text, i);
            throw Stop{"limit-depth", "Maximum object depth exceeded",
                       "the YAML is nested too deeply", line, column};
        }
    }
}

const Node *build(Arena &arena, const Source *source, std::string_view text,
                  const ReadLimits &limits, ScalarHook *hook, std::vector<Diagnostic> &diagnostics)
{
    checkBytes(text, limits);
    if (text.starts_with("\xef\xbb\xbf"))
        text.remove_prefix(3);
    ViewBuffer buffer(text);
    std::istream stream(&buffer);
    YAML::Parser parser(stream);
    Builder builder(arena, source, text, limits, hook, diagnostics);
    try {
        // The service accepts one document; the next call throws at the start of another.
        while (parser.HandleNextDocument(builder)) {
        }
    } catch (const std::bad_alloc &) {
        throw builder.outOfMemory();
    }
    builder.checkLastQuote();
    if (builder.root() != nullptr)
        return builder.root();
    Node *const empty = arena.node();
    empty->source = source;
    empty->line = empty->column = 1;
    return empty;
}

} // namespace

const Node *read(Arena &arena, const Source *source, std::string_view text,
                 const ReadLimits &limits, ScalarHook *hook, std::vector<Diagnostic> &diagnostics)
{
    std::optional<Stop> stop;
    const std::size_t before = diagnostics.size();
    try {
        return build(arena, source, text, limits, hook, diagnostics);
    } catch (const Stop &found) {
        stop = found;
    } catch (const YAML::DeepRecursion &error) {
        stop = explain(error);
        stop->code = "limit-depth";
        stop->message = "Maximum object depth exceeded";
        stop->hint = "the YAML is nested too deeply";
    } catch (const YAML::Exception &error) {
        stop = explain(error);
        if (isIndentedByTab(text, stop->line))
            stop->hint = "indent with blanks, not with tabs";
    } catch (const std::bad_alloc &) {
        stop = Stop{"limit-size", "Maximum object size exceeded", "the file is too large", 1, 1};
    } catch (const std::exception &error) {
        stop = Stop{"yaml-syntax", error.what(), ""};
    }
    // An expression that YAML cut short is no mistake of its own.
    std::erase_if(diagnostics, [&](const Diagnostic &diagnostic) {
        return &diagnostic - diagnostics.data() >= static_cast<std::ptrdiff_t>(before) &&
               diagnostic.code == "expression-unclosed";
    });
    diagnostics.push_back({Severity::Error,
                           stop->code,
                           stop->message,
                           {source->name, stop->line, stop->column},
                           0,
                           stop->hint,
                           {}});
    return nullptr;
}

} // namespace pipelines::yaml
