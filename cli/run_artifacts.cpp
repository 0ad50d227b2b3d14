#include "cli/run_artifacts.h"

#include <cerrno>
#include <fcntl.h>
#include <sys/file.h>

namespace cli {
namespace {

constexpr int kMostFolders = 100;

} // namespace

schema::Result<ArtifactFolder> ArtifactFolder::take(const worker::fs::path &parent)
{
    for (int number = 1; number <= kMostFolders; ++number) {
        const auto path =
            parent / (number == 1 ? "artifacts" : "artifacts-" + std::to_string(number));
        const auto lockFile = path.string() + ".lock";
        worker::UniqueFd lock(::open(lockFile.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
        if (!lock)
            return worker::systemError("write", lockFile, errno);
        if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
            if (errno == EWOULDBLOCK || errno == EINTR)
                continue;
            return worker::systemError("lock", lockFile, errno);
        }
        RETURN_IF_ERROR(worker::emptyDirectory(path));
        return ArtifactFolder(path, std::move(lock));
    }
    return {schema::ErrorCode::LimitExceeded,
            "a hundred runs of this tree are under way below '" + parent.string() +
                "'; wait for one, or choose another folder with --work"};
}

} // namespace cli
