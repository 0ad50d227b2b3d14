#pragma once
/// Errors on the wire: `{"$id","innerException","message","typeName","typeKey","errorCode",
/// "eventId"}` as Azure DevOps sends them, plus Slipway's `code`.

#include "schema/base/result.h"
#include "server/http/call.h"

namespace server::http {

/// The one mapping of error codes to HTTP status.
int httpStatus(schema::ErrorCode code);
/// Error body with the type key that clients match ("BuildNotFoundException"), if one is known.
Reply errorReply(const schema::Error &error, std::string_view typeKey = {});

/// The same for calls of job processes: a conflict whose message begins with "leaseLost" is told by
/// its code, and the process stops then.
Reply jobErrorReply(const schema::Error &error);

} // namespace server::http
