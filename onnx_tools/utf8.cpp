// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/utf8.hpp>

#include <array>
#include <cstddef>
#include <utility>

namespace padbatch::onnx_tools {
namespace {

// How many bytes follow the first byte of a character, and the range that the next one must be in.
struct continuation {
    std::size_t bytes;
    unsigned char lowest = 0x80;
    unsigned char highest = 0xbf;
};

continuation after(unsigned char first) noexcept
{
    if (first < 0xe0) {
        return {1};
    }
    if (first < 0xf0) { // excludes what fits into two bytes, and surrogates
        return {2, static_cast<unsigned char>(first == 0xe0 ? 0xa0 : 0x80),
                static_cast<unsigned char>(first == 0xed ? 0x9f : 0xbf)};
    }
    return {3, static_cast<unsigned char>(first == 0xf0 ? 0x90 : 0x80),
            static_cast<unsigned char>(first == 0xf4 ? 0x8f : 0xbf)};
}

struct character {
    std::size_t bytes; // 0 where the text does not begin with a character
    unsigned code;
};

// The first character of a text that is not empty.
character first_of(std::string_view text) noexcept
{
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(i < text.size() ? text[i] : '\0'); };
    const unsigned char first = byte(0);
    if (first < 0x80) {
        return {1, first};
    }
    if (first < 0xc2 || first > 0xf4) {
        return {0, 0};
    }
    auto rest = after(first);
    const std::size_t bytes = rest.bytes + 1;
    unsigned code = first & (0x7fU >> bytes);
    for (std::size_t i = 1; i < bytes; ++i) {
        const unsigned char next = byte(i);
        if (next < rest.lowest || next > rest.highest) {
            return {0, 0};
        }
        code = (code << 6U) | (next & 0x3fU);
        rest = {1};
    }
    return {bytes, code};
}

bool is_control(unsigned code) noexcept
{
    return code < ' ' || (code >= 0x7f && code <= 0x9f);
}

// What a terminal acts on, or breaks a line at, or reorders a line for.
bool is_obeyed(unsigned code) noexcept
{
    constexpr std::array<std::pair<unsigned, unsigned>, 4> ranges{
        {{0x061c, 0x061c}, {0x200e, 0x200f}, {0x2028, 0x202e}, {0x2066, 0x2069}}};
    bool found = is_control(code);
    for (const auto& [first, last] : ranges) {
        found = found || (code >= first && code <= last);
    }
    return found;
}

void append_escaped(std::string& text, const char* mark, unsigned value, unsigned digits)
{
    text += mark;
    for (unsigned digit = digits; digit > 0; --digit) {
        text += "0123456789abcdef"[(value >> (4 * (digit - 1))) & 0xfU];
    }
}

std::string without_obeyed(std::string_view text, bool keep_line_feeds)
{
    std::string shown;
    while (!text.empty()) {
        const auto next = first_of(text);
        if (next.bytes == 0) {
            append_escaped(shown, "\\x", static_cast<unsigned char>(text.front()), 2);
        } else if (!is_obeyed(next.code) || (keep_line_feeds && next.code == '\n')) {
            shown += text.substr(0, next.bytes);
        } else if (next.code == '\n' || next.code == '\r' || next.code == '\t') {
            shown += next.code == '\n' ? "\\n" : next.code == '\r' ? "\\r" : "\\t";
        } else {
            append_escaped(shown, "\\u", next.code, 4);
        }
        text.remove_prefix(next.bytes == 0 ? 1 : next.bytes);
    }
    return shown;
}

} // namespace

bool is_plain_text(std::string_view text) noexcept
{
    while (!text.empty()) {
        const auto next = first_of(text);
        if (next.bytes == 0 || is_control(next.code)) {
            return false;
        }
        text.remove_prefix(next.bytes);
    }
    return true;
}

std::string printable(std::string_view text)
{
    return without_obeyed(text, false);
}

std::string printable_lines(std::string_view text)
{
    return without_obeyed(text, true);
}

} // namespace padbatch::onnx_tools
