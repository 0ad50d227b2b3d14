#include "pipelines/run/run_number.h"

#include "pipelines/base/text.h"
#include "pipelines/expr/date_format.h"

#include <array>
#include <vector>

namespace pipelines::run {
namespace {

using schema::Error;
using schema::ErrorCode;

struct DateToken
{
    std::string_view name, format;
};

/// Tokens that are parts of the date, without padding.
constexpr std::array kDateTokens{DateToken{"DayOfMonth", "d"}, DateToken{"Month", "M"},
                                 DateToken{"Hours", "H"}, DateToken{"Minutes", "m"},
                                 DateToken{"Seconds", "s"}};

struct Alias
{
    std::string_view token, variable;
};

constexpr std::array kAliases{Alias{"BuildDefinitionName", "Build.DefinitionName"},
                              Alias{"BuildID", "Build.BuildId"},
                              Alias{"SourceBranchName", "Build.SourceBranchName"},
                              Alias{"TeamProject", "System.TeamProject"}};

std::string dayOfYear(schema::TimePoint now)
{
    using std::chrono::days;
    using std::chrono::floor;
    using std::chrono::January;
    using std::chrono::sys_days;
    using std::chrono::year_month_day;
    const auto day = floor<days>(now);
    const year_month_day date{sys_days(day.time_since_epoch())};
    const sys_days first{date.year() / January / 1};
    return std::to_string((sys_days(day.time_since_epoch()) - first).count() + 1);
}

/// The format of a Rev token with its run of `r` replaced by the padded number.
std::string revisionText(std::string_view format, std::uint64_t number)
{
    std::string out;
    for (std::size_t i = 0; i < format.size();) {
        if (format[i] != 'r') {
            out += format[i++];
            continue;
        }
        std::size_t width = 0;
        while (i < format.size() && format[i] == 'r') {
            ++width;
            ++i;
        }
        const std::string digits = std::to_string(number);
        if (digits.size() < width)
            out.append(width - digits.size(), '0');
        out += digits;
    }
    return out;
}

/// Text pieces; a piece with `isRevision` holds the format of a Rev token.
struct Piece
{
    std::string text;
    bool isRevision = false;
};

class Formatter
{
public:
    Formatter(schema::TimePoint now, const VariableLookup &variables)
        : m_now(now)
        , m_variables(variables)
    {}

    std::vector<Piece> run(std::string_view format)
    {
        while (!format.empty()) {
            const std::size_t start = format.find("$(");
            const std::size_t end =
                start == std::string_view::npos ? start : format.find(')', start + 2);
            if (end == std::string_view::npos)
                break;
            append(format.substr(0, start));
            token(format.substr(start + 2, end - start - 2), format.substr(start, end - start + 1));
            format.remove_prefix(end + 1);
        }
        append(format);
        return std::move(m_pieces);
    }

private:
    void append(std::string_view text) { m_pieces.push_back({std::string(text), false}); }

    void token(std::string_view token, std::string_view raw)
    {
        const std::size_t colon = token.find(':');
        const std::string_view name = token.substr(0, colon);
        const std::string_view format =
            colon == std::string_view::npos ? std::string_view{} : token.substr(colon + 1);
        const std::int64_t millis = schema::toEpochMillis(m_now);
        if (equalIgnoringCase(name, "Date"))
            return append(expr::formatDate(millis, format.empty() ? "yyyyMMdd" : format));
        if (equalIgnoringCase(name, "Year"))
            return append(expr::formatDate(millis, format.empty() ? "yyyy" : format));
        if (equalIgnoringCase(name, "Rev")) {
            m_pieces.push_back({std::string(format.empty() ? "r" : format), true});
            return;
        }
        if (equalIgnoringCase(name, "DayOfYear"))
            return append(dayOfYear(m_now));
        for (const DateToken &known : kDateTokens) {
            if (equalIgnoringCase(name, known.name))
                return append(expr::formatDate(millis, known.format));
        }
        std::string_view variable = token;
        for (const Alias &alias : kAliases) {
            if (equalIgnoringCase(token, alias.token))
                variable = alias.variable;
        }
        if (const auto value = m_variables(variable))
            return append(expandMacros(*value, m_variables));
        append(raw);
    }

    schema::TimePoint m_now;
    const VariableLookup &m_variables;
    std::vector<Piece> m_pieces;
};

} // namespace

schema::Status checkRunNumber(std::string_view number)
{
    constexpr std::size_t kLongest = 255;
    constexpr std::size_t kShown = 100;
    const bool isBad = number.find_first_of("\"/:<>\\|?@*") != std::string_view::npos;
    if (number.empty() || isBad || number.ends_with('.') || utf16Length(number) > kLongest)
        return schema::Error{
            schema::ErrorCode::InvalidArgument,
            "'" + std::string(number.substr(0, kShown)) +
                "' is no run number: 1 to 255 characters, none of \" / : < > \\ | ? @ *, "
                "and no dot at the end"};
    return {};
}

schema::Result<std::string> formatRunNumber(std::string_view format, schema::TimePoint now,
                                            const VariableLookup &variables,
                                            const RevisionCounter &revision)
{
    if (trim(format).empty())
        format = kDefaultRunNumber;
    const std::vector<Piece> pieces = Formatter(now, variables).run(format);
    std::string without;
    bool counted = false;
    for (const Piece &piece : pieces) {
        counted = counted || piece.isRevision;
        if (!piece.isRevision)
            without += piece.text;
    }
    const std::uint64_t number = counted ? revision(without) : 0;
    std::string out;
    for (const Piece &piece : pieces)
        out += piece.isRevision ? revisionText(piece.text, number) : piece.text;
    if (!out.empty() && !checkRunNumber(out)) {
        constexpr std::size_t kShown = 300;
        return Error{ErrorCode::InvalidArgument,
                     "The build number format string " + std::string(format.substr(0, kShown)) +
                         " generated a build number " + out.substr(0, kShown) +
                         " which contains invalid character(s), is too long, or ends with '.'. "
                         "The maximum length of a build number is 255 characters. Characters which "
                         "are not allowed include '\"', '/', ':', '<', '>', '\\', '|', '?', '@', "
                         "and '*'."};
    }
    return out;
}

} // namespace pipelines::run
