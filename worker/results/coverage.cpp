#include "worker/results/coverage.h"

#include "worker/base/text.h"
#include "worker/results/xml_pass.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace worker {
namespace {

using schema::ErrorCode;
using schema::protocol::CoverageStatistic;
using schema::protocol::CoverageUpload;

/// No file has more; sums stay far from overflow.
constexpr std::int64_t kMostCounted = 1'000'000'000'000;

/// A count ("12"), or -1.
std::int64_t count(const std::string &text)
{
    std::int64_t out = -1;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
    return error == std::errc() && end == text.data() + text.size() && out >= 0
               ? std::min(out, kMostCounted)
               : -1;
}

struct Counter
{
    std::int64_t covered = 0, total = 0;
};

/// "50% (1/2)" of a Cobertura line with branches.
Counter branches(const std::string &text)
{
    const auto open = text.find('(');
    const auto slash = text.find('/', open == std::string::npos ? 0 : open);
    const auto close = text.find(')', slash == std::string::npos ? 0 : slash);
    if (open == std::string::npos || slash == std::string::npos || close == std::string::npos)
        return {};
    const auto covered = count(text.substr(open + 1, slash - open - 1));
    const auto total = count(text.substr(slash + 1, close - slash - 1));
    return covered < 0 || total < covered ? Counter{} : Counter{covered, total};
}

class CoverageReader
{
public:
    schema::Result<CoverageUpload> read(std::string_view file)
    {
        QXmlStreamReader xml(
            QByteArray::fromRawData(file.data(), static_cast<qsizetype>(file.size())));
        int depth = 0;
        while (!xml.atEnd()) {
            const auto token = xml.readNext();
            if (token == QXmlStreamReader::EndElement) {
                leave(xmlText(xml.name()));
                --depth;
            }
            if (token != QXmlStreamReader::StartElement)
                continue;
            if (++depth > kMaxXmlDepth)
                return {ErrorCode::InvalidArgument, "elements are nested too deep"};
            const auto name = xmlText(xml.name());
            if (depth == 1 && name != "coverage" && name != "report")
                return {ErrorCode::InvalidArgument,
                        fmt::format("line {}: the root element is <{}>; a Cobertura file begins "
                                    "with <coverage>, a JaCoCo file with <report>",
                                    xml.lineNumber(), name)};
            if (depth == 1)
                root(name, xml.attributes());
            else if (m_out.tool == "Cobertura")
                cobertura(name, xml.attributes());
            else
                jacoco(name, depth, xml.attributes());
        }
        if (xml.hasError())
            return {ErrorCode::InvalidArgument,
                    fmt::format("line {}, column {}: {}", xml.lineNumber(), xml.columnNumber(),
                                xmlText(xml.errorString()))};
        finish();
        return std::move(m_out);
    }

private:
    void root(const std::string &name, const QXmlStreamAttributes &attributes)
    {
        m_out.tool = name == "coverage" ? "Cobertura" : "JaCoCo";
        m_lines = {count(xmlAttribute(attributes, "lines-covered")),
                   count(xmlAttribute(attributes, "lines-valid"))};
        m_branches = {count(xmlAttribute(attributes, "branches-covered")),
                      count(xmlAttribute(attributes, "branches-valid"))};
    }

    void cobertura(const std::string &name, const QXmlStreamAttributes &attributes)
    {
        m_inMethods += name == "methods" ? 1 : 0; // their lines stand in the class once more
        if (name != "line" || m_inMethods > 0)
            return;
        ++m_seenLines.total;
        m_seenLines.covered += count(xmlAttribute(attributes, "hits")) > 0 ? 1 : 0;
        const auto split = branches(xmlAttribute(attributes, "condition-coverage"));
        m_seenBranches.covered += split.covered;
        m_seenBranches.total += split.total;
    }

    void leave(const std::string &name) { m_inMethods -= name == "methods" ? 1 : 0; }

    void jacoco(const std::string &name, int depth, const QXmlStreamAttributes &attributes)
    {
        if (name != "counter" || depth != 2)
            return;
        const auto covered = count(xmlAttribute(attributes, "covered"));
        const auto missed = count(xmlAttribute(attributes, "missed"));
        auto type = toLower(xmlAttribute(attributes, "type")).substr(0, 64);
        if (covered < 0 || missed < 0 || type.empty())
            return;
        type[0] = toUpper(type.substr(0, 1))[0];
        type += type == "Branch" || type == "Class" ? "es" : "s";
        CoverageUpload one;
        one.statistics.push_back(
            {type == "Complexitys" ? "Complexity" : type, covered, covered + missed});
        one.tool = m_out.tool;
        addCoverage(m_out, one);
    }

    void finish()
    {
        if (m_out.tool != "Cobertura")
            return;
        const auto add = [this](const char *label, Counter given, Counter seen) {
            const bool whole =
                given.total >= 0 && given.covered >= 0 && given.covered <= given.total;
            const auto &counter = whole ? given : seen;
            if (counter.total > 0)
                m_out.statistics.push_back({label, counter.covered, counter.total});
        };
        add("Lines", m_lines, m_seenLines);
        add("Branches", m_branches, m_seenBranches);
    }

    CoverageUpload m_out;
    Counter m_lines, m_branches, m_seenLines, m_seenBranches;
    int m_inMethods = 0;
};

} // namespace

schema::Result<CoverageUpload> readCoverage(std::string_view text)
{
    return CoverageReader().read(text);
}

void addCoverage(CoverageUpload &sum, const CoverageUpload &more)
{
    if (sum.tool.empty())
        sum.tool = more.tool;
    else if (sum.tool != more.tool)
        sum.tool = "Cobertura, JaCoCo";
    for (const auto &statistic : more.statistics) {
        const auto it = std::find_if(
            sum.statistics.begin(), sum.statistics.end(),
            [&statistic](const CoverageStatistic &one) { return one.label == statistic.label; });
        if (it == sum.statistics.end()) {
            sum.statistics.push_back(statistic);
        } else {
            it->covered = std::min(it->covered + statistic.covered, kMostCounted);
            it->total = std::min(it->total + statistic.total, kMostCounted);
        }
    }
}

std::string sentence(const CoverageStatistic &statistic)
{
    const double percent = statistic.total == 0 ? 0.0
                                                : 100.0 * static_cast<double>(statistic.covered) /
                                                      static_cast<double>(statistic.total);
    return fmt::format("{}: {:.2f} % ({} of {})", statistic.label, percent, statistic.covered,
                       statistic.total);
}

} // namespace worker
