#include "worker/results/transform.h"

#include "worker/base/text.h"
#include "worker/results/xml_pass.h"

#include <QXmlStreamWriter>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <vector>

namespace worker {
namespace {

using Json = nlohmann::ordered_json;
using schema::ErrorCode;

constexpr int kMaxJsonDepth = 500;

/// The value as the kind of JSON that stood there.
Json valueLike(const Json &old, const std::string &text)
{
    auto parsed = Json::parse(text, nullptr, false);
    const bool keepsKind =
        !parsed.is_discarded() &&
        ((old.is_number() && parsed.is_number()) || (old.is_boolean() && parsed.is_boolean()) ||
         (old.is_structured() && parsed.is_structured()));
    return keepsKind ? std::move(parsed) : Json(text);
}

void substitute(Json &json, const std::string &path, const VariableValue &variable, int depth,
                std::size_t &replaced)
{
    if (!path.empty()) {
        if (const auto value = variable(path)) {
            json = valueLike(json, *value);
            ++replaced;
            return;
        }
    }
    if (!json.is_structured() || depth > kMaxJsonDepth)
        return;
    std::size_t index = 0;
    for (auto it = json.begin(); it != json.end(); ++it, ++index) {
        const auto name = json.is_object() ? it.key() : std::to_string(index);
        std::string below = path;
        below += path.empty() ? "" : ".";
        below += name;
        substitute(*it, below, variable, depth + 1, replaced);
    }
}

/// Which attribute of the element names the variable, and which one takes its value.
struct Place
{
    const char *name;
    const char *value;
};

std::optional<Place> placeOf(const std::string &element, const std::vector<std::string> &open)
{
    const auto inside = [&open](std::string_view name) {
        return std::any_of(open.begin(), open.end(), [name](const std::string &one) {
            return equalsIgnoringCase(one, name);
        });
    };
    if (element == "add" && inside("appSettings"))
        return Place{"key", "value"};
    if (element == "add" && inside("connectionStrings"))
        return Place{"name", "connectionString"};
    if (element == "parameter" && inside("parameters"))
        return Place{"name", "defaultValue"};
    return std::nullopt;
}

class XmlTransform
{
public:
    explicit XmlTransform(const VariableValue &variable)
        : m_variable(variable)
        , m_writer(&m_out)
    {}

    schema::Result<Transformed> run(std::string_view text)
    {
        m_declared = text.find("<?xml") < 4; // behind a byte order mark at most
        m_xml.addData(QByteArray(text.data(), static_cast<qsizetype>(text.size())));
        while (!m_xml.atEnd()) {
            m_xml.readNext();
            if (m_xml.hasError())
                break;
            step();
            if (m_open.size() > static_cast<std::size_t>(kMaxXmlDepth))
                return {ErrorCode::InvalidArgument, "elements are nested too deep"};
        }
        if (m_xml.hasError())
            return {ErrorCode::InvalidArgument,
                    "line " + std::to_string(m_xml.lineNumber()) + ", column " +
                        std::to_string(m_xml.columnNumber()) + ": " + xmlText(m_xml.errorString())};
        m_result.text.assign(m_out.constData(), static_cast<std::size_t>(m_out.size()));
        return std::move(m_result);
    }

private:
    void step()
    {
        const auto name =
            m_xml.isStartElement() || m_xml.isEndElement() ? xmlText(m_xml.name()) : std::string();
        if (m_xml.isStartElement()) {
            m_skipText = false;
            const auto place = placeOf(name, m_open);
            if (name == "setting")
                m_setting = xmlAttribute(m_xml.attributes(), "name");
            m_open.push_back(name);
            if (place && writeReplaced(*place))
                return;
            m_writer.writeCurrentToken(m_xml);
            if (name == "value" && !m_setting.empty())
                replaceSetting();
            return;
        }
        if (m_xml.isEndElement()) {
            m_skipText = false;
            if (!m_open.empty())
                m_open.pop_back();
            if (name == "setting")
                m_setting.clear();
        }
        const bool hidden =
            (m_skipText && m_xml.isCharacters()) || (m_xml.isStartDocument() && !m_declared);
        if (!hidden)
            m_writer.writeCurrentToken(m_xml);
    }

    bool writeReplaced(const Place &place)
    {
        auto attributes = m_xml.attributes();
        const auto value = m_variable(xmlAttribute(attributes, place.name));
        if (!value || !attributes.hasAttribute(QLatin1StringView(place.value)))
            return false;
        m_writer.writeStartElement(m_xml.qualifiedName().toString());
        for (const auto &declared : m_xml.namespaceDeclarations())
            m_writer.writeNamespace(declared.namespaceUri().toString(),
                                    declared.prefix().toString());
        for (const auto &one : attributes) {
            const bool target = one.qualifiedName() == QLatin1StringView(place.value);
            m_writer.writeAttribute(one.qualifiedName().toString(),
                                    target ? QString::fromStdString(*value)
                                           : one.value().toString());
        }
        ++m_result.replaced;
        return true;
    }

    void replaceSetting()
    {
        const auto value = m_variable(m_setting);
        if (!value)
            return;
        m_writer.writeCharacters(QString::fromStdString(*value));
        m_skipText = true;
        ++m_result.replaced;
    }

    const VariableValue &m_variable;
    QXmlStreamReader m_xml;
    QByteArray m_out;
    QXmlStreamWriter m_writer;
    std::vector<std::string> m_open;
    std::string m_setting;
    bool m_skipText = false, m_declared = false;
    Transformed m_result;
};

} // namespace

schema::Result<Transformed> transformJson(std::string_view text, const VariableValue &variable)
{
    if (text.starts_with("\xEF\xBB\xBF"))
        text.remove_prefix(3);
    Json json;
    try {
        json = Json::parse(text, nullptr, true, true);
    } catch (const Json::exception &problem) {
        return {ErrorCode::InvalidArgument, problem.what()};
    }
    Transformed out;
    substitute(json, {}, variable, 0, out.replaced);
    out.text = json.dump(4, ' ', false, Json::error_handler_t::replace) + "\n";
    return out;
}

schema::Result<Transformed> transformXml(std::string_view text, const VariableValue &variable)
{
    return XmlTransform(variable).run(text);
}

} // namespace worker
