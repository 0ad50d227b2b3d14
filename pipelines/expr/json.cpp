#include "pipelines/expr/value.h"

namespace pipelines::expr {
namespace {

constexpr int kDeepest = 100;

void writeText(std::string &out, std::string_view text)
{
    constexpr const char *kHex = "0123456789abcdef";
    out += '"';
    for (const char c : text) {
        switch (c) {
        case '"':
            out += "\\\"";
            break;
        case '\\':
            out += "\\\\";
            break;
        case '\n':
            out += "\\n";
            break;
        case '\r':
            out += "\\r";
            break;
        case '\t':
            out += "\\t";
            break;
        case '\b':
            out += "\\b";
            break;
        case '\f':
            out += "\\f";
            break;
        default:
            if (static_cast<unsigned char>(c) < 0x20) {
                out += "\\u00";
                out += kHex[static_cast<unsigned char>(c) >> 4U];
                out += kHex[static_cast<unsigned char>(c) & 15U];
            } else {
                out += c;
            }
        }
    }
    out += '"';
}

void newLine(std::string &out, int depth)
{
    out += '\n';
    out.append(static_cast<std::size_t>(depth) * 2, ' ');
}

void write(std::string &out, const Value &value, int depth)
{
    if (depth > kDeepest)
        throw EvaluationError("Maximum object depth exceeded");
    switch (value.kind()) {
    case Kind::Null:
        out += "null";
        return;
    case Kind::Boolean:
        out += value.asBoolean() ? "true" : "false";
        return;
    case Kind::Number:
        out += value.asNumber().text();
        return;
    case Kind::Array: {
        const auto &items = value.asArray()->items;
        out += '[';
        for (std::size_t i = 0; i < items.size(); ++i) {
            out += i == 0 ? "" : ",";
            newLine(out, depth + 1);
            write(out, items[i], depth + 1);
        }
        if (!items.empty())
            newLine(out, depth);
        out += ']';
        return;
    }
    case Kind::Object: {
        const Object &object = *value.asObject();
        out += '{';
        for (std::size_t i = 0; i < object.size(); ++i) {
            out += i == 0 ? "" : ",";
            newLine(out, depth + 1);
            writeText(out, object.key(i));
            out += ": ";
            write(out, object.value(i), depth + 1);
        }
        if (object.size() != 0)
            newLine(out, depth);
        out += '}';
        return;
    }
    default:
        writeText(out, value.str());
    }
}

} // namespace

std::string toJson(const Value &value)
{
    std::string out;
    write(out, value, 0);
    return out;
}

} // namespace pipelines::expr
