#include "cli/run_shell.h"

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <iostream>
#include <sys/wait.h>
#include <unistd.h>

namespace cli {
namespace {

[[noreturn]] void become(const worker::FailedStep &step, const std::string &engine)
{
    sigset_t none{};
    sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    if (!step.container.empty()) {
        // The values travel by the client's environment: they are in no process list.
        std::vector<std::string> arguments{engine, "exec", "--interactive"};
        if (::isatty(STDIN_FILENO) == 1)
            arguments.emplace_back("--tty");
        arguments.insert(arguments.end(), {"--workdir", step.folder.string()});
        for (const auto &[name, value] : step.environment) {
            if (name == "PATH" || name == "HOME" || std::getenv(name.c_str()) != nullptr)
                continue;
            ::setenv(name.c_str(), value.c_str(), 1);
            arguments.insert(arguments.end(), {"--env", name});
        }
        arguments.insert(arguments.end(), {step.container, "sh"});
        std::vector<char *> pointers;
        for (auto &argument : arguments)
            pointers.push_back(argument.data());
        pointers.push_back(nullptr);
        ::execvp(engine.c_str(), pointers.data());
        ::_exit(127);
    }
    if (::chdir(step.folder.c_str()) != 0)
        std::cerr << "slipway run: the folder " << step.folder << " cannot be entered\n";
    ::clearenv();
    for (const auto &[name, value] : step.environment)
        ::setenv(name.c_str(), value.c_str(), 1);
    const char *shell = std::getenv("SHELL");
    if (shell != nullptr && *shell != '\0')
        ::execlp(shell, shell, nullptr);
    ::execlp("sh", "sh", nullptr);
    ::_exit(127);
}

} // namespace

void shellAt(const worker::FailedStep &step, const std::string &engine)
{
    std::cout << std::flush;
    const pid_t pid = ::fork();
    if (pid < 0) {
        std::cerr << "slipway run: no shell can be started\n";
        return;
    }
    if (pid == 0)
        become(step, engine);
    int status = 0;
    while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
        std::cerr << "slipway run: the shell could not be started\n";
}

} // namespace cli
