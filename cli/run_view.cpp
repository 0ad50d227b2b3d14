#include "cli/run_view.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <iostream>
#include <sys/ioctl.h>
#include <unistd.h>
#include <utility>

namespace cli {
namespace {

constexpr std::size_t kStampLength = 29; // "2026-11-21T05:26:26.1234567Z "

/// So much of a line is held back until its end comes.
constexpr std::size_t kMostHeld = 64U << 10U;

double seconds(std::chrono::steady_clock::duration duration)
{
    return std::chrono::duration<double>(duration).count();
}

struct TerminalSize
{
    std::size_t columns = 80, rows = 24;
};

TerminalSize terminalSize()
{
    winsize size{};
    if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col <= 20 || size.ws_row <= 4)
        return {};
    return {size.ws_col, size.ws_row};
}

/// One line that fits: names may hold anything.
std::string fitted(std::string text, std::size_t columns)
{
    for (char &c : text) {
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f)
            c = ' ';
    }
    if (text.size() >= columns) {
        std::size_t end = columns - 1;
        while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U)
            --end; // not inside a character
        text.erase(end);
    }
    return text;
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
    endOpenLine();
    clearStatus();
    std::cout << text << '\n';
}

void RunView::endOpenLine()
{
    if (!std::exchange(m_open, {}).empty())
        std::cout << '\n';
}

void RunView::begin(const std::string &job, std::string_view text)
{
    endOpenLine();
    clearStatus();
    std::cout << color("2", "[" + job + "] ") << text;
    m_open = job;
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
    if (taken("##[section]Starting: ")) {
        shown = color("1", "> " + std::string(text));
    } else if (taken("##[section]") || taken("##[endgroup]")) {
        return;
    } else if (taken("##[error]")) {
        m_jobs[job].error = text;
        shown = color("31", "error: " + std::string(text));
    } else if (taken("##[warning]")) {
        shown = color("33", "warning: " + std::string(text));
    } else if (taken("##[group]") || taken("##[command]") || taken("##[debug]")) {
        shown = color("36", std::string(text));
    } else if (taken("[command]")) {
        shown = color("36", "$ " + std::string(text));
    } else {
        shown = std::string(text);
    }
    write(color("2", "[" + job + "] ") + shown);
}

void RunView::log(const std::string &job, std::string_view bytes)
{
    auto &entry = m_jobs[job];
    while (!bytes.empty()) {
        const auto end = bytes.find('\n');
        const auto piece = bytes.substr(0, end);
        bytes.remove_prefix(end == std::string_view::npos ? bytes.size() : end + 1);
        if (m_open == job)
            std::cout << piece;
        else
            entry.partial += piece;
        const auto text = [&entry] {
            const std::string_view all = entry.partial;
            return entry.begun ? all : all.substr(std::min(all.size(), kStampLength));
        };
        if (end != std::string_view::npos) {
            if (m_open == job)
                endOpenLine();
            else if (entry.begun)
                write(color("2", "[" + job + "] ") + std::string(text()));
            else
                line(job, text());
            entry.partial.clear();
            entry.begun = false;
        } else if (entry.partial.size() > kMostHeld) {
            begin(job, text());
            entry.partial.clear();
            entry.begun = true;
        }
    }
    std::cout.flush();
    drawStatus();
}

void RunView::step(const std::string &job, const std::string &name)
{
    m_jobs[job].step = name;
    m_jobs[job].percent = 0;
    drawStatus();
}

void RunView::progress(const std::string &job, int percent)
{
    m_jobs[job].percent = percent;
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
    // What is known already is not said again.
    const std::string why = message.empty() || message == entry.error ? "" : ": " + message;
    const auto text = fmt::format("[{}] {} after {:.1f} s{}", job, toString(result),
                                  seconds(entry.end - entry.start), why);
    const bool good = result <= schema::TaskResult::SucceededWithIssues;
    say(color(good ? "32" : "31", text));
}

void RunView::clearStatus()
{
    // Up to the first line of the tree, then everything below is erased.
    if (m_statusLines > 1)
        std::cout << "\033[" << m_statusLines - 1 << 'A';
    if (m_statusLines > 0)
        std::cout << "\r\033[J";
    m_statusLines = 0;
}

std::vector<RunView::Row> RunView::tree() const
{
    std::vector<Row> rows;
    const auto now = std::chrono::steady_clock::now();
    std::string stage;
    std::size_t header = 0;
    for (const auto &[label, job] : m_jobs) {
        const auto slash = label.find('/');
        const bool inStage = slash != std::string::npos;
        if (inStage && label.substr(0, slash) != stage) {
            stage = label.substr(0, slash);
            header = rows.size();
            rows.push_back({stage, false});
        }
        std::string row = inStage ? "  " + label.substr(slash + 1) : label;
        if (job.running) {
            row += fmt::format(": {} ({:.0f} s", job.step.empty() ? "starting" : job.step,
                               seconds(now - job.start));
            row += job.percent > 0 ? fmt::format(", {} %)", job.percent) : ")";
        } else {
            row +=
                fmt::format(": {} ({:.1f} s)", toString(job.result), seconds(job.end - job.start));
        }
        if (inStage && job.running)
            rows[header].running = true;
        rows.push_back({std::move(row), job.running});
    }
    return rows;
}

void RunView::drawStatus()
{
    if (!m_terminal || !m_open.empty())
        return;
    clearStatus();
    if (std::none_of(m_jobs.begin(), m_jobs.end(),
                     [](const auto &entry) { return entry.second.running; }))
        return;
    const TerminalSize size = terminalSize();
    auto rows = tree();
    // Half of the screen stays with the log; what has ended goes first.
    const std::size_t most = std::max<std::size_t>(size.rows / 2, 2);
    auto surplus = rows.size() > most ? rows.size() - most : 0;
    std::erase_if(rows, [&surplus](const Row &row) {
        if (surplus == 0 || row.running)
            return false;
        --surplus;
        return true;
    });
    rows.resize(std::min(rows.size(), most));
    for (const auto &row : rows)
        std::cout << (m_statusLines++ == 0 ? "" : "\n") << "\033[7m"
                  << fitted(row.text, size.columns) << "\033[0m";
    std::cout << std::flush;
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

nlohmann::ordered_json RunView::jobs() const
{
    auto out = nlohmann::ordered_json::array();
    for (const auto &[name, job] : m_jobs)
        out.push_back({{"job", name},
                       {"result", toString(job.result)},
                       {"seconds", seconds(job.end - job.start)}});
    return out;
}

} // namespace cli
