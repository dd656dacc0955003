// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_DETAIL_CONTIGUOUS_HPP
#define PADBATCH_DETAIL_CONTIGUOUS_HPP

#include <padbatch/config.hpp>

#include <array>
#include <concepts>
#include <cstddef>
#include <span>
#include <type_traits>
#include <utility>

namespace padbatch::inline PADBATCH_ABI::detail {

/// Memory with a container's `data()` and `size()`, whose elements are adjacent. (An array of another library that has
/// gaps, or another order, has iterators that are not contiguous.)
template <class R>
concept contiguous_values = requires(R& range) {
    { range.size() } -> std::convertible_to<std::size_t>;
    { *range.data() };
    { range.begin() } -> std::contiguous_iterator;
} && std::is_pointer_v<decltype(std::declval<R&>().data())>;

template <contiguous_values R>
using value_of = std::remove_pointer_t<decltype(std::declval<R&>().data())>;

/// A container of images: image i is at index i, from 0 to size() - 1. It is read through const, which `[]` of the
/// standard's maps does not allow: that inserts the keys that it does not find. The `[]` of other maps may, but keys
/// are not numbers of images; their iterators give them away.
template <class X>
concept image_container = requires(const X& images, std::size_t i) {
    { images.size() } -> std::convertible_to<std::size_t>;
    images[i];
} && (!requires(const X& images) { images.begin(); } || requires(const X& images) {
    { images.begin() } -> std::random_access_iterator;
});

template <class X>
inline constexpr bool is_span = false;
template <class T, std::size_t N>
inline constexpr bool is_span<std::span<T, N>> = true;
template <class X>
inline constexpr bool is_array = false;
template <class T, std::size_t N>
inline constexpr bool is_array<std::array<T, N>> = true;

/// Whether the memory behind an argument, whose type was deduced for `X&&`, outlives the call. It does for lvalues and
/// for views such as spans, but not for a temporary that owns its memory.
template <class X>
inline constexpr bool outlives_call =
    std::is_lvalue_reference_v<X> ||
    (std::is_trivially_destructible_v<std::remove_cvref_t<X>> && !is_array<std::remove_cvref_t<X>>);

/// A compile error, with the reason, if the memory of an argument does not outlive the call.
template <class... X>
consteval bool all_outlive_call() noexcept
{
    static_assert((outlives_call<X> && ...),
                  "a temporary that owns its memory would be gone before it is read: give a variable, or a span");
    return true;
}

/// The element type of a container that is written to.
template <class To>
using output_value = value_of<std::remove_reference_t<To>>;

} // namespace padbatch::inline PADBATCH_ABI::detail

#endif
