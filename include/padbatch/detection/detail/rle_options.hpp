// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_DETECTION_DETAIL_RLE_OPTIONS_HPP
#define PADBATCH_DETECTION_DETAIL_RLE_OPTIONS_HPP

#include <padbatch/detail/buffer.hpp>
#include <padbatch/detail/first_failure.hpp>
#include <padbatch/error.hpp>
#include <padbatch/pad_options.hpp>
#include <padbatch/rows_of.hpp>

#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace padbatch::inline PADBATCH_ABI {

namespace detail {

template <class... Options>
consteval bool rle_options_known() noexcept
{
    static_assert((std::is_same_v<Options, workspace> && ...),
                  "the only option here is a workspace, which is a variable");
    return true;
}

/// The scratch memory of the workspace among the options, or `own`.
template <class... Options>
[[nodiscard]] buffer<std::byte>& rle_scratch(buffer<std::byte>& own, Options&... options) noexcept
{
    workspace* const space = find_option<workspace>(options...);
    return space == nullptr ? own : pad_access::scratch(*space);
}

[[nodiscard]] inline status no_memory_for_rle() noexcept
{
    return {status_code::out_of_memory, "not enough memory for run lengths, or for finding them"};
}

template <class T>
inline constexpr bool is_pixel = std::is_same_v<T, std::uint8_t> || std::is_same_v<T, bool>;

/// Checks data of one image that is named by tags.
template <class... Bounds>
[[nodiscard]] status check_bounds(const Bounds&... bounds) noexcept
{
    return first_failure([&] { return check_rows<Bounds>(bounds.value, bounds.row); }...);
}

} // namespace detail

} // namespace padbatch::inline PADBATCH_ABI

#endif
