#pragma once
/// What callers may negotiate about an answer: not getting it again when they have it, and getting
/// it compressed.

#include "server/http/call.h"

#include <optional>
#include <string>
#include <string_view>

namespace server::http {

/// Strong entity tag of a body: equal bytes have equal tags. The compressed form of the body has
/// the same with "-gzip" inside the quotes (RFC 9110, 8.8.3.3).
std::string entityTag(std::string_view body);

/// Whether an If-None-Match header names this tag, in either coding, or is "*". Weak comparison:
/// RFC 9110, 13.1.2.
bool namesTag(std::string_view ifNoneMatch, std::string_view tag);

/// Whether an If-Match header names this tag, in either coding, or is "*". Strong comparison: a
/// weak tag matches nothing (RFC 9110, 13.1.1).
bool matchesTag(std::string_view ifMatch, std::string_view tag);

/// Whether the request changes something and asks by If-Match to do so only in the state that it
/// names.
bool isConditionalChange(const Call &call);

/// The refusal (412) of a conditional change, when `current`, the answer to a GET of the same
/// address, is not what the caller knows; nothing when it is.
std::optional<Reply> unmetCondition(const Call &call, const Reply &current);

/// Whether the caller takes gzip (Accept-Encoding, q=0 excludes).
bool takesGzip(const Call &call);

/// The bytes as one gzip stream, compressed quickly rather than well.
std::string gzipped(std::string_view body);

/// Prepares a complete answer to a GET: ETag, 304 to a caller that has it, gzip for long text to a
/// caller that takes it. Answers that are streams, errors, or bring these headers themselves stay
/// as they are.
void negotiate(const Call &call, Reply &reply);

} // namespace server::http
