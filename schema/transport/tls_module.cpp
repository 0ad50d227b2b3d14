#include "schema/transport/tls_module.h"

#include <Poco/DateTimeFormatter.h>
#include <Poco/Delegate.h>
#include <Poco/Exception.h>
#include <Poco/Net/Context.h>
#include <Poco/Net/HTTPSClientSession.h>
#include <Poco/Net/SSLManager.h>
#include <Poco/Net/VerificationErrorArgs.h>
#include <fmt/format.h>

#include <memory>
#include <utility>

namespace {

using Poco::Net::Context;
using Poco::Net::SSLManager;
using Poco::Net::VerificationErrorArgs;

constexpr int kChainLength = 9;

/// OpenSSL asks on the thread that connects, so what it refused is kept for that thread.
thread_local std::string refusal; // NOLINT(cppcoreguidelines-avoid-non-const-global-variables)

std::string day(const Poco::DateTime &time)
{
    return Poco::DateTimeFormatter::format(time, "%Y-%m-%d");
}

/// Notes why a certificate is refused. It stays refused.
class Refusals
{
public:
    Refusals()
    {
        SSLManager::instance().ClientVerificationError +=
            Poco::delegate(this, &Refusals::onRefused);
    }

    void onRefused(const void *, VerificationErrorArgs &about) // NOLINT: Poco's signature
    {
        const auto &certificate = about.certificate();
        const Poco::DateTime now;
        std::string why = about.errorMessage();
        std::string remedy = "add the authority that signed it to the system's, or name its file";
        if (certificate.expiresOn() < now) {
            why = "it expired on " + day(certificate.expiresOn());
            remedy = "renew it";
        } else if (certificate.validFrom() > now) {
            why = "it is valid from " + day(certificate.validFrom()) + " only";
            remedy = "check the clocks of both machines";
        }
        refusal = fmt::format("the certificate of '{}' is refused: {}; {}",
                              certificate.commonName(), why, remedy);
        about.setIgnoreError(false);
    }
};

} // namespace

namespace schema::transport {

extern "C" __attribute__((visibility("default"))) Poco::Net::HTTPClientSession *
slipway_tls_open(const std::string &host, unsigned short port, const std::string &authorityFile,
                 std::string &error)
{
    try {
        static const Refusals refusals; // for the life of the process, as the module is
        (void)refusals;
        Context::Ptr context(new Context(Context::TLS_CLIENT_USE, "", "", authorityFile,
                                         Context::VERIFY_STRICT, kChainLength, true));
        context->requireMinimumProtocol(Context::PROTO_TLSV1_2);
        return std::make_unique<Poco::Net::HTTPSClientSession>(host, port, context).release();
    } catch (const Poco::Exception &problem) {
        error = problem.displayText();
    } catch (const std::exception &problem) {
        error = problem.what();
    }
    return nullptr;
}

extern "C" __attribute__((visibility("default"))) void slipway_tls_refusal(std::string &why)
{
    why = std::exchange(refusal, {});
}

} // namespace schema::transport
