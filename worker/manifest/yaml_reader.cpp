// YAML documents to JSON values with the types kubectl gives them.
#include "worker/manifest/manifest.h"

#include <yaml-cpp/yaml.h>

#include <array>
#include <charconv>
#include <cmath>
#include <sstream>

namespace worker {
namespace {

constexpr std::size_t kMaxNodes = 1'000'000;
constexpr std::size_t kNodeBytes = 128; // what an empty node costs, about
constexpr std::size_t kMaxExpandedBytes = 24U << 20U;
constexpr std::size_t kMaxBytes = 16U << 20U;
constexpr int kMaxDepth = 200;

struct TooLarge : std::exception
{
    [[nodiscard]] const char *what() const noexcept override
    {
        return "the manifest is too large or nested too deep";
    }
};

bool isOneOf(std::string_view text, std::initializer_list<std::string_view> words)
{
    for (const auto word : words) {
        if (text == word)
            return true;
    }
    return false;
}

/// Plain (unquoted) scalars by the rules of YAML 1.1 as kubectl reads them.
ManifestJson plainScalar(const std::string &text)
{
    if (isOneOf(text, {"", "~", "null", "Null", "NULL"}))
        return nullptr;
    if (isOneOf(text, {"true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON", "y", "Y"}))
        return true;
    if (isOneOf(text, {"false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF", "n", "N"}))
        return false;
    std::string digits;
    for (const char c : text) {
        if (c != '_')
            digits += c;
    }
    std::string_view number(digits);
    const bool negative = number.starts_with('-');
    if (negative || number.starts_with('+'))
        number.remove_prefix(1);
    if (number.empty() || (number.front() != '.' && (number.front() < '0' || number.front() > '9')))
        return text;
    int base = 10;
    std::string_view whole = number;
    if (number.starts_with("0x"))
        base = 16, whole.remove_prefix(2);
    else if (number.starts_with("0b"))
        base = 2, whole.remove_prefix(2);
    else if (number.starts_with("0o"))
        base = 8, whole.remove_prefix(2);
    else if (number.size() > 1 && number.front() == '0' &&
             number.find_first_not_of("01234567") == std::string_view::npos)
        base = 8;
    std::int64_t integer = 0;
    const auto *end = whole.data() + whole.size();
    if (const auto read = std::from_chars(whole.data(), end, integer, base);
        read.ec == std::errc() && read.ptr == end)
        return negative ? -integer : integer;
    double real = 0;
    const auto *last = number.data() + number.size();
    if (const auto read = std::from_chars(number.data(), last, real);
        read.ec == std::errc() && read.ptr == last && std::isfinite(real))
        return negative ? -real : real;
    return text;
}

class Converter
{
public:
    ManifestJson convert(const YAML::Node &node, int depth)
    {
        // Aliases repeat what they name: the size after their expansion is what must be bounded.
        m_bytes += kNodeBytes + (node.IsScalar() ? node.Scalar().size() : 0);
        if (++m_nodes > kMaxNodes || m_bytes > kMaxExpandedBytes || depth > kMaxDepth)
            throw TooLarge();
        switch (node.Type()) {
        case YAML::NodeType::Scalar:
            // "?" is the tag of a plain scalar, "!" that of a quoted one.
            return node.Tag() == "?" ? plainScalar(node.Scalar()) : ManifestJson(node.Scalar());
        case YAML::NodeType::Sequence: {
            ManifestJson list = ManifestJson::array();
            for (const auto &entry : node)
                list.push_back(convert(entry, depth + 1));
            return list;
        }
        case YAML::NodeType::Map: {
            ManifestJson map = ManifestJson::object();
            for (const auto &entry : node)
                map[entry.first.Scalar()] = convert(entry.second, depth + 1);
            return map;
        }
        default:
            return nullptr;
        }
    }

private:
    std::size_t m_nodes = 0;
    std::size_t m_bytes = 0;
};

void addObject(ManifestJson value, std::vector<ManifestJson> &out)
{
    if (value.is_object() && value.contains("kind") && value["kind"] == "List" &&
        value.contains("items") && value["items"].is_array()) {
        for (auto &item : value["items"])
            addObject(std::move(item), out);
        return;
    }
    if (!value.is_null())
        out.push_back(std::move(value));
}

} // namespace

schema::Result<std::vector<ManifestJson>> parseManifest(std::string_view text)
{
    using schema::ErrorCode;
    if (text.size() > kMaxBytes)
        return {ErrorCode::LimitExceeded, "the manifest is longer than 16 MiB"};
    std::vector<ManifestJson> out;
    try {
        Converter converter;
        for (const auto &document : YAML::LoadAll(std::string(text)))
            addObject(converter.convert(document, 0), out);
    } catch (const YAML::Exception &error) {
        return {ErrorCode::InvalidArgument,
                "line " + std::to_string(error.mark.line + 1) + ", column " +
                    std::to_string(error.mark.column + 1) + ": " + error.msg};
    } catch (const std::exception &error) {
        return {ErrorCode::LimitExceeded, error.what()};
    }
    for (const auto &object : out) {
        if (!object.is_object() || !object.contains("kind") || !object["kind"].is_string())
            return {ErrorCode::InvalidArgument,
                    "a document has no 'kind'; every document must be a Kubernetes object"};
    }
    return out;
}

} // namespace worker
