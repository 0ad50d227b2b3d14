#pragma once
/// What can be said of an expression without its context: is it always, is it never true?

#include "pipelines/expr/expression.h"

#include <functional>
#include <optional>
#include <string>

namespace pipelines::expr {

/// What a caller knows beyond the text.
struct Assumptions
{
    /// Literals of the expression prove something. False for texts that template expressions were
    /// written into: there `False` or `'dev'` is the value of this time only.
    bool literals = true;
    /// Truth of a status function without names; absent: unknown.
    std::function<std::optional<bool>(Function)> status;
    /// Is `left` (as canonical text, "parameters.env") never equal to this text? For values that
    /// are limited to a list.
    std::function<bool(const std::string &left, std::string_view text)> neverEqual;
};

/// The truth of the whole expression when it does not depend on values, else nothing. Knows
/// constant parts, and() of conditions that exclude each other, and what `assumptions` add.
std::optional<bool> constantTruth(const Expression &expression, const Assumptions &assumptions);

/// Calls eq() or ne() with a boolean-like text ("false") on the right, as `left` and the text: on a
/// boolean left side any text but '' counts as true (10.7).
void eachComparedText(
    const Expression &expression,
    const std::function<void(const std::string &left, std::string_view text)> &visit);

/// Does a status function get names (`succeeded('Build')`)?
bool namesDependencies(const Expression &expression);

} // namespace pipelines::expr
