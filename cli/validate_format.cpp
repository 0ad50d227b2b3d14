#include "cli/validate_format.h"

#include "pipelines/base/diagnostic_codes.h"
#include "pipelines/base/text.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <map>
#include <set>
#include <tuple>
#include <vector>

namespace cli {
namespace {

using Json = nlohmann::ordered_json;
using pipelines::Diagnostic;
using pipelines::Severity;

const char *word(Severity severity)
{
    return severity == Severity::Error ? "error" : "warning";
}

/// The service's form, so that people find help for it: `file (Line: N, Col: M): `.
std::string prefix(const schema::SourcePosition &position)
{
    if (position.file.empty())
        return {};
    if (position.line == 0)
        return position.file + ": ";
    return fmt::format("{} (Line: {}, Col: {}): ", position.file, position.line, position.column);
}

/// A path of the repository as a relative reference (RFC 3986).
std::string relativeUri(std::string_view file)
{
    constexpr std::string_view kPlain = "-._~/@";
    std::string out;
    for (const char c : file.starts_with('/') ? file.substr(1) : file) {
        const bool isPlain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
                             (c >= 'A' && c <= 'Z') || kPlain.find(c) != std::string_view::npos;
        out += isPlain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
    return out;
}

/// The lines of one file. Problems come in the order of lines, so each search goes on from the
/// last.
class Lines
{
public:
    explicit Lines(std::optional<std::string> text)
        : m_text(std::move(text))
    {}

    std::string_view at(std::uint32_t line)
    {
        if (!m_text)
            return {};
        if (line < m_line) {
            m_line = 1;
            m_start = 0;
        }
        const std::string_view text = *m_text;
        for (; m_line < line; ++m_line) {
            const std::size_t end = text.find('\n', m_start);
            if (end == std::string_view::npos)
                return {};
            m_start = end + 1;
        }
        std::string_view found = text.substr(m_start, text.find('\n', m_start) - m_start);
        if (found.ends_with('\r'))
            found.remove_suffix(1);
        return found;
    }

private:
    std::optional<std::string> m_text;
    std::uint32_t m_line = 1;
    std::size_t m_start = 0;
};

constexpr std::string_view kReplacement = "\uFFFD";

/// False for what a terminal would obey (control characters) and for bytes that are no UTF-8.
bool isPrintable(char32_t c, std::size_t bytes)
{
    return c >= 0x20 && c != 0x7F && (bytes > 1 ? c >= 0xA0 : c < 0x80);
}

/// A message quotes texts of the file, which may hold any character by an escape.
std::string printable(std::string_view text)
{
    std::string shown;
    while (!text.empty()) {
        std::string_view rest = text;
        const char32_t c = pipelines::takeCodePoint(rest);
        const std::string_view character = text.substr(0, text.size() - rest.size());
        const bool isBlank = c == '\n' || c == '\t';
        shown += isBlank || isPrintable(c, character.size()) ? character : kReplacement;
        text = rest;
    }
    return shown;
}

/// The line with tabs as blanks and no control characters, and the caret line below it.
std::string excerpt(std::string_view line, const Diagnostic &diagnostic)
{
    constexpr std::size_t kWidest = 160;
    if (line.empty())
        return {};
    std::string shown;
    std::string caret;
    std::uint32_t column = 1;
    while (!line.empty() && shown.size() < kWidest) {
        std::string_view rest = line;
        const char32_t c = pipelines::takeCodePoint(rest);
        const std::string_view character = line.substr(0, line.size() - rest.size());
        if (c == '\t')
            shown += ' ';
        else
            shown += isPrintable(c, character.size()) ? character : kReplacement;
        line = rest;
        if (column < diagnostic.position.column)
            caret += ' ';
        else if (column == diagnostic.position.column)
            caret += '^';
        else if (column < diagnostic.position.column + diagnostic.length)
            caret += '~';
        ++column;
    }
    if (caret.find('^') == std::string::npos)
        caret += '^';
    const std::string number = std::to_string(diagnostic.position.line);
    return fmt::format("  {} | {}\n  {} | {}\n", number, shown, std::string(number.size(), ' '),
                       caret);
}

/// The same problem, met by several references: what is said of it is said once.
auto sameProblem(const Diagnostic &diagnostic)
{
    return std::tie(diagnostic.position.file, diagnostic.position.line, diagnostic.position.column,
                    diagnostic.code, diagnostic.message, diagnostic.hint);
}

struct OfSameProblem
{
    bool operator()(const Diagnostic *left, const Diagnostic *right) const
    {
        return sameProblem(*left) < sameProblem(*right);
    }
};

using Repeats = std::map<const Diagnostic *, std::vector<const Diagnostic *>, OfSameProblem>;

/// The references that led to a problem, and what sets the others apart that led there as well.
std::string references(const Diagnostic &first, const std::vector<const Diagnostic *> &others)
{
    constexpr std::size_t kMostShown = 5;
    std::string out;
    for (const auto &from : first.includedFrom)
        out += fmt::format("  included from {} (Line: {}, Col: {})\n", from.file, from.line,
                           from.column);
    for (std::size_t i = 0; i < others.size() && i < kMostShown; ++i) {
        const auto &chain = others[i]->includedFrom;
        const auto at = std::mismatch(chain.begin(), chain.end(), first.includedFrom.begin(),
                                      first.includedFrom.end())
                            .first;
        if (at != chain.end())
            out +=
                fmt::format("  also from {} (Line: {}, Col: {})\n", at->file, at->line, at->column);
    }
    if (others.size() > kMostShown)
        out += fmt::format("  and from {} more\n", others.size() - kMostShown);
    return out;
}

Json position(const schema::SourcePosition &position)
{
    return {{"file", position.file}, {"line", position.line}, {"column", position.column}};
}

} // namespace

std::string diagnosticsAsText(const std::vector<Diagnostic> &diagnostics,
                              const TextOfFile &textOfFile)
{
    std::map<std::string, Lines> texts;
    Repeats repeats;
    for (const Diagnostic &diagnostic : diagnostics) {
        const auto [found, isFirst] = repeats.try_emplace(&diagnostic);
        if (!isFirst)
            found->second.push_back(&diagnostic);
    }
    std::string out;
    for (const Diagnostic &diagnostic : diagnostics) {
        const auto same = repeats.find(&diagnostic);
        if (same->first != &diagnostic)
            continue;
        out += fmt::format("{}{}{} [{}]\n", prefix(diagnostic.position),
                           diagnostic.severity == Severity::Warning ? "warning: " : "",
                           printable(diagnostic.message), diagnostic.code);
        if (diagnostic.position.line != 0) {
            auto found = texts.find(diagnostic.position.file);
            if (found == texts.end())
                found = texts
                            .emplace(diagnostic.position.file,
                                     Lines(textOfFile(diagnostic.position.file)))
                            .first;
            out += excerpt(found->second.at(diagnostic.position.line), diagnostic);
        }
        if (!diagnostic.hint.empty())
            out += "  hint: " + printable(diagnostic.hint) + "\n";
        out += references(diagnostic, same->second);
    }
    return out;
}

std::string diagnosticsAsJson(const std::vector<Diagnostic> &diagnostics)
{
    Json list = Json::array();
    for (const Diagnostic &diagnostic : diagnostics) {
        Json item{{"severity", word(diagnostic.severity)}, {"code", diagnostic.code},
                  {"message", diagnostic.message},         {"file", diagnostic.position.file},
                  {"line", diagnostic.position.line},      {"column", diagnostic.position.column},
                  {"length", diagnostic.length},           {"hint", diagnostic.hint},
                  {"includedFrom", Json::array()}};
        for (const auto &from : diagnostic.includedFrom)
            item["includedFrom"].push_back(position(from));
        list.push_back(std::move(item));
    }
    return list.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string diagnosticsAsSarif(const std::vector<Diagnostic> &diagnostics)
{
    const auto location = [](const schema::SourcePosition &at, std::uint32_t length) {
        Json physical{{"artifactLocation", {{"uri", relativeUri(at.file)}}}};
        if (at.line != 0) {
            physical["region"] = {{"startLine", at.line}, {"startColumn", at.column}};
            if (length != 0)
                physical["region"]["endColumn"] = at.column + length;
        }
        return Json{{"physicalLocation", std::move(physical)}};
    };
    Json rules = Json::array();
    std::set<std::string> known;
    Json results = Json::array();
    for (const Diagnostic &diagnostic : diagnostics) {
        if (known.insert(diagnostic.code).second)
            rules.push_back(
                {{"id", diagnostic.code},
                 {"shortDescription", {{"text", pipelines::meaningOf(diagnostic.code)}}}});
        std::string text = diagnostic.message;
        if (!diagnostic.hint.empty())
            text += " (" + diagnostic.hint + ")";
        Json result{{"ruleId", diagnostic.code},
                    {"level", word(diagnostic.severity)},
                    {"message", {{"text", text}}},
                    {"locations", Json::array()}};
        if (!diagnostic.position.file.empty())
            result["locations"].push_back(location(diagnostic.position, diagnostic.length));
        if (!diagnostic.includedFrom.empty()) {
            result["relatedLocations"] = Json::array();
            for (const auto &from : diagnostic.includedFrom)
                result["relatedLocations"].push_back(location(from, 0));
        }
        results.push_back(std::move(result));
    }
    const Json log{
        {"$schema", "https://json.schemastore.org/sarif-2.1.0.json"},
        {"version", "2.1.0"},
        {"runs",
         Json::array({Json{
             {"tool",
              {{"driver",
                {{"name", "slipway"}, {"version", SLIPWAY_VERSION}, {"rules", std::move(rules)}}}}},
             {"columnKind", "unicodeCodePoints"},
             {"results", std::move(results)}}})}};
    return log.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

} // namespace cli
