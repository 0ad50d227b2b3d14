#pragma once
/// Small text helpers shared by the worker's folders.

#include <string>
#include <string_view>
#include <vector>

namespace worker {

/// ASCII lower and upper case; other bytes stay.
std::string toLower(std::string_view text);
std::string toUpper(std::string_view text);
/// Equal ignoring ASCII case: names of variables, inputs, commands and properties.
bool equalsIgnoringCase(std::string_view a, std::string_view b);
/// Without blanks, tabs and line ends at both ends.
std::string trimmed(std::string_view text);
/// Lines without their ends (LF or CR LF); a final line end makes no empty line.
std::vector<std::string> lines(std::string_view text);
/// Trimmed, non-empty entries of a list that is separated by any of `separators`.
std::vector<std::string> listEntries(std::string_view text, std::string_view separators = "\n");
std::string replaceAll(std::string text, std::string_view what, std::string_view with);
std::string join(const std::vector<std::string> &parts, std::string_view separator);
/// "true" in any case; everything else, also an empty text, is false (task library rule).
bool isTrue(std::string_view text);
/// Splits a command line as Docker@2 does: blanks separate, double quotes group, `\"` is a quote;
/// single quotes are ordinary characters (worker-and-tasks 8.3).
std::vector<std::string> splitArguments(std::string_view text);
/// Splits as a POSIX shell does words: both quotes and the backslash, no expansion.
std::vector<std::string> splitShellWords(std::string_view text);
/// Standard base64 with padding; decoding returns an empty text for malformed input.
std::string encodeBase64(std::string_view bytes);
std::string decodeBase64(std::string_view text);
/// Output of a tool made harmless: a logging command in it does nothing (worker-and-tasks 3.1).
std::string defuseCommands(std::string text);
/// `count` and the noun, with an `s` unless it is one: "1 file", "3 files".
std::string counted(std::size_t count, std::string_view noun);

} // namespace worker
