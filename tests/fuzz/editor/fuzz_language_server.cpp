// The language server. An input that begins with 'F' is a stream of frames; any other is a document
// that is opened, changed and asked about at places taken from its own bytes.
#include "cli/language_server/features.h"
#include "cli/language_server/framing.h"
#include "cli/language_server/server.h"
#include "cli/language_server/text_position.h"

#include <nlohmann/json.hpp>

#include <cstdint>
#include <cstdlib>

using namespace cli::language_server;

namespace {

class NoWorkspace : public Workspace
{
public:
    std::optional<std::string> read(const std::string &) override { return std::nullopt; }

    std::vector<std::string> list(const std::string &) override { return {"a.yml", "steps/"}; }

    std::string rootOf(const std::string &) override { return "/r"; }

    std::optional<std::string> folderOf(const std::string &,
                                        const schema::RepositoryResource *) override
    {
        return std::nullopt;
    }
};

std::string message(const char *method, nlohmann::json parameters, int id = 0)
{
    nlohmann::json out{{"jsonrpc", "2.0"}, {"method", method}, {"params", std::move(parameters)}};
    if (id != 0)
        out["id"] = id;
    return out.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

void stream(Server &server, std::string_view bytes)
{
    FrameReader frames;
    // In two parts, so that a message may be cut anywhere.
    const std::size_t half = bytes.size() / 2;
    for (const std::string_view part : {bytes.substr(0, half), bytes.substr(half)}) {
        frames.feed(part);
        while (const auto content = frames.next())
            (void)server.handle(*content);
    }
    (void)server.publish();
}

void document(Server &server, std::string_view text)
{
    const nlohmann::json named{{"uri", "file:///r/a.yml"}, {"version", 1}, {"text", text}};
    (void)server.handle(message("initialize", nlohmann::json::object(), 1));
    (void)server.handle(message("textDocument/didOpen", {{"textDocument", named}}));
    if (server.publish().size() != 1)
        std::abort(); // a document that is opened is spoken of
    const auto lines = linesOf(text);
    constexpr std::size_t kMostPlaces = 16;
    for (std::size_t i = 0; i < std::min(text.size(), kMostPlaces); ++i) {
        const auto byte = static_cast<unsigned char>(text[text.size() - 1 - i]);
        const nlohmann::json position{{"line", byte % (lines.size() + 1)},
                                      {"character", i * 7 % 40}};
        const nlohmann::json at{{"textDocument", named}, {"position", position}};
        for (const char *const method :
             {"textDocument/completion", "textDocument/hover", "textDocument/definition",
              "textDocument/documentSymbol"}) {
            if (server.handle(message(method, at, 2)).size() != 1)
                std::abort(); // every request is answered once
        }
        const nlohmann::json change{{"range", {{"start", position}, {"end", position}}},
                                    {"text", "x"}};
        (void)server.handle(message("textDocument/didChange",
                                    {{"textDocument", named}, {"contentChanges", {change}}}));
    }
    (void)server.publish();
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
    constexpr std::size_t kLongest = 4096;
    const std::string_view bytes(reinterpret_cast<const char *>(data), std::min(size, kLongest));
    NoWorkspace workspace;
    Server server(workspace, schema::builtInTaskCatalogue());
    if (bytes.starts_with('F'))
        stream(server, bytes.substr(1));
    else
        document(server, bytes);
    return 0;
}
