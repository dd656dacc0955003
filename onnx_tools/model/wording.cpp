// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/model/wording.hpp>

#include <onnx_tools/utf8.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>

namespace padbatch::onnx_tools {
namespace {

template <typename Number>
std::string shortest(Number number)
{
    std::array<char, 32> text{}; // the longest double, -2.2250738585072014e-308, has 24 characters
    const auto result = std::to_chars(text.data(), text.data() + text.size(), number);
    return {text.data(), result.ptr};
}

// Both ends of a long name: the beginning tells what made it, and the end of a path is the file.
std::string short_form(std::string_view name, const std::string& quote)
{
    constexpr std::size_t most = 200;
    constexpr std::size_t head = 120;
    constexpr std::size_t tail = 60;
    if (name.size() <= most) {
        return quote + printable(name) + quote;
    }
    const auto within_character = [&](std::size_t i) { return (static_cast<unsigned char>(name[i]) & 0xc0U) == 0x80; };
    std::size_t end = head;
    std::size_t begin = name.size() - tail;
    for (int i = 0; i < 3 && within_character(end); ++i) {
        --end;
    }
    for (int i = 0; i < 3 && within_character(begin); ++i) {
        ++begin;
    }
    return quote + printable(name.substr(0, end)) + "..." + printable(name.substr(begin)) + quote + " (" +
           std::to_string(name.size()) + " bytes)";
}

} // namespace

std::string shown(const std::string& name)
{
    return short_form(name, "");
}

std::string quoted(const std::string& name)
{
    return short_form(name, "'");
}

std::string count_of(std::int64_t n, std::string_view what)
{
    return std::to_string(n) + " " + std::string(what) + (n == 1 ? "" : what.ends_with('s') ? "es" : "s");
}

std::string text_of_number(double number)
{
    const auto narrow = static_cast<float>(number);
    return static_cast<double>(narrow) == number ? shortest(narrow) : shortest(number);
}

std::string text_of_shape(const std::vector<dimension>& shape)
{
    return "[" +
           joined(shape, ", ",
                  [](const dimension& extent) {
                      return extent.size             ? std::to_string(*extent.size)
                             : extent.symbol.empty() ? "?"
                                                     : shown(extent.symbol);
                  }) +
           "]";
}

std::string text_of(const typed_value& value)
{
    const auto& type = value.type;
    if (!type.element) {
        return quoted(value.name) + " (not a tensor of numbers)";
    }
    const std::string shape = !type.rank           ? ", unknown rank"
                              : type.shape.empty() ? ", rank " + std::to_string(*type.rank)
                                                   : " " + text_of_shape(type.shape);
    return quoted(value.name) + " (" + name_of(*type.element) + shape + ")";
}

std::string list_of(const std::vector<typed_value>& values)
{
    constexpr std::size_t most = 12;
    const std::vector<typed_value> shown(values.begin(),
                                         values.begin() + static_cast<std::ptrdiff_t>(std::min(values.size(), most)));
    const auto text = joined(shown, ", ", [](const typed_value& value) { return text_of(value); });
    return values.empty()         ? "none"
           : values.size() > most ? text + ", and " + std::to_string(values.size() - most) + " more"
                                  : text;
}

} // namespace padbatch::onnx_tools
