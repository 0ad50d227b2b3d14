#include "schema/transport/session.h"

#include "schema/transport/tls_module.h"

#include <Poco/Exception.h>
#include <Poco/Net/HTTPClientSession.h>
#include <Poco/URI.h>
#include <fmt/format.h>

#include <atomic>
#include <dlfcn.h>
#include <filesystem>

namespace schema::transport {
namespace {

namespace fs = std::filesystem;

struct Module
{
    OpenTls *open = nullptr;
    TakeRefusal *refusal = nullptr;
    std::string problem; ///< why it could not be loaded
};

Module load()
{
    std::error_code error;
    const fs::path folder = fs::read_symlink("/proc/self/exe", error).parent_path();
    // Beside the program, and where it stands when that is in bin, libexec/slipway or a build.
    const fs::path places[] = {folder / "slipway-tls.so", folder / "../lib/slipway/slipway-tls.so",
                               folder / "../../lib/slipway/slipway-tls.so"};
    Module module;
    for (const fs::path &place : places) {
        if (!fs::exists(place, error))
            continue;
        void *handle = ::dlopen(place.c_str(), RTLD_NOW | RTLD_LOCAL);
        if (handle == nullptr) {
            module.problem =
                fmt::format("https needs {}: {}", place.lexically_normal().string(), ::dlerror());
            return module;
        }
        // POSIX: what dlsym returns is converted to a pointer to a function.
        module.open = reinterpret_cast<OpenTls *>(::dlsym(handle, kOpenSymbol));
        module.refusal = reinterpret_cast<TakeRefusal *>(::dlsym(handle, kRefusalSymbol));
        if (module.open == nullptr || module.refusal == nullptr)
            module.problem =
                fmt::format("{} is of another version; install both files of one release",
                            place.lexically_normal().string());
        return module;
    }
    module.problem = fmt::format(
        "https needs the file slipway-tls.so, which is neither at {} nor at {}; install it, too",
        places[0].string(), places[1].lexically_normal().string());
    return module;
}

const Module &tls()
{
    static const Module module = load();
    return module;
}

/// Whether https was ever asked for: `explain` must not load the module to hear that nothing
/// happened.
std::atomic<bool> &asked()
{
    static std::atomic<bool> value = false;
    return value;
}

} // namespace

Result<std::unique_ptr<Poco::Net::HTTPClientSession>> openSession(const Poco::URI &address,
                                                                  const Trust &trust)
{
    using Session = Poco::Net::HTTPClientSession;
    const std::string &scheme = address.getScheme();
    if (address.getHost().empty() || (scheme != "http" && scheme != "https"))
        return {ErrorCode::InvalidArgument,
                fmt::format("'{}' is no address like http://host:port or https://host",
                            address.toString())};
    if (scheme == "http")
        return std::make_unique<Session>(address.getHost(), address.getPort());
    std::error_code unreadable;
    if (!trust.authorityFile.empty() && !fs::exists(trust.authorityFile, unreadable))
        return {ErrorCode::InvalidArgument,
                fmt::format("the file of certificate authorities '{}' does not exist",
                            trust.authorityFile)};
    asked() = true;
    const Module &module = tls();
    if (!module.problem.empty())
        return {ErrorCode::NotFound, module.problem};
    std::string problem;
    std::unique_ptr<Session> session(
        module.open(address.getHost(), address.getPort(), trust.authorityFile, problem));
    if (session == nullptr)
        return {ErrorCode::InvalidArgument,
                trust.authorityFile.empty()
                    ? "TLS cannot be set up: " + problem
                    : fmt::format("the certificate authorities in '{}' cannot be read: {}",
                                  trust.authorityFile, problem)};
    return session;
}

std::string refusedCertificate(const Poco::Exception &problem)
{
    std::string refused;
    if (!asked() || !tls().problem.empty())
        return refused;
    tls().refusal(refused);
    // Poco compares names itself, after OpenSSL found nothing to refuse, and says only this about
    // it.
    if (refused.empty() &&
        problem.message().find("application verification failure") != std::string::npos)
        refused = "the certificate is of another host (" + problem.message() +
                  "); use a name that stands in it";
    return refused;
}

std::string explain(const Poco::Exception &problem)
{
    const std::string refused = refusedCertificate(problem);
    return refused.empty() ? problem.displayText() : refused;
}

} // namespace schema::transport
