#include "server/app/log_format.h"

#include <QByteArray>
#include <QString>
#include <QtGlobal>

#include <nlohmann/json.hpp>

#include <cstdio>

namespace server::app {
namespace {

const char *levelOf(QtMsgType type)
{
    switch (type) {
    case QtDebugMsg:
        return "debug";
    case QtInfoMsg:
        return "info";
    case QtWarningMsg:
        return "warning";
    default:
        return "error";
    }
}

bool isName(std::string_view text)
{
    return !text.empty() && text.size() <= 40 &&
           text.find_first_not_of(
               "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") ==
               std::string_view::npos;
}

void write(QtMsgType type, const QMessageLogContext &context, const QString &message)
{
    const std::string line =
        jsonLogLine(schema::wallClockNow(), levelOf(type), context.category ? context.category : "",
                    message.toStdString()) +
        "\n";
    // One call for one line: lines of several threads do not mix.
    std::fwrite(line.data(), 1, line.size(), stderr);
}

} // namespace

std::string jsonLogLine(schema::TimePoint time, std::string_view level, std::string_view category,
                        std::string_view message)
{
    nlohmann::ordered_json out{{"time", schema::toIso8601(time)},
                               {"level", level},
                               {"category", category},
                               {"message", message}};
    for (std::size_t begin = 0; begin < message.size();) {
        auto end = message.find(' ', begin);
        if (end == std::string_view::npos)
            end = message.size();
        const auto equals = message.find('=', begin);
        if (equals < end && isName(message.substr(begin, equals - begin))) {
            // "error=" is followed by a sentence: it takes the rest.
            const auto name = message.substr(begin, equals - begin);
            if (name == "error")
                end = message.size();
            if (!out.contains(name))
                out[std::string(name)] = message.substr(equals + 1, end - equals - 1);
        }
        begin = end + 1;
    }
    return out.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

void installJsonLog()
{
    qInstallMessageHandler(write);
}

} // namespace server::app
