#include "cli/run_watch.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <poll.h>
#include <sys/inotify.h>
#include <unistd.h>

namespace cli {
namespace {

namespace fs = worker::fs;
using schema::ErrorCode;

constexpr std::uint32_t kChanges =
    IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_ATTRIB;

} // namespace

schema::Result<TreeWatch> TreeWatch::create(const fs::path &root, const fs::path &leftOut)
{
    TreeWatch watch;
    watch.m_leftOut = leftOut;
    watch.m_fd.reset(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
    if (!watch.m_fd)
        return worker::systemError("watch", root, errno);
    RETURN_IF_ERROR(watch.add(root));
    return watch;
}

bool TreeWatch::isLeftOut(const fs::path &folder) const
{
    const auto name = folder.filename();
    return name == ".git" || name == "node_modules" || folder == m_leftOut;
}

schema::Status TreeWatch::add(const fs::path &folder)
{
    if (isLeftOut(folder))
        return {};
    const int id = ::inotify_add_watch(m_fd.get(), folder.c_str(), kChanges | IN_ONLYDIR);
    if (id < 0 && errno == ENOSPC)
        return {ErrorCode::LimitExceeded,
                "the tree has more folders than this system lets one watch; raise "
                "fs.inotify.max_user_watches"};
    if (id < 0)
        return errno == ENOENT || errno == ENOTDIR
                   ? schema::Status() // gone meanwhile
                   : schema::Status(worker::systemError("watch", folder, errno));
    m_folders[id] = folder;
    std::error_code error;
    for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
        if (it->is_directory(error) && !it->is_symlink(error))
            RETURN_IF_ERROR(add(it->path()));
    }
    return {};
}

bool TreeWatch::drain()
{
    alignas(inotify_event) std::array<char, 1U << 16U> buffer{};
    bool changed = false;
    while (true) {
        const auto count = ::read(m_fd.get(), buffer.data(), buffer.size());
        if (count <= 0)
            return changed;
        for (std::ptrdiff_t at = 0; at < count;) {
            inotify_event event{};
            std::memcpy(&event, buffer.data() + at, sizeof event);
            const std::string name = event.len > 0 ? buffer.data() + at + sizeof event : "";
            at += static_cast<std::ptrdiff_t>(sizeof event + event.len);
            const auto folder = m_folders.find(event.wd);
            if (folder == m_folders.end() || (event.mask & IN_IGNORED) != 0)
                continue;
            const fs::path path = folder->second / name;
            if (isLeftOut(path))
                continue;
            changed = true;
            if ((event.mask & IN_ISDIR) != 0 && (event.mask & (IN_CREATE | IN_MOVED_TO)) != 0)
                static_cast<void>(add(path)); // the next full run sees what cannot be watched
        }
    }
}

bool TreeWatch::wait(int stopFd, int quietMs)
{
    bool changed = drain();
    while (true) {
        std::array<pollfd, 2> polled{{{stopFd, POLLIN, 0}, {m_fd.get(), POLLIN, 0}}};
        const int ready = ::poll(polled.data(), polled.size(), changed ? quietMs : -1);
        if (polled[0].revents != 0)
            return false;
        if (ready == 0)
            return true;
        changed |= drain();
    }
}

} // namespace cli
