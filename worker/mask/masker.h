#pragma once
/// Replaces secrets by `***` in whatever leaves the job (worker-and-tasks 4). Every secret stands
/// for a set of texts: itself, each of its lines, and its base64, URL, JSON and shell-quoted forms.
/// One Aho-Corasick automaton finds them all in one pass, at any split of the input.

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace worker {

/// The texts under which `secret` may appear in output, none with a line end in it. Public for the
/// tests.
std::vector<std::string> secretForms(std::string_view secret);

/// Automaton over a set of texts that grows: Aho-Corasick with sparse nodes (about 36 bytes a
/// state) for places where a text may have begun; between them a Wu-Manber table of shifts jumps
/// over as many bytes as no text can begin in. A text is added without building anything anew
/// (Meyer 1985, "Incremental string matching"): its new nodes, and the fail links that now lead to
/// them.
class MaskAutomaton
{
public:
    MaskAutomaton();

    using State = std::uint32_t;

    /// Nothing happens when the text is empty or known. States stay what they are: a reader in the
    /// middle of a text goes on, and finds the new one from where it begins after this.
    void add(std::string_view text);

    /// The state after reading `byte` in `state`.
    [[nodiscard]] State next(State state, unsigned char byte) const;

    /// Bytes of the longest text that may have begun and is not finished; 0 at the root.
    [[nodiscard]] std::uint32_t depth(State state) const { return m_states[state].depth; }

    /// Length of the longest text that ends in this state; 0: none.
    [[nodiscard]] std::uint32_t matchLength(State state) const { return m_states[state].match; }

    /// First position at or after `from` where a text may begin; `text.size()` when there is none.
    [[nodiscard]] std::size_t skip(std::string_view text, std::size_t from) const;

private:
    struct Node
    {
        State firstChild = 0, sibling = 0, fail = 0;
        /// The nodes whose fail link leads here, as a list; the root keeps none.
        State firstFailed = 0, nextFailed = 0, previousFailed = 0;
        std::uint32_t depth = 0, match = 0;
        unsigned char byte = 0;
    };

    [[nodiscard]] State child(State state, unsigned char byte) const;
    State addChild(State parent, unsigned char byte);
    /// Fail links that led past `parent` because it had no such child lead to `fresh` now.
    void redirect(State parent, State fresh);
    void setFail(State state, State fail);
    /// A text ends in `state`: so it does in whatever fails to it.
    void spreadMatch(State state);
    void addStart(std::string_view text);
    void addShifts(std::string_view text);
    [[nodiscard]] std::size_t skipShort(std::string_view text, std::size_t from) const;

    std::vector<std::string> m_texts;
    std::vector<std::uint8_t> m_shifts; ///< by hash of three bytes; empty: the texts are too short
    std::vector<std::uint64_t> m_heads; ///< bit by hash of the first three bytes of a text
    std::size_t m_window = SIZE_MAX;    ///< bytes of a text that the shifts look at
    std::vector<Node> m_states;
    std::vector<State> m_open; ///< of a walk, kept for its memory
    std::array<State, 256> m_root{};
    std::vector<std::uint64_t> m_pairs; ///< bit (a << 8 | b): some text begins with a, b
};

/// The secrets of one job. Used from the job's thread only.
class Masker
{
public:
    /// Registers a secret and its forms; effective for everything that begins from now on. Blank
    /// texts are ignored.
    void add(std::string_view secret);
    /// `text` with every secret replaced.
    [[nodiscard]] std::string mask(std::string_view text) const;

    [[nodiscard]] const MaskAutomaton &automaton() const { return m_automaton; }

private:
    MaskAutomaton m_automaton;
};

/// Masks one text that arrives in pieces; the output is the same for every split. Holds back at
/// most the length of the longest secret (plus a fixed buffer).
class MaskStream
{
public:
    explicit MaskStream(const Masker &masker);

    /// Appends to `out` what is certain.
    void feed(std::string_view bytes, std::string &out);
    /// The text ends: appends the rest and begins a new text.
    void finish(std::string &out);

private:
    void emit(std::size_t count, std::string &out);

    const MaskAutomaton &m_automaton;
    MaskAutomaton::State m_state = 0;
    std::string m_held;           ///< bytes not yet passed on
    std::vector<bool> m_flags;    ///< m_held[i] belongs to a secret
    bool m_lastWasSecret = false; ///< what was passed on last ended with `***`
};

} // namespace worker
