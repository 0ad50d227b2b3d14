#include "worker/mask/masker.h"

namespace worker {
namespace {

constexpr std::string_view kMask = "***";
/// Held bytes are passed on in one go; removing them one by one would move the rest each time.
constexpr std::size_t kEmitAtLeast = 1U << 16U;

} // namespace

void Masker::add(std::string_view secret)
{
    for (const auto &form : secretForms(secret))
        m_automaton.add(form);
}

std::string Masker::mask(std::string_view text) const
{
    MaskStream stream(*this);
    std::string out;
    stream.feed(text, out);
    stream.finish(out);
    return out;
}

MaskStream::MaskStream(const Masker &masker)
    : m_automaton(masker.automaton())
{}

void MaskStream::feed(std::string_view bytes, std::string &out)
{
    std::size_t at = 0;
    while (at < bytes.size()) {
        if (m_state == 0) {
            // Nothing has begun: everything up to the next possible beginning is plain.
            emit(m_held.size(), out);
            const std::size_t plainEnd = m_automaton.skip(bytes, at);
            if (plainEnd > at) {
                out.append(bytes.substr(at, plainEnd - at));
                m_lastWasSecret = false;
                at = plainEnd;
                continue;
            }
        }
        m_state = m_automaton.next(m_state, static_cast<unsigned char>(bytes[at]));
        m_held += bytes[at++];
        m_flags.push_back(false);
        const std::size_t match = m_automaton.matchLength(m_state);
        for (std::size_t i = m_held.size() - match; i < m_held.size(); ++i)
            m_flags[i] = true;
        const std::size_t open = m_automaton.depth(m_state);
        if (m_held.size() - open >= kEmitAtLeast)
            emit(m_held.size() - open, out);
    }
}

void MaskStream::emit(std::size_t count, std::string &out)
{
    for (std::size_t i = 0; i < count; ++i) {
        if (!m_flags[i])
            out += m_held[i];
        else if (!m_lastWasSecret)
            out += kMask;
        m_lastWasSecret = m_flags[i];
    }
    m_held.erase(0, count);
    m_flags.erase(m_flags.begin(), m_flags.begin() + static_cast<std::ptrdiff_t>(count));
}

void MaskStream::finish(std::string &out)
{
    emit(m_held.size(), out);
    m_state = 0;
    m_lastWasSecret = false;
}

} // namespace worker
