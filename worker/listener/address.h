#pragma once
/// The server's address in the jobs of a worker.

#include "schema/protocol/messages.h"

#include <string>

namespace worker {

/// Names the server in `job` as this worker reaches it: the server knows how it was asked, not what
/// stands in front of it (a proxy that ends TLS). The job's own calls, its repositories on the
/// server and its variables (System.CollectionUri and what begins with it) follow. `url`: without a
/// slash at its end.
void readdress(schema::protocol::JobMessage &job, const std::string &url);

} // namespace worker
