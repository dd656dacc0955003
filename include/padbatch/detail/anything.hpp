// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_DETAIL_ANYTHING_HPP
#define PADBATCH_DETAIL_ANYTHING_HPP

#include <padbatch/config.hpp>

namespace padbatch::inline PADBATCH_ABI::detail {

/// What any argument converts to, or none. Beside `unpad(counts, capacity, values...)` there is an `unpad(anything,
/// ...)` that only a call which fits no other overload comes to: its sentence then says what is expected, where the
/// compiler would list the overloads and why each was not chosen.
struct anything {
    anything() noexcept = default;
    template <class T>
    anything(const T& /*argument*/) noexcept
    {
    }
};

/// Arguments of any kind, up to twelve.
#define PADBATCH_DETAIL_ANYTHING                                                                                       \
    detail::anything = {}, detail::anything = {}, detail::anything = {}, detail::anything = {}, detail::anything = {}, \
    detail::anything = {}, detail::anything = {}, detail::anything = {}, detail::anything = {}, detail::anything = {}, \
    detail::anything = {}, detail::anything = {}

/// False, for the `static_assert` of such an overload: not before it is chosen.
template <class Never>
inline constexpr bool chosen = sizeof(Never*) == 0;

} // namespace padbatch::inline PADBATCH_ABI::detail

#endif
