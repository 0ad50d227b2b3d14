#include "cli/up/console.h"

#include <fmt/format.h>

#include <iostream>
#include <unistd.h>
#include <utility>

namespace cli {

using std::chrono::steady_clock;

Console::Console()
    : m_terminal(isatty(STDERR_FILENO) == 1)
{}

void Console::begin(const std::string &what)
{
    if (m_open)
        endLine("done");
    m_what = what;
    m_begin = steady_clock::now();
    m_open = true;
    m_shown = {};
    std::cerr << what << " ... " << std::flush;
}

void Console::done(const std::string &how)
{
    if (m_open)
        endLine(how.empty() ? "done" : how);
}

void Console::endLine(const std::string &how)
{
    const auto passed = std::chrono::duration<double>(steady_clock::now() - m_begin);
    if (m_terminal)
        std::cerr << "\r\033[K" << m_what << " ... ";
    std::cerr << how;
    if (passed.count() >= 1)
        std::cerr << fmt::format(" ({:.1f} s)", passed.count());
    std::cerr << '\n' << std::flush;
    m_open = false;
}

void Console::line(const std::string &text)
{
    if (m_open)
        endLine("done");
    std::cerr << text << '\n' << std::flush;
}

Tick Console::tick()
{
    return [this](std::chrono::seconds passed) {
        if (m_terminal && m_open && std::exchange(m_shown, passed) != passed)
            std::cerr << "\r\033[K" << m_what << " ... " << passed.count() << " s" << std::flush;
    };
}

} // namespace cli
