#pragma once
/// The HTTP calls of InvokeRESTAPI.

#include "server/workers/server_job.h"

namespace server::workers {

/// One call, at most 20 s (the service's limit) and a megabyte of answer; redirections are not
/// followed. Never fails: status 0 with the reason when there is no answer. http and https
/// addresses.
RestReply restCall(const RestRequest &request);

} // namespace server::workers
