#pragma once
/// Result of something that can fail in normal use. Member names match std::expected, which GCC 12
/// offers in C++23 mode only. Dropping a Result is a compile error.

#include <cassert>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace schema {

/// What a caller may branch on; people read the message. Mapped to HTTP status and to exit codes in
/// one place each. Keep the list short.
enum class ErrorCode : std::uint8_t {
    InvalidArgument,  ///< the input is wrong; the message names the field and the remedy
    NotFound,         ///< the thing named does not exist
    AlreadyExists,    ///< a name or id is taken
    Conflict,         ///< the state does not allow it now (stale offset, run already finished)
    PermissionDenied, ///< known caller, not allowed
    Unauthenticated,  ///< no or bad credential
    Unavailable,   ///< a peer (registry, cluster, database) does not answer; trying again may help
    LimitExceeded, ///< size, depth, count or quota; the message names the limit
    Timeout,
    Canceled,
    Io,       ///< file system
    Internal, ///< broken invariant that could be contained
};

/// Stable lower-case name of a code ("notFound"), for logs and the API.
std::string_view toString(ErrorCode code);

/// An error value. Message: lower case, no full stop, names the thing and the remedy, never a
/// secret.
struct Error
{
    ErrorCode code = ErrorCode::Internal;
    std::string message;

    /// The same error with what the caller was doing in front: "load task 'npm@1': <message>".
    [[nodiscard]] Error withContext(std::string_view doing) const;
};

// Named and converting like std::expected, which it shall become one day.
// NOLINTBEGIN(google-explicit-constructor,readability-identifier-naming)
template <typename T = std::monostate> class [[nodiscard]] Result
{
public:
    using value_type = T;

    Result()
        requires std::is_same_v<T, std::monostate>
        : m_value(std::in_place_index<0>)
    {}

    Result(T value)
        : m_value(std::in_place_index<0>, std::move(value))
    {}

    Result(Error error)
        : m_value(std::in_place_index<1>, std::move(error))
    {}

    Result(ErrorCode code, std::string message)
        : m_value(std::in_place_index<1>, Error{code, std::move(message)})
    {}

    [[nodiscard]] bool has_value() const { return m_value.index() == 0; }

    explicit operator bool() const { return has_value(); }

    T &value() &
    {
        assert(has_value());
        return *std::get_if<0>(&m_value);
    }

    const T &value() const &
    {
        assert(has_value());
        return *std::get_if<0>(&m_value);
    }

    T &&value() &&
    {
        assert(has_value());
        return std::move(*std::get_if<0>(&m_value));
    }

    T &operator*() & { return value(); }

    const T &operator*() const & { return value(); }

    T &&operator*() && { return std::move(*this).value(); }

    T *operator->() { return &value(); }

    const T *operator->() const { return &value(); }

    const Error &error() const &
    {
        assert(!has_value());
        return *std::get_if<1>(&m_value);
    }

    Error &&error() &&
    {
        assert(!has_value());
        return std::move(*std::get_if<1>(&m_value));
    }

    T value_or(T other) const & { return has_value() ? value() : std::move(other); }

    T value_or(T other) && { return has_value() ? std::move(*this).value() : std::move(other); }

    /// This result, its error (if any) wrapped with what the caller was doing.
    Result withContext(std::string_view doing) &&
    {
        if (has_value())
            return std::move(*this);
        return error().withContext(doing);
    }

private:
    std::variant<T, Error> m_value;
};

// NOLINTEND(google-explicit-constructor,readability-identifier-naming)

using Status = Result<>;

#define SLIPWAY_CONCAT_(a, b) a##b
#define SLIPWAY_CONCAT(a, b) SLIPWAY_CONCAT_(a, b)

/// `RETURN_IF_ERROR(expr);` returns the error of expr from the enclosing function.
#define RETURN_IF_ERROR(expr)                                                                      \
    do {                                                                                           \
        if (auto status_ = (expr); !status_)                                                       \
            return std::move(status_).error();                                                     \
    } while (false)

/// `ASSIGN_OR_RETURN(auto x, expr);` declares x with the value of expr or returns its error.
#define ASSIGN_OR_RETURN(decl, expr)                                                               \
    ASSIGN_OR_RETURN_(SLIPWAY_CONCAT(result_, __LINE__), decl, expr)
#define ASSIGN_OR_RETURN_(tmp, decl, expr)                                                         \
    auto tmp = (expr);                                                                             \
    if (!tmp)                                                                                      \
        return std::move(tmp).error();                                                             \
    decl = std::move(tmp).value()

} // namespace schema
