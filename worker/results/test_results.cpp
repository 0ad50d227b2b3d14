#include "worker/results/test_results.h"

#include "worker/base/text.h"

#include <QByteArray>
#include <QXmlStreamReader>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <map>

namespace worker {
namespace {

using schema::ErrorCode;
using schema::protocol::TestCaseResult;

constexpr std::size_t kMaxText = 64U << 10U; ///< of one message or stack trace
constexpr int kMaxDepth = 1000;

std::string text(QStringView view)
{
    const auto bytes = view.toUtf8();
    return {bytes.constData(), static_cast<std::size_t>(bytes.size())};
}

/// Seconds ("0.123", "1,024.5") as milliseconds.
std::int64_t milliseconds(std::string seconds)
{
    std::erase(seconds, ',');
    double value = 0;
    const auto trimmedText = trimmed(seconds);
    const auto read =
        std::from_chars(trimmedText.data(), trimmedText.data() + trimmedText.size(), value);
    if (read.ec != std::errc() || !std::isfinite(value) || value < 0 || value > 1e9)
        return 0;
    return std::llround(value * 1000);
}

/// "00:00:01.2345678" as milliseconds.
std::int64_t clockMilliseconds(const std::string &clock)
{
    const auto parts = listEntries(clock, ":");
    if (parts.size() != 3)
        return milliseconds(clock);
    std::int64_t out = milliseconds(parts[2]);
    out += milliseconds(parts[1]) * 60;
    out += milliseconds(parts[0]) * 3600;
    return out;
}

/// One pass over a file; subclasses see elements begin and end.
class Reader
{
public:
    virtual ~Reader() = default;

    schema::Result<std::vector<TestCaseResult>> read(std::string_view file)
    {
        QXmlStreamReader xml(
            QByteArray::fromRawData(file.data(), static_cast<qsizetype>(file.size())));
        int depth = 0;
        bool any = false;
        while (!xml.atEnd()) {
            switch (xml.readNext()) {
            case QXmlStreamReader::StartElement:
                if (++depth > kMaxDepth)
                    return {ErrorCode::InvalidArgument, "elements are nested too deep"};
                if (!any && !isRoot(text(xml.name())))
                    return {ErrorCode::InvalidArgument, "line " + std::to_string(xml.lineNumber()) +
                                                            ": the root element is <" +
                                                            text(xml.name()) + ">; " + expected()};
                any = true;
                m_text.clear();
                begin(text(xml.name()), xml.attributes());
                break;
            case QXmlStreamReader::Characters:
                if (m_text.size() < kMaxText)
                    m_text += text(xml.text());
                break;
            case QXmlStreamReader::EndElement:
                --depth;
                end(text(xml.name()));
                m_text.clear();
                break;
            default:
                break;
            }
        }
        if (xml.hasError())
            return {ErrorCode::InvalidArgument,
                    "line " + std::to_string(xml.lineNumber()) + ", column " +
                        std::to_string(xml.columnNumber()) + ": " + text(xml.errorString())};
        return std::move(m_cases);
    }

protected:
    virtual bool isRoot(const std::string &name) const = 0;
    virtual std::string expected() const = 0;
    virtual void begin(const std::string &name, const QXmlStreamAttributes &attributes) = 0;
    virtual void end(const std::string &name) = 0;

    static std::string attribute(const QXmlStreamAttributes &attributes, const char *name)
    {
        return text(attributes.value(QLatin1StringView(name)));
    }

    std::string cut() const { return trimmed(m_text).substr(0, kMaxText); }

    std::string m_text;
    std::vector<TestCaseResult> m_cases;
    bool m_inCase = false;
};

class JUnitReader final : public Reader
{
    bool isRoot(const std::string &name) const override
    {
        return name == "testsuites" || name == "testsuite";
    }

    std::string expected() const override
    {
        return "a JUnit file begins with <testsuites> or <testsuite>";
    }

    void begin(const std::string &name, const QXmlStreamAttributes &attributes) override
    {
        if (name == "testsuite") {
            m_suites.push_back(attribute(attributes, "name"));
        } else if (name == "testcase") {
            TestCaseResult result;
            result.name = attribute(attributes, "name");
            result.className = attribute(attributes, "classname");
            if (result.name.empty())
                result.name = result.className.empty() ? "(no name)" : result.className;
            result.suite = m_suites.empty() ? std::string() : m_suites.back();
            result.outcome = "Passed";
            result.durationMs = milliseconds(attribute(attributes, "time"));
            m_cases.push_back(std::move(result));
            m_inCase = true;
        } else if (m_inCase && (name == "failure" || name == "error")) {
            auto &result = m_cases.back();
            result.outcome = "Failed";
            if (result.message.empty())
                result.message = attribute(attributes, "message").substr(0, kMaxText);
        } else if (m_inCase && name == "skipped") {
            auto &result = m_cases.back();
            if (result.outcome == "Passed")
                result.outcome = "NotExecuted";
            result.message = attribute(attributes, "message").substr(0, kMaxText);
        }
    }

    void end(const std::string &name) override
    {
        if (name == "testsuite" && !m_suites.empty()) {
            m_suites.pop_back();
        } else if (name == "testcase") {
            m_inCase = false;
        } else if (m_inCase && (name == "failure" || name == "error")) {
            auto &trace = m_cases.back().stackTrace;
            if (trace.size() < kMaxText)
                trace += (trace.empty() ? "" : "\n") + cut();
            if (m_cases.back().message.empty())
                m_cases.back().message = trace.substr(0, trace.find('\n'));
        }
    }

    std::vector<std::string> m_suites;
};

/// NUnit 3 (test-run) and 2 (test-results).
class NUnitReader final : public Reader
{
    bool isRoot(const std::string &name) const override
    {
        return name == "test-run" || name == "test-results";
    }

    std::string expected() const override
    {
        return "an NUnit file begins with <test-run> or <test-results>";
    }

    void begin(const std::string &name, const QXmlStreamAttributes &attributes) override
    {
        if (name == "test-suite") {
            m_suites.push_back(attribute(attributes, "name"));
        } else if (name == "test-case") {
            TestCaseResult result;
            result.name = attribute(attributes, "name");
            result.className = attribute(attributes, "classname");
            result.suite = m_suites.empty() ? std::string() : m_suites.back();
            const auto duration = attribute(attributes, "duration");
            result.durationMs =
                milliseconds(duration.empty() ? attribute(attributes, "time") : duration);
            const auto verdict = toLower(attribute(attributes, "result"));
            const auto success = toLower(attribute(attributes, "success"));
            if (verdict.starts_with("fail") || verdict == "error" || success == "false")
                result.outcome = "Failed";
            else if (verdict.starts_with("pass") || verdict == "success" || success == "true")
                result.outcome = "Passed";
            else
                result.outcome = "NotExecuted";
            m_cases.push_back(std::move(result));
            m_inCase = true;
        }
    }

    void end(const std::string &name) override
    {
        if (name == "test-suite" && !m_suites.empty())
            m_suites.pop_back();
        else if (name == "test-case")
            m_inCase = false;
        else if (m_inCase && name == "message")
            m_cases.back().message = cut();
        else if (m_inCase && name == "stack-trace")
            m_cases.back().stackTrace = cut();
    }

    std::vector<std::string> m_suites;
};

class XUnitReader final : public Reader
{
    bool isRoot(const std::string &name) const override
    {
        return name == "assemblies" || name == "assembly";
    }

    std::string expected() const override { return "an xUnit v2 file begins with <assemblies>"; }

    void begin(const std::string &name, const QXmlStreamAttributes &attributes) override
    {
        if (name == "assembly") {
            m_assembly = attribute(attributes, "name");
            m_assembly.erase(0, m_assembly.find_last_of("/\\") + 1);
        } else if (name == "test") {
            TestCaseResult result;
            result.name = attribute(attributes, "name");
            result.className = attribute(attributes, "type");
            result.suite = m_assembly;
            result.durationMs = milliseconds(attribute(attributes, "time"));
            const auto verdict = toLower(attribute(attributes, "result"));
            result.outcome =
                verdict == "pass" ? "Passed" : (verdict == "fail" ? "Failed" : "NotExecuted");
            m_cases.push_back(std::move(result));
            m_inCase = true;
        }
    }

    void end(const std::string &name) override
    {
        if (name == "test")
            m_inCase = false;
        else if (m_inCase && (name == "message" || name == "reason"))
            m_cases.back().message = cut();
        else if (m_inCase && name == "stack-trace")
            m_cases.back().stackTrace = cut();
    }

    std::string m_assembly;
};

class VSTestReader final : public Reader
{
    bool isRoot(const std::string &name) const override { return name == "TestRun"; }

    std::string expected() const override { return "a VSTest (TRX) file begins with <TestRun>"; }

    void begin(const std::string &name, const QXmlStreamAttributes &attributes) override
    {
        if (name == "UnitTestResult") {
            TestCaseResult result;
            result.name = attribute(attributes, "testName");
            result.durationMs = clockMilliseconds(attribute(attributes, "duration"));
            const auto verdict = toLower(attribute(attributes, "outcome"));
            result.outcome =
                verdict == "passed"
                    ? "Passed"
                    : (verdict == "failed" || verdict.empty() ? "Failed" : "NotExecuted");
            m_ids.push_back(attribute(attributes, "testId"));
            m_cases.push_back(std::move(result));
            m_inCase = true;
        } else if (name == "UnitTest") {
            m_definition = attribute(attributes, "id");
        } else if (name == "TestMethod") {
            auto className = attribute(attributes, "className");
            m_classes[m_definition] = className.substr(0, className.find(','));
        }
    }

    void end(const std::string &name) override
    {
        if (name == "UnitTestResult")
            m_inCase = false;
        else if (m_inCase && name == "Message")
            m_cases.back().message = cut();
        else if (m_inCase && name == "StackTrace")
            m_cases.back().stackTrace = cut();
        else if (name == "TestRun") {
            for (std::size_t i = 0; i < m_cases.size(); ++i)
                m_cases[i].className = m_classes[m_ids[i]];
        }
    }

    std::vector<std::string> m_ids;
    std::map<std::string, std::string> m_classes;
    std::string m_definition;
};

class CTestReader final : public Reader
{
    bool isRoot(const std::string &name) const override { return name == "Site"; }

    std::string expected() const override { return "a CTest file begins with <Site>"; }

    void begin(const std::string &name, const QXmlStreamAttributes &attributes) override
    {
        if (name == "Test" && !attribute(attributes, "Status").empty()) {
            TestCaseResult result;
            const auto verdict = toLower(attribute(attributes, "Status"));
            result.outcome =
                verdict == "passed" ? "Passed" : (verdict == "failed" ? "Failed" : "NotExecuted");
            m_cases.push_back(std::move(result));
            m_inCase = true;
        } else if (name == "NamedMeasurement") {
            m_measurement = attribute(attributes, "name");
        } else if (name == "Measurement") {
            m_measurement.clear();
        }
    }

    void end(const std::string &name) override
    {
        if (!m_inCase)
            return;
        auto &result = m_cases.back();
        if (name == "Name") {
            result.name = cut();
        } else if (name == "Path") {
            result.suite = cut();
        } else if (name == "Value") {
            if (m_measurement == "Execution Time")
                result.durationMs = milliseconds(cut());
            else if (m_measurement.empty() && result.outcome == "Failed")
                result.stackTrace = cut();
        } else if (name == "Test") {
            m_inCase = false;
            if (result.name.empty())
                result.name = "(no name)";
        }
    }

    std::string m_measurement;
};

} // namespace

schema::Result<TestFormat> testFormat(std::string_view name)
{
    static constexpr std::array<std::pair<std::string_view, TestFormat>, 5> kFormats{
        {{"JUnit", TestFormat::JUnit},
         {"NUnit", TestFormat::NUnit},
         {"XUnit", TestFormat::XUnit},
         {"VSTest", TestFormat::VSTest},
         {"CTest", TestFormat::CTest}}};
    for (const auto &[known, format] : kFormats) {
        if (equalsIgnoringCase(known, name))
            return format;
    }
    return {ErrorCode::InvalidArgument, "the input 'testResultsFormat' ('" + std::string(name) +
                                            "') must be JUnit, NUnit, VSTest, XUnit or CTest"};
}

schema::Result<std::vector<TestCaseResult>> readTestResults(TestFormat format,
                                                            std::string_view file)
{
    switch (format) {
    case TestFormat::JUnit:
        return JUnitReader().read(file);
    case TestFormat::NUnit:
        return NUnitReader().read(file);
    case TestFormat::XUnit:
        return XUnitReader().read(file);
    case TestFormat::VSTest:
        return VSTestReader().read(file);
    case TestFormat::CTest:
        return CTestReader().read(file);
    }
    return {ErrorCode::Internal, "unknown test result format"};
}

} // namespace worker
