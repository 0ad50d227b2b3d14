#include "worker/sink/journal.h"

#include <charconv>
#include <optional>

namespace worker {
namespace {

constexpr char letterOf(JournalKind kind)
{
    switch (kind) {
    case JournalKind::Record:
        return 'r';
    case JournalKind::Log:
        return 'l';
    case JournalKind::End:
        break;
    }
    return 'e';
}

std::optional<JournalKind> kindOf(char letter)
{
    for (const auto kind : {JournalKind::Record, JournalKind::Log, JournalKind::End})
        if (letterOf(kind) == letter)
            return kind;
    return std::nullopt;
}

struct Head
{
    JournalKind kind = JournalKind::Record;
    std::size_t length = 0;
    std::string_view id;
};

/// "r 12" or "l 12 id".
std::optional<Head> readHead(std::string_view line)
{
    const auto kind = line.size() >= 3 && line[1] == ' ' ? kindOf(line[0]) : std::nullopt;
    if (!kind)
        return std::nullopt;
    Head head{*kind, 0, {}};
    const char *const end = line.data() + line.size();
    const auto number = std::from_chars(line.data() + 2, end, head.length);
    if (number.ec != std::errc())
        return std::nullopt;
    const std::string_view rest(number.ptr, static_cast<std::size_t>(end - number.ptr));
    if (head.kind != JournalKind::Log)
        return rest.empty() ? std::optional(head) : std::nullopt;
    if (rest.size() < 2 || rest[0] != ' ')
        return std::nullopt;
    head.id = rest.substr(1);
    return head.id.find(' ') == std::string_view::npos ? std::optional(head) : std::nullopt;
}

} // namespace

std::string encode(const JournalFrame &frame)
{
    std::string out(1, letterOf(frame.kind));
    out += ' ';
    out += std::to_string(frame.bytes.size());
    if (frame.kind == JournalKind::Log) {
        out += ' ';
        out += frame.id;
    }
    out += '\n';
    out += frame.bytes;
    out += '\n';
    return out;
}

std::size_t readJournal(std::string_view text,
                        const std::function<void(const JournalFrame &frame)> &read)
{
    std::size_t whole = 0;
    while (whole < text.size()) {
        const std::string_view rest = text.substr(whole);
        const auto lineEnd = rest.find('\n');
        if (lineEnd == std::string_view::npos)
            break;
        const auto head = readHead(rest.substr(0, lineEnd));
        const std::string_view body = rest.substr(lineEnd + 1);
        // A length of anything is only compared, never added to.
        if (!head || head->length >= body.size() || body[head->length] != '\n')
            break;
        read({head->kind, head->id, body.substr(0, head->length)});
        whole += lineEnd + 1 + head->length + 1;
    }
    return whole;
}

} // namespace worker
