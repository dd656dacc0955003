// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_ONNX_TOOLS_MODEL_WORDING_HPP
#define PADBATCH_ONNX_TOOLS_MODEL_WORDING_HPP

#include <onnx_tools/model/value_types.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// How messages and reports put names, numbers and types into words.
namespace padbatch::onnx_tools {

/// A name or a path, made `printable`. More than 200 bytes are shortened in the middle, and their number follows:
/// `onnx::Concat...tail (1000000 bytes)`.
[[nodiscard]] std::string shown(const std::string& name);

/// The same in quotes: `'boxes'`, `'onnx::Concat...tail' (1000000 bytes)`.
[[nodiscard]] std::string quoted(const std::string& name);

/// The texts that `to_text` makes from the items, with `separator` between them.
template <class Items, class ToText>
[[nodiscard]] std::string joined(const Items& items, std::string_view separator, const ToText& to_text)
{
    std::string text;
    bool first = true;
    for (const auto& item : items) {
        text += first ? std::string_view() : separator;
        text += to_text(item);
        first = false;
    }
    return text;
}

/// The values of an enumeration, each with the word that the command and reports have for it.
template <class T, std::size_t N>
using words = std::array<std::pair<T, std::string_view>, N>;

/// The word for `value`; empty if `all` has none.
template <class T, std::size_t N>
[[nodiscard]] constexpr std::string_view word_for(const words<T, N>& all, T value) noexcept
{
    for (const auto& [known, word] : all) {
        if (known == value) {
            return word;
        }
    }
    return "";
}

/// The value that has this word; nothing if `all` has no such word.
template <class T, std::size_t N>
[[nodiscard]] constexpr std::optional<T> value_for(const words<T, N>& all, std::string_view word) noexcept
{
    for (const auto& [value, known] : all) {
        if (known == word) {
            return value;
        }
    }
    return std::nullopt;
}

/// Each word with its value, in the order of `all`.
template <class T, std::size_t N>
[[nodiscard]] std::vector<std::pair<std::string, T>> listed(const words<T, N>& all)
{
    std::vector<std::pair<std::string, T>> result;
    for (const auto& [value, word] : all) {
        result.emplace_back(word, value);
    }
    return result;
}

/// `1 row`, `2 rows`.
[[nodiscard]] std::string count_of(std::int64_t n, std::string_view what);

/// The shortest text that reads back as the same number. A number that float32 holds exactly is written as float32
/// would be: `0.05`, not `0.05000000074505806`.
[[nodiscard]] std::string text_of_number(double number);

/// `[2, max_detections, 4]`, with symbols as `shown` shows them; `?` where an extent has neither a size nor a symbol.
[[nodiscard]] std::string text_of_shape(const std::vector<dimension>& shape);

/// `'boxes' (float32 [n, 4])`, or as much of it as is known.
[[nodiscard]] std::string text_of(const typed_value& value);
/// At most the first 12 of `values`, and how many more there are; `none` when there are none.
[[nodiscard]] std::string list_of(const std::vector<typed_value>& values);

} // namespace padbatch::onnx_tools

#endif
