#pragma once
/// Whether what is to be published gets smaller by compressing it.

#include "worker/base/files.h"

namespace worker {

/// Compresses samples of a file, or of the files below a folder that its `.artifactignore` does not
/// leave out, and says whether it is worth the
/// time: for everything that is small, consists of many files or cannot be read (the packer says
/// why), and for what shrinks by a twentieth or more. Reads two megabytes at most. Archives,
/// images, packages and other content that is compressed already would only cost time, at both
/// ends.
bool isWorthCompressing(const fs::path &path);

} // namespace worker
