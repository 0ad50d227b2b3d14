#pragma once
/// Sessions of HTTP clients. TLS is loaded at the first https address: most processes never need
/// it, and its libraries would be two of the server's twenty-five megabytes (docs/decisions/0007).

#include "schema/base/result.h"

#include <memory>
#include <string>

namespace Poco {
class Exception;
class URI;

namespace Net {
class HTTPClientSession;
}
} // namespace Poco

namespace schema::transport {

/// Whom a client believes, besides the system's certificate authorities.
struct Trust
{
    std::string authorityFile; ///< PEM, or a folder of them; empty: the system's alone
};

/// A session, not yet connected, for the host and port of `address` (scheme http or https; for
/// https the certificate must be valid and name the host). The caller sets time limits and owns it;
/// one thread uses it; any thread may call this. Errors: InvalidArgument (other scheme, no host, an
/// authority file that cannot be read), NotFound (https, and the module is not installed beside the
/// program).
Result<std::unique_ptr<Poco::Net::HTTPClientSession>> openSession(const Poco::URI &address,
                                                                  const Trust &trust = {});

/// Why a certificate was refused, for which host and what to do; empty when `problem` is another
/// one. To be asked on the thread that caught it, at once; the answer is given once.
std::string refusedCertificate(const Poco::Exception &problem);

/// What went wrong when a session threw, for people: the refused certificate, or what `problem`
/// says.
std::string explain(const Poco::Exception &problem);

} // namespace schema::transport
