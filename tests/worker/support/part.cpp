#include "part.h"

#include "tests/support/source_tree.h"
#include "worker/base/text.h"

#include <QProcess>

namespace worker::test {

Part::Part(const char *name)
    : m_script(QString::fromStdString(::test::sourceTree("tests/parts/") + name))
{}

Part::~Part()
{
    if (m_started)
        QProcess::execute(m_script, {QStringLiteral("stop"), m_folder.path()});
}

std::string Part::start(const char *key, const QProcessEnvironment &more)
{
    QProcess process;
    auto environment = QProcessEnvironment::systemEnvironment();
    environment.insert(more);
    process.setProcessEnvironment(environment);
    process.start(m_script, {QStringLiteral("start"), m_folder.path()});
    m_started = true;
    process.waitForFinished(120000);
    m_why = process.readAllStandardError();
    for (const auto &line : lines(process.readAllStandardOutput().toStdString())) {
        if (line.starts_with(std::string(key) + "="))
            return line.substr(std::string_view(key).size() + 1);
    }
    return {};
}

std::string dockerSays(const std::string &host, const QStringList &arguments)
{
    QProcess process;
    auto environment = QProcessEnvironment::systemEnvironment();
    environment.insert(QStringLiteral("DOCKER_HOST"), QString::fromStdString(host));
    process.setProcessEnvironment(environment);
    process.start(QStringLiteral("docker"), arguments);
    process.waitForFinished();
    return trimmed(process.readAllStandardOutput().toStdString());
}

} // namespace worker::test
