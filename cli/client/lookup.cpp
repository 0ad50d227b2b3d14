#include "cli/client/lookup.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <charconv>
#include <optional>
#include <string_view>
#include <strings.h>

namespace cli {
namespace {

using nlohmann::json;
using schema::ErrorCode;

std::optional<std::int64_t> asId(const std::string &text)
{
    std::int64_t id = 0;
    const char *end = text.data() + text.size();
    const auto [stop, problem] = std::from_chars(text.data(), end, id);
    if (problem != std::errc() || stop != end || id < 1)
        return std::nullopt;
    return id;
}

} // namespace

bool sameName(const std::string &left, const std::string &right)
{
    return strcasecmp(left.c_str(), right.c_str()) == 0;
}

schema::Result<json> findPipeline(const Connection &server, const std::string &text)
{
    ASSIGN_OR_RETURN(const json answer,
                     server.client.get(fmt::format("/{}/_apis/pipelines", server.project)));
    std::string names;
    for (const json &pipeline : memberOf(answer, "value")) {
        const std::string name = textOf(pipeline, "name");
        std::string folder = textOf(pipeline, "folder");
        if (!folder.empty() && folder.back() != '\\')
            folder += '\\';
        if (sameName(name, text) || sameName(folder + name, text) ||
            asId(text) == numberOf(pipeline, "id"))
            return pipeline;
        names += fmt::format("{}'{}'", names.empty() ? "" : ", ", name);
    }
    return {ErrorCode::NotFound, fmt::format("there is no pipeline '{}'; there are: {}", text,
                                             names.empty() ? "none" : names)};
}

schema::Result<std::int64_t> findRun(const Connection &server, const std::string &text)
{
    if (const auto id = asId(text))
        return *id;
    ASSIGN_OR_RETURN(const json answer, server.client.get(fmt::format(
                                            "/{}/_apis/slipway/runs?top=200", server.project)));
    for (const json &run : memberOf(answer, "value")) {
        if (text == "latest" || textOf(run, "number") == text)
            return numberOf(run, "id");
    }
    return {
        ErrorCode::NotFound,
        text == "latest"
            ? std::string("there is no run yet")
            : fmt::format("there is no run '{}' among the last 200; 'slipway status' lists them",
                          text)};
}

std::string shownIdentifier(const std::string &identifier)
{
    constexpr std::string_view kUnnamed = "__default";
    std::string_view shown = identifier;
    if (shown.starts_with(std::string(kUnnamed) + "."))
        shown.remove_prefix(kUnnamed.size() + 1);
    if (shown.ends_with("." + std::string(kUnnamed)))
        shown.remove_suffix(kUnnamed.size() + 1);
    return std::string(shown);
}

bool isCalled(const json &entry, const std::string &name)
{
    for (const char *key : {"id", "identifier", "name", "job"}) {
        if (sameName(textOf(entry, key), name))
            return true;
    }
    const std::string shown = shownIdentifier(textOf(entry, "identifier"));
    if (shown.size() <= name.size())
        return sameName(shown, name) && !name.empty();
    const std::size_t at = shown.size() - name.size();
    return shown[at - 1] == '.' && sameName(shown.substr(at), name);
}

schema::Result<json> runDetail(const Connection &server, std::int64_t id)
{
    return server.client.get(fmt::format("/{}/_apis/slipway/runs/{}", server.project, id));
}

std::string runPage(const Connection &server, std::int64_t id)
{
    return fmt::format("{}/{}/runs/{}", server.client.url(), server.project, id);
}

int exitCodeOf(const json &run)
{
    const std::string result = textOf(run, "result");
    return result == "succeeded" || result == "partiallySucceeded" ? 0 : 1;
}

} // namespace cli
