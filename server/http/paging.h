#pragma once
/// Pages of lists that are short enough to be made as a whole: a token says how much of the list
/// was given already.

#include "server/http/call.h"

namespace server::http {

/// The part of `values` that `$top`, `$skip` and `continuationToken` ask for, with the token of the
/// next page in body and header when there is one. Without `$top`: everything from there on.
/// Errors: InvalidArgument naming the parameter.
schema::Result<Reply> page(const Call &call, nlohmann::ordered_json values);

} // namespace server::http
