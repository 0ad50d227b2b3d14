#pragma once
/// One real part of tests/parts (Docker Engine, registry, ...) for as long as the object lives.

#include <QByteArray>
#include <QProcessEnvironment>
#include <QString>
#include <QTemporaryDir>

#include <string>

namespace worker::test {

class Part
{
public:
    explicit Part(const char *name);
    ~Part();
    Part(const Part &) = delete;
    Part &operator=(const Part &) = delete;

    /// The value of KEY in the part's answer; empty when it did not start (see why()).
    std::string start(const char *key, const QProcessEnvironment &more = {});

    [[nodiscard]] QByteArray why() const { return m_why; }

    /// Where the part keeps its state.
    [[nodiscard]] std::string folder() const { return m_folder.path().toStdString(); }

private:
    QString m_script;
    QTemporaryDir m_folder;
    QByteArray m_why;
    bool m_started = false;
};

/// Standard output of `docker ARGUMENTS` against the engine at `host`, trimmed.
std::string dockerSays(const std::string &host, const QStringList &arguments);

} // namespace worker::test
