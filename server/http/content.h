#pragma once
/// What callers may negotiate about an answer: not getting it again when they have it, and getting
/// it compressed.

#include "server/http/call.h"

#include <string>
#include <string_view>

namespace server::http {

/// Weak entity tag of a body: equal bytes have equal tags.
std::string entityTag(std::string_view body);

/// Whether an If-None-Match header names this tag (weak comparison, RFC 9110 8.8.3.2), or is "*".
bool namesTag(std::string_view ifNoneMatch, std::string_view tag);

/// Whether the caller takes gzip (Accept-Encoding, q=0 excludes).
bool takesGzip(const Call &call);

/// The bytes as one gzip stream, compressed quickly rather than well.
std::string gzipped(std::string_view body);

/// Prepares a complete answer to a GET: ETag, 304 to a caller that has it, gzip for long text to a
/// caller that takes it. Answers that are streams, errors, or bring these headers themselves stay
/// as they are.
void negotiate(const Call &call, Reply &reply);

} // namespace server::http
