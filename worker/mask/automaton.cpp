// Aho-Corasick with sparse nodes and a dense root; in front of it Wu-Manber's shifts (blocks of
// three bytes) or, for very short texts, a filter on the first two bytes.
#include "worker/mask/masker.h"

#include <algorithm>

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

MaskAutomaton::MaskAutomaton()
    : m_states(1)
    , m_pairs(kPairWords, 0)
{}

void MaskAutomaton::add(std::string_view text)
{
    if (text.empty())
        return;
    State state = 0;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        const State to = state == 0 ? m_root[byte] : child(state, byte);
        state = to != 0 ? to : addChild(state, byte);
    }
    if (m_states[state].match == m_states[state].depth)
        return; // known
    spreadMatch(state);
    m_texts.emplace_back(text);
    addStart(text);
    const std::size_t window = std::min(text.size(), kLongestWindow);
    if (window >= m_window)
        return addShifts(text);
    // A shorter one than all before: the table is about its length. That happens a few times.
    m_window = window;
    m_shifts.clear();
    m_heads.clear();
    if (window < kShortestWindow)
        return;
    m_shifts.assign(kHashes, static_cast<std::uint8_t>(m_window - kBlock + 1));
    m_heads.assign(kHashes / 64, 0);
    for (const std::string &known : m_texts)
        addShifts(known);
}

MaskAutomaton::State MaskAutomaton::addChild(State parent, unsigned char byte)
{
    const auto fresh = static_cast<State>(m_states.size());
    Node node;
    node.depth = m_states[parent].depth + 1;
    node.byte = byte;
    const State fail = parent == 0 ? 0 : next(m_states[parent].fail, byte);
    node.match = m_states[fail].match;
    node.sibling = m_states[parent].firstChild;
    m_states.push_back(node);
    m_states[parent].firstChild = fresh;
    if (parent == 0)
        m_root[byte] = fresh;
    setFail(fresh, fail);
    redirect(parent, fresh);
    return fresh;
}

void MaskAutomaton::redirect(State parent, State fresh)
{
    const unsigned char byte = m_states[fresh].byte;
    if (parent == 0) { // once for each first byte
        for (State state = 1; state < m_states.size(); ++state) {
            if (state != fresh && m_states[state].byte == byte && m_states[state].fail == 0)
                setFail(state, fresh);
        }
        return;
    }
    m_open.clear();
    for (State at = m_states[parent].firstFailed; at != 0; at = m_states[at].nextFailed)
        m_open.push_back(at);
    while (!m_open.empty()) {
        const State state = m_open.back();
        m_open.pop_back();
        if (const State to = child(state, byte); to != 0) {
            setFail(to, fresh); // and what fails to `state` has failed to `to` all along
            continue;
        }
        for (State at = m_states[state].firstFailed; at != 0; at = m_states[at].nextFailed)
            m_open.push_back(at);
    }
}

void MaskAutomaton::setFail(State state, State fail)
{
    Node &node = m_states[state];
    if (node.previousFailed != 0)
        m_states[node.previousFailed].nextFailed = node.nextFailed;
    else if (node.fail != 0)
        m_states[node.fail].firstFailed = node.nextFailed;
    if (node.nextFailed != 0)
        m_states[node.nextFailed].previousFailed = node.previousFailed;
    node.fail = fail;
    node.previousFailed = node.nextFailed = 0;
    if (fail == 0)
        return;
    node.nextFailed = m_states[fail].firstFailed;
    if (node.nextFailed != 0)
        m_states[node.nextFailed].previousFailed = state;
    m_states[fail].firstFailed = state;
}

void MaskAutomaton::spreadMatch(State state)
{
    const std::uint32_t length = m_states[state].depth;
    m_open.assign(1, state);
    while (!m_open.empty()) {
        const State at = m_open.back();
        m_open.pop_back();
        m_states[at].match = length;
        for (State to = m_states[at].firstFailed; to != 0; to = m_states[to].nextFailed) {
            if (m_states[to].match != m_states[to].depth) // else a longer text ends there
                m_open.push_back(to);
        }
    }
}

void MaskAutomaton::addStart(std::string_view text)
{
    const auto first = static_cast<unsigned char>(text[0]);
    const auto mark = [this, first](unsigned second) {
        const unsigned pair = static_cast<unsigned>(first) << 8U | second;
        m_pairs[pair / 64] |= 1ULL << (pair % 64);
    };
    if (text.size() > 1)
        return mark(static_cast<unsigned char>(text[1]));
    for (unsigned second = 0; second < 256; ++second)
        mark(second);
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

void MaskAutomaton::addShifts(std::string_view text)
{
    if (m_shifts.empty())
        return;
    const auto *bytes = reinterpret_cast<const unsigned char *>(text.data());
    for (std::size_t end = kBlock; end <= m_window; ++end) {
        std::uint8_t &shift = m_shifts[blockHash(bytes + end - kBlock)];
        shift = std::min(shift, static_cast<std::uint8_t>(m_window - end));
    }
    const auto head = blockHash(bytes);
    m_heads[head / 64] |= 1ULL << (head % 64);
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
