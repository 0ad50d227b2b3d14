#include "pipelines/yaml/phrases.h"

#include <algorithm>
#include <iterator>

namespace pipelines::yaml {
namespace {

/// yaml-cpp's messages in the words that people find help for (16.1), with what to do.
constexpr Phrase kPhrases[] = {
    {"end of map not found", "While parsing a block mapping, did not find expected key.",
     "check the indentation of this line and of the lines above it"},
    {"end of sequence not found",
     "While parsing a block collection, did not find expected '-' indicator.",
     "check the indentation: the items of a list begin in the same column"},
    {"illegal map value", "Mapping values are not allowed in this context.",
     "quote the text if it contains `: `, or check the indentation"},
    {"illegal block entry", "Block sequence entries are not allowed in this context.",
     "check the indentation of the `-`"},
    {"illegal map key", "Mapping keys are not allowed in this context.", "check the indentation"},
    {"unknown token",
     "While scanning for the next token, found character that cannot start any token.",
     "quote a text that begins with @, `, % or a tab"},
    {"end of map flow not found", "While parsing a flow mapping, did not find expected ',' or '}'.",
     "close the brace"},
    {"end of sequence flow not found",
     "While parsing a flow sequence, did not find expected ',' or ']'.", "close the bracket"},
    {"illegal EOF in scalar", "While scanning a quoted scalar, found unexpected end of stream.",
     "close the quote"},
    {"illegal document indicator in scalar",
     "While scanning a quoted scalar, found unexpected document indicator.", "close the quote"},
    {"unknown escape character: ",
     "While scanning a quoted scalar, found unknown escape character.",
     "in double quotes a \\ begins an escape: write \\\\, or use single quotes"},
    {"invalid unicode: ", "While scanning a quoted scalar, found invalid Unicode character escape.",
     "write the character itself"},
    {"bad character found while scanning hex number",
     "While scanning a quoted scalar, did not find expected hexadecimal number.",
     "in double quotes a \\ begins an escape: write \\\\, or use single quotes"},
    {"unexpected character in block scalar",
     "While scanning a block scalar, did not find expected comment or line break.",
     "begin the text on the next line"},
    {"cannot set zero indentation for a block scalar",
     "While scanning a block scalar, found an indentation indicator equal to 0.",
     "write 1 to 9, or leave it out"},
    {"cannot assign multiple tags", "While parsing a node, found duplicate tags.",
     "remove the tags"},
    {"repeated YAML directive", "Found duplicate %YAML directive.", "remove one of the two"},
    {"illegal flow end", "While parsing, did not find expected node content.",
     "remove the closing bracket or brace, or add the opening one"},
    {"alias not found after *",
     "While scanning an anchor or alias, did not find expected alphabetic or numeric character.",
     "quote a text that begins with * or &"},
    {"anchor not found after &",
     "While scanning an anchor or alias, did not find expected alphabetic or numeric character.",
     "quote a text that begins with * or &"},
    {"illegal character found while scanning alias",
     "While scanning an anchor or alias, did not find expected alphabetic or numeric character.",
     "quote a text that begins with * or &"},
    {"illegal character found while scanning anchor",
     "While scanning an anchor or alias, did not find expected alphabetic or numeric character.",
     "quote a text that begins with * or &"},
    {"the referenced anchor is not defined", "The alias refers to an anchor that is not there",
     "a text that begins with * is quoted; anchors and aliases are not supported"},
    {"illegal tab",
     "While scanning for the next token, found character that cannot start any token.",
     "indent with blanks, not with tabs"},
};

} // namespace

const Phrase *phraseOf(std::string_view message)
{
    const auto *const found =
        std::find_if(std::begin(kPhrases), std::end(kPhrases),
                     [&](const Phrase &one) { return message.starts_with(one.original); });
    return found == std::end(kPhrases) ? nullptr : found;
}

} // namespace pipelines::yaml
