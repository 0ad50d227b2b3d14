// Entry of `slipway`: the commands of the language at once, without the libraries of server, worker
// and client, whose loading would take four fifths of their time; the complete program for the
// others (docs/decisions/0004).
#include "cli/command.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string>
#include <unistd.h>

namespace {

namespace fs = std::filesystem;

/// Replaces this process by the complete program. Returns only when that cannot be.
int runComplete(char **argv)
{
    std::error_code error;
    const fs::path own = fs::read_symlink("/proc/self/exe", error);
    const fs::path folder = own.parent_path();
    // Where it is installed, and where a build leaves it.
    const fs::path places[] = {folder / "../libexec/slipway/slipway", folder / "slipway-complete"};
    for (const fs::path &place : places) {
        // Never itself: somebody may have copied this file there.
        if (!fs::exists(place, error) || fs::equivalent(place, own, error))
            continue;
        ::execv(place.c_str(), argv);
        std::fprintf(stderr, "slipway: cannot start %s: %s\n", place.c_str(), std::strerror(errno));
        return 2;
    }
    std::fprintf(
        stderr,
        "slipway: only validate, preview and language-server are in this file; the complete "
        "program is neither at\n  %s nor at\n  %s\nInstall both files, or the complete one "
        "alone under this name: it has every command.\n",
        places[0].lexically_normal().c_str(), places[1].lexically_normal().c_str());
    return 2;
}

} // namespace

int main(int argc, char **argv)
{
    const auto &names = cli::kLanguageCommands;
    if (argc > 1 && std::strcmp(argv[1], "worker") == 0)
        ::setenv(cli::kBindVariable, cli::kBindValue, 0);
    if (argc < 2 || std::find(names.begin(), names.end(), argv[1]) == names.end())
        return runComplete(argv);
    return cli::runProgram(
        argc, argv, {cli::registerValidate, cli::registerPreview, cli::registerLanguageServer});
}
