// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/plan/options.hpp>

#include <onnx_tools/model/wording.hpp>

#include <charconv>
#include <system_error>

namespace padbatch::onnx_tools {
namespace {

template <typename Number>
std::optional<Number> read(std::string_view text)
{
    Number value{};
    const char* end = text.data() + text.size();
    const auto result = std::from_chars(text.data(), end, value);
    return result.ec == std::errc() && result.ptr == end ? std::optional(value) : std::nullopt;
}

} // namespace

std::string text_of(const number& value)
{
    const auto* real = std::get_if<double>(&value);
    return real != nullptr                               ? text_of_number(*real)
           : std::holds_alternative<std::int64_t>(value) ? std::to_string(std::get<std::int64_t>(value))
                                                         : std::to_string(std::get<std::uint64_t>(value));
}

std::optional<number> to_number(std::string_view text)
{
    const auto integer = read<std::int64_t>(text);
    if (integer && (*integer != 0 || text.front() != '-')) {
        return *integer;
    }
    if (const auto large = read<std::uint64_t>(text); large && !integer) {
        return *large;
    }
    const auto real = read<double>(text);
    return real ? std::optional<number>(*real) : std::nullopt;
}

} // namespace padbatch::onnx_tools
