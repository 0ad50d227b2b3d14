#include "cli/up/state.h"

#include "cli/client/options.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <iterator>
#include <netinet/in.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <unistd.h>

namespace cli {
namespace {

using nlohmann::json;
using schema::ErrorCode;

constexpr std::uintmax_t kLeastRoom = std::uintmax_t{500} << 20;

} // namespace

schema::Result<UpState> loadState(const std::filesystem::path &folder)
{
    const std::filesystem::path path = folder / "up.json";
    std::ifstream in(path);
    if (!in)
        return UpState{};
    const std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
    const json value = json::parse(text, nullptr, false);
    if (!value.is_object())
        return {ErrorCode::Io,
                fmt::format("'{}' is damaged; remove it, and the sample is looked for again",
                            path.string())};
    UpState state;
    state.registryPort = static_cast<int>(numberOf(value, "registryPort"));
    state.devWebPort = static_cast<int>(numberOf(value, "devWebPort"));
    state.productionWebPort = static_cast<int>(numberOf(value, "productionWebPort"));
    state.firstRun = numberOf(value, "firstRun");
    state.target = textOf(value, "target");
    return state;
}

schema::Status saveState(const std::filesystem::path &folder, const UpState &state)
{
    const json value{{"registryPort", state.registryPort},
                     {"devWebPort", state.devWebPort},
                     {"productionWebPort", state.productionWebPort},
                     {"firstRun", state.firstRun},
                     {"target", state.target}};
    const std::filesystem::path temporary = folder / "up.json.new";
    std::ofstream out(temporary, std::ios::trunc);
    out << value.dump(2) << '\n';
    out.close();
    std::error_code problem;
    if (out)
        std::filesystem::rename(temporary, folder / "up.json", problem);
    if (!out || problem)
        return {ErrorCode::Io, fmt::format("cannot write '{}': {}", (folder / "up.json").string(),
                                           std::strerror(errno))};
    return {};
}

schema::Status prepareFolder(const std::filesystem::path &folder)
{
    std::error_code problem;
    const bool made = std::filesystem::create_directories(folder, problem);
    if (problem)
        return {
            ErrorCode::Io,
            fmt::format("cannot make the data directory '{}': {}; choose another one with --data",
                        folder.string(), problem.message())};
    if (made)
        std::filesystem::permissions(folder, std::filesystem::perms::owner_all, problem);
    if (faccessat(AT_FDCWD, folder.c_str(), W_OK | X_OK, AT_EACCESS) != 0)
        return {ErrorCode::PermissionDenied,
                fmt::format("the data directory '{}' cannot be written: {}; choose another one "
                            "with --data, or mend its "
                            "permissions",
                            folder.string(), std::strerror(errno))};
    const std::filesystem::space_info room = std::filesystem::space(folder, problem);
    if (!problem && room.available < kLeastRoom)
        return {ErrorCode::LimitExceeded,
                fmt::format("only {} MiB are free where '{}' lies, and {} MiB are needed; free "
                            "some, or choose another place "
                            "with --data",
                            room.available >> 20, folder.string(), kLeastRoom >> 20)};
    return {};
}

schema::Result<FileDescriptor> lockFolder(const std::filesystem::path &folder)
{
    const std::filesystem::path path = folder / "up.lock";
    FileDescriptor lock(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    if (lock.get() < 0)
        return {ErrorCode::Io,
                fmt::format("cannot write '{}': {}", path.string(), std::strerror(errno))};
    if (flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
        std::ifstream in(path);
        std::string owner;
        std::getline(in, owner);
        return {ErrorCode::AlreadyExists,
                fmt::format("another 'slipway up' (process {}) uses the data directory '{}'; stop "
                            "that one, or choose "
                            "another directory with --data",
                            owner.empty() ? "unknown" : owner, folder.string())};
    }
    const std::string owner = std::to_string(getpid()) + "\n";
    if (ftruncate(lock.get(), 0) != 0 || pwrite(lock.get(), owner.data(), owner.size(), 0) < 0)
        return {ErrorCode::Io,
                fmt::format("cannot write '{}': {}", path.string(), std::strerror(errno))};
    return lock;
}

schema::Result<int> freePort(int wanted)
{
    for (const int port : {wanted, 0}) {
        const FileDescriptor listener(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
        const int yes = 1;
        setsockopt(listener.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(static_cast<std::uint16_t>(port));
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        if (bind(listener.get(), reinterpret_cast<sockaddr *>(&address), size) == 0 &&
            getsockname(listener.get(), reinterpret_cast<sockaddr *>(&address), &size) == 0)
            return static_cast<int>(ntohs(address.sin_port));
    }
    return {ErrorCode::Unavailable,
            fmt::format("no free port on loopback: {}", std::strerror(errno))};
}

} // namespace cli
