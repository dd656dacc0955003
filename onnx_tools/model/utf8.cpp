// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/model/utf8.hpp>

#include <cstddef>

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

} // namespace

bool is_plain_text(std::string_view text) noexcept
{
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto first = static_cast<unsigned char>(text[i]);
        if (first < 0x80) {
            if (first < ' ' || first == 0x7f) {
                return false;
            }
            continue;
        }
        if (first < 0xc2 || first > 0xf4) {
            return false;
        }
        auto rest = after(first);
        for (; rest.bytes > 0; --rest.bytes) {
            ++i;
            const auto next = static_cast<unsigned char>(i < text.size() ? text[i] : '\0');
            if (next < rest.lowest || next > rest.highest) {
                return false;
            }
            rest = {rest.bytes};
        }
    }
    return true;
}

} // namespace padbatch::onnx_tools
