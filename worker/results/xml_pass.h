#pragma once
/// What the readers of result files share: attribute texts and the bounds of one pass. Only sources
/// that know Qt include it.

#include <QByteArray>
#include <QXmlStreamReader>

#include <string>

namespace worker {

inline constexpr int kMaxXmlDepth = 1000;

inline std::string xmlText(QStringView view)
{
    const auto bytes = view.toUtf8();
    return {bytes.constData(), static_cast<std::size_t>(bytes.size())};
}

inline std::string xmlAttribute(const QXmlStreamAttributes &attributes, const char *name)
{
    return xmlText(attributes.value(QLatin1StringView(name)));
}

} // namespace worker
