// Aho-Corasick with sparse nodes and a dense root; in front of it Wu-Manber's shifts (blocks of
// three bytes) or, for very short texts, a filter on the first two bytes.
#include "worker/mask/masker.h"

#include <algorithm>
#include <deque>

namespace worker {
namespace {

constexpr std::size_t kPairWords = 65536 / 64;
constexpr std::size_t kBlock = 3;
constexpr std::size_t kHashes = 1U << 15U;
/// Shorter texts leave nothing to jump over; longer windows would only fill the table.
constexpr std::size_t kShortestWindow = 5;
constexpr std::size_t kLongestWindow = 32;

std::size_t blockHash(const unsigned char *at)
{
    const std::uint32_t value =
        std::uint32_t{at[0]} | std::uint32_t{at[1]} << 8U | std::uint32_t{at[2]} << 16U;
    return (value * 0x9E3779B1U) >> 17U;
}

} // namespace

MaskAutomaton::MaskAutomaton(const std::vector<std::string> &texts)
    : m_states(1)
    , m_pairs(kPairWords, 0)
{
    const auto markPair = [this](unsigned first, unsigned second) {
        const unsigned pair = first << 8U | second;
        m_pairs[pair / 64] |= 1ULL << (pair % 64);
    };
    for (const std::string &text : texts) {
        if (text.empty())
            continue;
        State state = 0;
        for (const char c : text) {
            const auto byte = static_cast<unsigned char>(c);
            State to = state == 0 ? m_root[byte] : child(state, byte);
            if (to == 0) {
                to = static_cast<State>(m_states.size());
                Node node;
                node.depth = m_states[state].depth + 1;
                node.byte = byte;
                node.sibling = m_states[state].firstChild;
                m_states.push_back(node);
                m_states[state].firstChild = to;
                if (state == 0)
                    m_root[byte] = to;
            }
            state = to;
        }
        m_states[state].match = m_states[state].depth;
        const auto first = static_cast<unsigned char>(text[0]);
        if (text.size() > 1) {
            markPair(first, static_cast<unsigned char>(text[1]));
        } else {
            for (unsigned second = 0; second < 256; ++second)
                markPair(first, second);
        }
    }
    makeShifts(texts);
    // Breadth first: the fail link of a node is one step of its parent's fail chain.
    std::deque<State> queue;
    for (State to = m_states[0].firstChild; to != 0; to = m_states[to].sibling)
        queue.push_back(to);
    while (!queue.empty()) {
        const State state = queue.front();
        queue.pop_front();
        for (State to = m_states[state].firstChild; to != 0; to = m_states[to].sibling) {
            m_states[to].fail = next(m_states[state].fail, m_states[to].byte);
            if (m_states[to].match == 0)
                m_states[to].match = m_states[m_states[to].fail].match;
            queue.push_back(to);
        }
    }
}

MaskAutomaton::State MaskAutomaton::child(State state, unsigned char byte) const
{
    State to = m_states[state].firstChild;
    while (to != 0 && m_states[to].byte != byte)
        to = m_states[to].sibling;
    return to;
}

MaskAutomaton::State MaskAutomaton::next(State state, unsigned char byte) const
{
    while (state != 0) {
        if (const State to = child(state, byte); to != 0)
            return to;
        state = m_states[state].fail;
    }
    return m_root[byte];
}

void MaskAutomaton::makeShifts(const std::vector<std::string> &texts)
{
    std::size_t shortest = kLongestWindow;
    for (const std::string &text : texts)
        shortest = text.empty() ? shortest : std::min(shortest, text.size());
    if (m_states.size() == 1 || shortest < kShortestWindow)
        return;
    m_window = shortest;
    m_shifts.assign(kHashes, static_cast<std::uint8_t>(m_window - kBlock + 1));
    m_heads.assign(kHashes / 64, 0);
    for (const std::string &text : texts) {
        if (text.empty())
            continue;
        const auto *bytes = reinterpret_cast<const unsigned char *>(text.data());
        for (std::size_t end = kBlock; end <= m_window; ++end) {
            std::uint8_t &shift = m_shifts[blockHash(bytes + end - kBlock)];
            shift = std::min(shift, static_cast<std::uint8_t>(m_window - end));
        }
        const auto head = blockHash(bytes);
        m_heads[head / 64] |= 1ULL << (head % 64);
    }
}

std::size_t MaskAutomaton::skip(std::string_view text, std::size_t from) const
{
    if (m_states.size() == 1)
        return text.size();
    if (m_shifts.empty())
        return skipShort(text, from);
    const auto *bytes = reinterpret_cast<const unsigned char *>(text.data());
    std::size_t at = from;
    while (at + m_window <= text.size()) {
        const std::size_t shift = m_shifts[blockHash(bytes + at + m_window - kBlock)];
        if (shift > 0) {
            at += shift;
            continue;
        }
        const auto head = blockHash(bytes + at);
        if ((m_heads[head / 64] >> (head % 64) & 1U) != 0)
            return at;
        ++at;
    }
    // What is left is shorter than any text, but one may begin in it.
    return skipShort(text, at);
}

std::size_t MaskAutomaton::skipShort(std::string_view text, std::size_t from) const
{
    const auto *bytes = reinterpret_cast<const unsigned char *>(text.data());
    std::size_t at = from;
    for (; at + 1 < text.size(); ++at) {
        const unsigned pair = static_cast<unsigned>(bytes[at]) << 8U | bytes[at + 1];
        if ((m_pairs[pair / 64] >> (pair % 64) & 1U) != 0)
            return at;
    }
    // The last byte has no pair yet: it may begin a text.
    if (at < text.size() && m_root[bytes[at]] != 0)
        return at;
    return text.size();
}

} // namespace worker
