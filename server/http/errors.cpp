#include "server/http/errors.h"

#include <nlohmann/json.hpp>

namespace server::http {

using schema::ErrorCode;

namespace {

std::string_view defaultTypeKey(ErrorCode code)
{
    switch (code) {
    case ErrorCode::InvalidArgument:
    case ErrorCode::LimitExceeded:
        return "InvalidRequestException";
    case ErrorCode::NotFound:
        return "ResourceNotFoundException";
    case ErrorCode::AlreadyExists:
        return "ResourceExistsException";
    case ErrorCode::Conflict:
        return "InvalidOperationException";
    case ErrorCode::PermissionDenied:
        return "AccessDeniedException";
    case ErrorCode::Unauthenticated:
        return "UnauthorizedRequestException";
    default:
        return "VssServiceException";
    }
}

} // namespace

int httpStatus(ErrorCode code)
{
    switch (code) {
    case ErrorCode::InvalidArgument:
        return 400;
    case ErrorCode::Unauthenticated:
        return 401;
    case ErrorCode::PermissionDenied:
        return 403;
    case ErrorCode::NotFound:
        return 404;
    case ErrorCode::AlreadyExists:
    case ErrorCode::Conflict:
        return 409;
    case ErrorCode::LimitExceeded:
        return 413;
    case ErrorCode::Unavailable:
    case ErrorCode::Canceled:
        return 503;
    case ErrorCode::Timeout:
        return 504;
    case ErrorCode::Io:
    case ErrorCode::Internal:
        break;
    }
    return 500;
}

Reply errorReply(const schema::Error &error, std::string_view typeKey)
{
    const std::string key(typeKey.empty() ? defaultTypeKey(error.code) : typeKey);
    nlohmann::ordered_json body{{"$id", "1"},
                                {"innerException", nullptr},
                                {"message", error.message},
                                {"typeName", "Slipway." + key + ", Slipway"},
                                {"typeKey", key},
                                {"errorCode", 0},
                                {"eventId", 3000},
                                {"code", schema::toString(error.code)}};
    return Reply::json(body, httpStatus(error.code));
}

Reply jobErrorReply(const schema::Error &error)
{
    Reply reply = errorReply(error);
    if (error.code == schema::ErrorCode::Conflict && error.message.starts_with("leaseLost")) {
        auto body = nlohmann::ordered_json::parse(reply.body);
        body["code"] = "leaseLost";
        reply.body = body.dump();
    }
    return reply;
}

} // namespace server::http
