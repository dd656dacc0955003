// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_DETECTION_AT_MOST_HPP
#define PADBATCH_DETECTION_AT_MOST_HPP

#include <padbatch/config.hpp>

#include <cstddef>
#include <type_traits>

namespace padbatch::inline PADBATCH_ABI {

/// Keeps at most this many rows of each image: those that come first in the order of the operation, such as the ones
/// with the highest scores for `nms`. An option.
class at_most {
public:
    constexpr explicit at_most(std::size_t rows) noexcept : m_rows(rows) {}

    [[nodiscard]] constexpr std::size_t rows() const noexcept { return m_rows; }

private:
    std::size_t m_rows;
};

namespace detail {

template <class T>
inline constexpr bool is_at_most = std::is_same_v<std::remove_cvref_t<T>, at_most>;

/// How many rows the options ask for at most.
[[nodiscard]] constexpr std::size_t rows_at_most() noexcept
{
    return static_cast<std::size_t>(-1);
}
template <class First, class... Rest>
[[nodiscard]] constexpr std::size_t rows_at_most(const First& first, const Rest&... rest) noexcept
{
    if constexpr (is_at_most<First>) {
        return first.rows();
    } else {
        return rows_at_most(rest...);
    }
}

} // namespace detail

} // namespace padbatch::inline PADBATCH_ABI

#endif
