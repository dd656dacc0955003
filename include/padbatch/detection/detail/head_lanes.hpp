// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_DETECTION_DETAIL_HEAD_LANES_HPP
#define PADBATCH_DETECTION_DETAIL_HEAD_LANES_HPP

#include <padbatch/detection/detail/rounded.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace padbatch::inline PADBATCH_ABI::detail {

// Four numbers at a time, in registers that every processor has: reading a head is limited by memory, not by their
// width, and loops written out like this are as fast at -O2, where GCC leaves most others as they are.

/// Four floats.
typedef float head_lanes __attribute__((vector_size(16)));
/// Four comparisons: -1 where they hold, else 0. Or four integers.
typedef std::int32_t head_mask __attribute__((vector_size(16)));

inline constexpr std::size_t lane_count = 4;

// From and to any address. (Not by a reference to a type with a lower alignment: clang takes it to have the usual one.)
[[nodiscard]] PADBATCH_DETAIL_INLINE head_lanes load_lanes(const float* from) noexcept
{
    head_lanes value;
    std::memcpy(&value, from, sizeof value);
    return value;
}
[[nodiscard]] PADBATCH_DETAIL_INLINE head_mask load_lanes(const std::int32_t* from) noexcept
{
    head_mask value;
    std::memcpy(&value, from, sizeof value);
    return value;
}
PADBATCH_DETAIL_INLINE void store_lanes(float* to, head_lanes value) noexcept
{
    std::memcpy(to, &value, sizeof value);
}
PADBATCH_DETAIL_INLINE void store_lanes(std::int32_t* to, head_mask value) noexcept
{
    std::memcpy(to, &value, sizeof value);
}

[[nodiscard]] PADBATCH_DETAIL_INLINE head_lanes lanes_of(float number) noexcept
{
    return head_lanes{number, number, number, number};
}
[[nodiscard]] PADBATCH_DETAIL_INLINE head_mask lanes_of(std::int32_t number) noexcept
{
    return head_mask{number, number, number, number};
}

/// `a` where it is larger, else `b`: also where one of them is no number.
[[nodiscard]] PADBATCH_DETAIL_INLINE head_lanes larger(head_lanes a, head_lanes b) noexcept
{
    return a > b ? a : b;
}
/// `a` where it is smaller, else `b`.
[[nodiscard]] PADBATCH_DETAIL_INLINE head_lanes smaller(head_lanes a, head_lanes b) noexcept
{
    return a < b ? a : b;
}
[[nodiscard]] PADBATCH_DETAIL_INLINE bool any_lane(head_mask mask) noexcept
{
    typedef std::int64_t halves __attribute__((vector_size(16)));
    const auto all = reinterpret_cast<halves>(mask);
    return (all[0] | all[1]) != 0;
}

} // namespace padbatch::inline PADBATCH_ABI::detail

#endif
