#include "cli/run_view.h"

#include <fmt/format.h>

#include <algorithm>
#include <iostream>
#include <sys/ioctl.h>
#include <unistd.h>

namespace cli {
namespace {

constexpr std::size_t kStampLength = 29; // "2026-11-21T05:26:26.1234567Z "

double seconds(std::chrono::steady_clock::duration duration)
{
    return std::chrono::duration<double>(duration).count();
}

std::size_t terminalWidth()
{
    winsize size{};
    return ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 20 ? size.ws_col : 80;
}

} // namespace

RunView::RunView(bool terminal)
    : m_terminal(terminal)
{}

std::string RunView::color(const char *code, const std::string &text) const
{
    return m_terminal ? std::string("\033[") + code + "m" + text + "\033[0m" : text;
}

void RunView::write(const std::string &text)
{
    clearStatus();
    std::cout << text << '\n';
}

void RunView::say(const std::string &text)
{
    write(text);
    drawStatus();
}

void RunView::line(const std::string &job, std::string_view text)
{
    const auto taken = [&text](std::string_view prefix) {
        if (!text.starts_with(prefix))
            return false;
        text.remove_prefix(prefix.size());
        return true;
    };
    std::string shown;
    if (taken("##[section]Starting: "))
        shown = color("1", "> " + std::string(text));
    else if (taken("##[section]") || taken("##[endgroup]"))
        return;
    else if (taken("##[error]"))
        shown = color("31", "error: " + std::string(text));
    else if (taken("##[warning]"))
        shown = color("33", "warning: " + std::string(text));
    else if (taken("##[group]") || taken("##[command]") || taken("##[debug]"))
        shown = color("36", std::string(text));
    else if (taken("[command]"))
        shown = color("36", "$ " + std::string(text));
    else
        shown = std::string(text);
    write(color("2", "[" + job + "] ") + shown);
}

void RunView::log(const std::string &job, std::string_view bytes)
{
    auto &partial = m_jobs[job].partial;
    partial += bytes;
    std::size_t at = 0;
    for (auto end = partial.find('\n'); end != std::string::npos; end = partial.find('\n', at)) {
        const auto whole = std::string_view(partial).substr(at, end - at);
        line(job, whole.substr(std::min(whole.size(), kStampLength)));
        at = end + 1;
    }
    partial.erase(0, at);
    std::cout.flush();
    drawStatus();
}

void RunView::step(const std::string &job, const std::string &name)
{
    m_jobs[job].step = name;
    drawStatus();
}

void RunView::jobStarted(const std::string &job)
{
    m_jobs[job].start = std::chrono::steady_clock::now();
    drawStatus();
}

void RunView::jobEnded(const std::string &job, schema::TaskResult result,
                       const std::string &message)
{
    auto &entry = m_jobs[job];
    entry.running = false;
    entry.end = std::chrono::steady_clock::now();
    entry.result = result;
    const auto text =
        fmt::format("[{}] {} after {:.1f} s{}{}", job, toString(result),
                    seconds(entry.end - entry.start), message.empty() ? "" : ": ", message);
    const bool good = result <= schema::TaskResult::SucceededWithIssues;
    say(color(good ? "32" : "31", text));
}

void RunView::clearStatus()
{
    if (m_statusShown)
        std::cout << "\r\033[K";
    m_statusShown = false;
}

void RunView::drawStatus()
{
    if (!m_terminal)
        return;
    std::string text;
    const auto now = std::chrono::steady_clock::now();
    for (const auto &[name, job] : m_jobs) {
        if (job.running)
            text += fmt::format("{}{}: {} ({:.0f} s)", text.empty() ? "" : "  ", name, job.step,
                                seconds(now - job.start));
    }
    clearStatus();
    if (text.empty())
        return;
    std::cout << "\033[7m" << text.substr(0, terminalWidth() - 1) << "\033[0m" << std::flush;
    m_statusShown = true;
}

void RunView::tick()
{
    drawStatus();
}

void RunView::summary(schema::RunResult result)
{
    write("");
    for (const auto &[name, job] : m_jobs)
        write(fmt::format("{:<40} {:<20} {:>8.1f} s", name, toString(job.result),
                          seconds(job.end - job.start)));
    const bool good =
        result == schema::RunResult::Succeeded || result == schema::RunResult::PartiallySucceeded;
    write(color(good ? "1;32" : "1;31", fmt::format("Run {}", toString(result))));
    std::cout.flush();
}

} // namespace cli
