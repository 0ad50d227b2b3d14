#pragma once
/// Text as the language treats it: UTF-8, compared the way .NET's OrdinalIgnoreCase does (the
/// service's rule, pipeline-language 10.7), independent of any locale.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <iterator>
#include <string>
#include <string_view>

namespace pipelines {

/// Simple one-to-one case mappings over the whole of Unicode; bytes that are no UTF-8 are kept.
std::string toUpper(std::string_view text);
std::string toLower(std::string_view text);

/// Ordinal comparison of the upper-cased texts: <0, 0, >0.
int compareIgnoringCase(std::string_view a, std::string_view b);
bool equalIgnoringCase(std::string_view a, std::string_view b);
/// Position of `part` in `text`, ignoring case; npos when absent. An empty part is found at 0.
std::size_t findIgnoringCase(std::string_view text, std::string_view part);

/// Number of UTF-16 code units, the service's measure of length.
std::size_t utf16Length(std::string_view text);
/// Without leading and trailing white space (Unicode).
std::string_view trim(std::string_view text);
/// One code point from the front of `text`, which is shortened; a stray byte gives itself.
char32_t takeCodePoint(std::string_view &text);
void appendUtf8(std::string &out, char32_t c);
/// Offset of the first byte that is no UTF-8, or npos.
std::size_t findInvalidUtf8(std::string_view text);

/// Case-insensitive hash and equality for unordered containers with string_view lookups.
struct HashIgnoringCase
{
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const;
};

struct EqualIgnoringCase
{
    using is_transparent = void;

    bool operator()(std::string_view a, std::string_view b) const
    {
        return equalIgnoringCase(a, b);
    }
};

struct LessIgnoringCase
{
    using is_transparent = void;

    bool operator()(std::string_view a, std::string_view b) const
    {
        return compareIgnoringCase(a, b) < 0;
    }
};

/// The nearest of `candidates` to `word` (one that begins with it, or of an edit distance of at
/// most 2 and less than half the word), or empty: for "did you mean". Of more than a thousand
/// candidates none is looked at: a file of many mistakes would cost their product.
template <typename Range> std::string nearest(std::string_view word, const Range &candidates);
std::size_t editDistance(std::string_view a, std::string_view b);

template <typename Range> std::string nearest(std::string_view word, const Range &candidates)
{
    constexpr std::size_t kFurthest = 2;
    constexpr std::size_t kShortestStart = 3;
    constexpr std::size_t kLongestRest = 4;
    constexpr std::size_t kMostCandidates = 1'000;
    std::string best;
    if (static_cast<std::size_t>(std::size(candidates)) > kMostCandidates)
        return best;
    std::size_t bestRank = 2 * kFurthest + 1;
    for (const auto &candidate : candidates) {
        const std::string_view text(candidate);
        if (text == word)
            continue;
        // A word that was cut short is meant rather than another one of the same distance.
        const bool isStart = word.size() >= kShortestStart && text.size() > word.size() &&
                             text.size() <= word.size() + kLongestRest &&
                             equalIgnoringCase(text.substr(0, word.size()), word);
        const std::size_t distance = equalIgnoringCase(text, word) ? 0 : editDistance(word, text);
        const std::size_t rank = isStart ? 1 : 2 * distance;
        if (rank < bestRank && (isStart || distance * 2 < text.size())) {
            bestRank = rank;
            best = text;
        }
    }
    return best;
}

} // namespace pipelines
