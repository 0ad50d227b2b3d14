// YAML documents to JSON values with the types kubectl gives them, built from yaml-cpp's events:
// its own tree of nodes knows no bounds, and its loop over documents ends only when the parser
// moves on.
#include "pipelines/base/text.h"
#include "worker/manifest/manifest.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <memory>
#include <optional>
#include <sstream>
#include <unordered_map>

namespace worker {
namespace {

constexpr std::size_t kNodeBytes = 64; // what an empty node costs, about
constexpr std::size_t kMaxBytes = 16U << 20U;
constexpr std::size_t kMaxExpandedBytes = 64U << 20U; // nodes, texts, keys; aliases expanded
constexpr std::size_t kMaxDepth = 200;

/// Ends the reading.
struct Stop
{
    schema::ErrorCode code;
    std::string message;
    YAML::Mark mark;
};

[[noreturn]] void tooLarge(const YAML::Mark &mark)
{
    throw Stop{schema::ErrorCode::LimitExceeded,
               "the manifest is too large or nested too deep (aliases count as what they repeat)",
               mark};
}

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
    const char *const begin = std::to_address(whole.begin());
    const char *const end = begin + whole.size();
    if (const auto read = std::from_chars(begin, end, integer, base);
        read.ec == std::errc() && read.ptr == end && !whole.starts_with('-'))
        return negative ? -integer : integer;
    double real = 0;
    const char *const first = std::to_address(number.begin());
    const char *const last = first + number.size();
    if (const auto read = std::from_chars(first, last, real);
        read.ec == std::errc() && read.ptr == last && std::isfinite(real))
        return negative ? -real : real;
    return text;
}

/// yaml-cpp 0.7 turns the escapes \N and \_ into single Latin-1 bytes.
std::string asUtf8(std::string_view value)
{
    std::string out;
    while (true) {
        const std::size_t bad = pipelines::findInvalidUtf8(value);
        if (bad == std::string_view::npos)
            return out.append(value);
        out.append(value.substr(0, bad));
        pipelines::appendUtf8(out, static_cast<unsigned char>(value[bad]));
        value.remove_prefix(bad + 1);
    }
}

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

class Builder : public YAML::EventHandler
{
public:
    Builder(std::string_view text, std::vector<ManifestJson> &out)
        : m_text(text)
        , m_out(out)
    {}

    void OnDocumentStart(const YAML::Mark &mark) override
    {
        // The parser takes whatever is left over for a further document; at a token that begins
        // nothing (", a") it does so for ever.
        const auto at = std::min(static_cast<std::size_t>(std::max(mark.pos, 0)), m_text.size());
        if (m_documents++ > 0 && !m_text.substr(at).starts_with("---"))
            throw Stop{schema::ErrorCode::InvalidArgument,
                       "expected the end of the document or '---'; check the indentation", mark};
        m_anchors.clear();
        m_kept = 0;
    }

    void OnDocumentEnd() override {}

    void OnNull(const YAML::Mark &mark, YAML::anchor_t anchor) override
    {
        add({nullptr, kNodeBytes, 0}, anchor, mark);
    }

    void OnAlias(const YAML::Mark &mark, YAML::anchor_t anchor) override
    {
        const auto found = m_anchors.find(anchor);
        if (found == m_anchors.end())
            throw Stop{schema::ErrorCode::InvalidArgument, "an alias stands inside what it names",
                       mark};
        // Counted before it is copied.
        count(found->second.bytes, mark);
        place(Value(found->second), YAML::NullAnchor, mark);
    }

    void OnScalar(const YAML::Mark &mark, const std::string &tag, YAML::anchor_t anchor,
                  const std::string &value) override
    {
        // "?" is the tag of a plain scalar, "!" that of a quoted one.
        const bool plain =
            tag == "?" || isOneOf(tag, {"tag:yaml.org,2002:int", "tag:yaml.org,2002:float",
                                        "tag:yaml.org,2002:bool", "tag:yaml.org,2002:null"});
        const std::string text = asUtf8(value);
        const bool isKey = expectsKey();
        m_keyIsMerge = isKey ? tag == "?" && text == "<<" : m_keyIsMerge;
        add({plain && !isKey ? plainScalar(text) : ManifestJson(text), kNodeBytes + text.size(), 0},
            anchor, mark);
    }

    void OnSequenceStart(const YAML::Mark &mark, const std::string &, YAML::anchor_t anchor,
                         YAML::EmitterStyle::value) override
    {
        open(ManifestJson::array(), anchor, mark);
    }

    void OnSequenceEnd() override { close(); }

    void OnMapStart(const YAML::Mark &mark, const std::string &, YAML::anchor_t anchor,
                    YAML::EmitterStyle::value) override
    {
        open(ManifestJson::object(), anchor, mark);
    }

    void OnMapEnd() override { close(); }

private:
    struct Value
    {
        ManifestJson json;
        std::size_t bytes; ///< of the whole, aliases expanded
        std::size_t depth; ///< levels below
    };

    struct Frame
    {
        Value value;
        YAML::anchor_t anchor;
        YAML::Mark mark;
        std::optional<std::string> key; ///< of a mapping, when its value is next
        bool merge = false;             ///< the key is a plain "<<"
        std::unordered_map<std::string, std::size_t> places; ///< key -> index in the object
        std::vector<ManifestJson> merges;                    ///< mappings that fill what is missing
    };

    void count(std::size_t bytes, const YAML::Mark &mark)
    {
        m_bytes += bytes;
        if (m_bytes + m_kept > kMaxExpandedBytes)
            tooLarge(mark);
    }

    [[nodiscard]] bool expectsKey() const
    {
        return !m_frames.empty() && m_frames.back().value.json.is_object() && !m_frames.back().key;
    }

    void open(ManifestJson json, YAML::anchor_t anchor, const YAML::Mark &mark)
    {
        if (expectsKey())
            throw Stop{schema::ErrorCode::InvalidArgument,
                       "a key must be a text, not a list or a mapping", mark};
        if (m_frames.size() >= kMaxDepth)
            tooLarge(mark);
        count(kNodeBytes, mark);
        m_frames.push_back({{std::move(json), kNodeBytes, 0}, anchor, mark, {}, false, {}, {}});
    }

    /// The object's vector has no check for a key that stands there already; `places` is it.
    static void put(Frame &frame, std::string key, ManifestJson value)
    {
        auto &object = frame.value.json.get_ref<ManifestJson::object_t &>();
        const auto [place, isNew] = frame.places.try_emplace(key, object.size());
        if (isNew)
            object.ManifestJson::object_t::Container::emplace_back(std::move(key),
                                                                   std::move(value));
        else
            object[key] = std::move(value);
    }

    void add(Value value, YAML::anchor_t anchor, const YAML::Mark &mark)
    {
        count(value.bytes, mark);
        place(std::move(value), anchor, mark);
    }

    /// Puts a counted value where it belongs.
    void place(Value value, YAML::anchor_t anchor, const YAML::Mark &mark)
    {
        if (anchor != YAML::NullAnchor) {
            m_kept += value.bytes;
            count(0, mark);
            m_anchors.insert_or_assign(anchor, value);
        }
        if (m_frames.empty()) {
            addObject(std::move(value.json), m_out);
            return;
        }
        Frame &frame = m_frames.back();
        frame.value.bytes += value.bytes;
        frame.value.depth = std::max(frame.value.depth, value.depth + 1);
        if (m_frames.size() + value.depth > kMaxDepth)
            tooLarge(mark);
        if (frame.value.json.is_array()) {
            frame.value.json.push_back(std::move(value.json));
        } else if (!frame.key) {
            if (value.json.is_structured())
                throw Stop{schema::ErrorCode::InvalidArgument,
                           "a key must be a text, not a list or a mapping", mark};
            frame.key = value.json.is_string() ? value.json.get<std::string>() : value.json.dump();
            frame.merge = m_keyIsMerge;
            m_keyIsMerge = false;
        } else {
            std::string key = std::move(*frame.key);
            frame.key.reset();
            if (frame.merge)
                addMerge(frame, std::move(value.json), mark);
            else
                put(frame, std::move(key), std::move(value.json));
        }
    }

    static void addMerge(Frame &frame, ManifestJson value, const YAML::Mark &mark)
    {
        if (value.is_object())
            value = ManifestJson::array({std::move(value)});
        for (auto &entry : value) {
            if (!entry.is_object())
                throw Stop{schema::ErrorCode::InvalidArgument,
                           "what '<<' merges must be a mapping or a list of mappings", mark};
            frame.merges.push_back(std::move(entry));
        }
    }

    void close()
    {
        Frame frame = std::move(m_frames.back());
        m_frames.pop_back();
        for (auto &merge : frame.merges) {
            for (auto &[key, value] : merge.items()) {
                if (!frame.places.contains(key))
                    put(frame, key, std::move(value));
            }
        }
        place(std::move(frame.value), frame.anchor, frame.mark);
    }

    std::string_view m_text;
    std::vector<ManifestJson> &m_out;
    std::size_t m_documents = 0;
    std::size_t m_bytes = 0; ///< of what was built
    std::size_t m_kept = 0;  ///< of the copies that aliases of this document may ask for
    bool m_keyIsMerge = false;
    std::vector<Frame> m_frames;
    std::unordered_map<YAML::anchor_t, Value> m_anchors;
};

schema::Error located(schema::ErrorCode code, const YAML::Mark &mark, const std::string &message)
{
    return {code, "line " + std::to_string(mark.line + 1) + ", column " +
                      std::to_string(mark.column + 1) + ": " + message};
}

} // namespace

schema::Result<std::vector<ManifestJson>> parseYaml(std::string_view text)
{
    using schema::ErrorCode;
    if (text.size() > kMaxBytes)
        return {ErrorCode::LimitExceeded, "the manifest is longer than 16 MiB"};
    if (pipelines::findInvalidUtf8(text) != std::string_view::npos ||
        text.find('\0') != std::string_view::npos)
        return {ErrorCode::InvalidArgument, "the manifest is no UTF-8 text; save it as UTF-8"};
    if (text.starts_with("\xef\xbb\xbf"))
        text.remove_prefix(3);
    std::vector<ManifestJson> out;
    try {
        std::istringstream stream{std::string(text)};
        YAML::Parser parser(stream);
        Builder builder(text, out);
        while (parser.HandleNextDocument(builder)) {
        }
    } catch (const Stop &stop) {
        return located(stop.code, stop.mark, stop.message);
    } catch (const YAML::Exception &error) {
        return located(ErrorCode::InvalidArgument, error.mark, error.msg);
    } catch (const std::exception &error) {
        return {ErrorCode::LimitExceeded, error.what()};
    }
    return out;
}

schema::Result<std::vector<ManifestJson>> parseManifest(std::string_view text)
{
    auto out = parseYaml(text);
    if (!out)
        return out;
    for (const auto &object : *out) {
        if (!object.is_object() || !object.contains("kind") || !object["kind"].is_string())
            return {schema::ErrorCode::InvalidArgument,
                    "a document has no 'kind'; every document must be a Kubernetes object"};
    }
    return out;
}

} // namespace worker
