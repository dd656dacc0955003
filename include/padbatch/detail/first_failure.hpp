// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_DETAIL_FIRST_FAILURE_HPP
#define PADBATCH_DETAIL_FIRST_FAILURE_HPP

#include <padbatch/error.hpp>

namespace padbatch::inline PADBATCH_ABI::detail {

[[nodiscard]] inline status first_failure() noexcept
{
    return {};
}

/// Calls the checks in order, up to the first one that fails, and returns its status; success if none fails. To check
/// each of several fields: `first_failure([&] { return check_field<Fields>(values); }...)`. Success copies no status.
template <class First, class... Rest>
[[nodiscard]] status first_failure(const First& first, const Rest&... rest) noexcept
{
    if (status outcome = first(); !outcome.ok()) [[unlikely]] {
        return outcome;
    }
    return first_failure(rest...);
}

} // namespace padbatch::inline PADBATCH_ABI::detail

#endif
