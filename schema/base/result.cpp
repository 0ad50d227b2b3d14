#include "schema/base/result.h"

namespace schema {

std::string_view toString(ErrorCode code)
{
    switch (code) {
    case ErrorCode::InvalidArgument:
        return "invalidArgument";
    case ErrorCode::NotFound:
        return "notFound";
    case ErrorCode::AlreadyExists:
        return "alreadyExists";
    case ErrorCode::Conflict:
        return "conflict";
    case ErrorCode::PermissionDenied:
        return "permissionDenied";
    case ErrorCode::Unauthenticated:
        return "unauthenticated";
    case ErrorCode::Unavailable:
        return "unavailable";
    case ErrorCode::LimitExceeded:
        return "limitExceeded";
    case ErrorCode::Timeout:
        return "timeout";
    case ErrorCode::Canceled:
        return "canceled";
    case ErrorCode::Io:
        return "io";
    case ErrorCode::Internal:
        return "internal";
    }
    return "internal";
}

Error Error::withContext(std::string_view doing) const
{
    return Error{code, std::string(doing) + ": " + message};
}

} // namespace schema
