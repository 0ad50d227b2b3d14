#pragma once
/// The framing of a job's journal (spool.h): one file that is only appended to, because making and
/// deleting a file for every short log costs more than writing it. Pure.
///
///   r <bytes>\n<record update, JSON>\n
///   l <bytes> <record id>\n<log bytes as they are>\n
///   e <bytes>\n<completion, JSON>\n
///
/// Lengths are decimal. What a crash cut off at the end is no frame.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace worker {

enum class JournalKind : std::uint8_t { Record, Log, End };

struct JournalFrame
{
    JournalKind kind = JournalKind::Record;
    std::string_view id; ///< of a log only; no space or line end in it
    std::string_view bytes;
};

/// One frame as it stands in the file.
std::string encode(const JournalFrame &frame);

/// Calls `read` for each whole frame in order. Returns the bytes up to the end of the last one:
/// what follows is cut off or no journal, and is to be cut away before anything is appended.
std::size_t readJournal(std::string_view text,
                        const std::function<void(const JournalFrame &frame)> &read);

} // namespace worker
