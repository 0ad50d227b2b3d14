#pragma once
/// The interface of slipway-tls.so, which session.cpp loads. Both sides are built together; it is
/// no contract with anybody else.

#include <string>

namespace Poco::Net {
class HTTPClientSession;
}

namespace schema::transport {

inline constexpr const char *kOpenSymbol = "slipway_tls_open";
inline constexpr const char *kRefusalSymbol = "slipway_tls_refusal";

/// A new session with TLS, or null and the reason in `error`.
using OpenTls = Poco::Net::HTTPClientSession *(const std::string &host, unsigned short port,
                                               const std::string &authorityFile,
                                               std::string &error);
/// Gives why the last certificate was refused on this thread, and forgets it; empty when none was.
using TakeRefusal = void(std::string &why);

} // namespace schema::transport
