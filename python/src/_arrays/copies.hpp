// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_PYTHON_ARRAYS_COPIES_HPP
#define PADBATCH_PYTHON_ARRAYS_COPIES_HPP

#include <_arrays/arrays.hpp>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <new>
#include <span>
#include <string>
#include <type_traits>

/// Copies of arrays, for `array`.
namespace padbatch::python {

/// Copies elements of `Bytes` bytes, which may be anywhere, to adjacent memory; returns its end.
template <std::size_t Bytes>
std::byte* copy_strided(std::byte* to, const std::byte* from, std::span<const std::int64_t> shape,
                        std::span<const std::int64_t> byte_strides)
{
    if (shape.empty()) {
        std::memcpy(to, from, Bytes);
        return to + Bytes;
    }
    const auto n = static_cast<std::size_t>(shape[0]);
    const std::int64_t stride = byte_strides[0];
    if (shape.size() > 1) {
        for (std::size_t j = 0; j < n; ++j, from += stride) {
            to = copy_strided<Bytes>(to, from, shape.subspan(1), byte_strides.subspan(1));
        }
        return to;
    }
    if (stride == static_cast<std::int64_t>(Bytes)) {
        std::memcpy(to, from, n * Bytes);
        return to + n * Bytes;
    }
    for (std::size_t j = 0; j < n; ++j, from += stride, to += Bytes) {
        std::memcpy(to, from, Bytes);
    }
    return to;
}

/// Copies elements that may be anywhere to adjacent memory.
inline void copy_all(void* to, const void* from, std::size_t bytes_each, std::span<const std::int64_t> shape,
                     std::span<const std::int64_t> byte_strides)
{
    for (const std::int64_t extent : shape) {
        if (extent == 0) {
            return;
        }
    }
    const auto copy_each = bytes_each == 1   ? copy_strided<1>
                           : bytes_each == 2 ? copy_strided<2>
                           : bytes_each == 4 ? copy_strided<4>
                                             : copy_strided<8>;
    copy_each(static_cast<std::byte*>(to), static_cast<const std::byte*>(from), shape, byte_strides);
}

[[nodiscard]] inline memory allocate(std::size_t elements, std::size_t bytes_each)
{
    memory made = memory::allocate(elements * bytes_each);
    if (made.data() == nullptr) {
        throw std::bad_alloc();
    }
    return made;
}

/// Numbers as int64; ValueError for one that is none. `name` is the argument's.
template <class From>
void convert_whole(std::int64_t* to, std::span<const From> from, const char* name)
{
    for (std::size_t j = 0; j < from.size(); ++j) {
        const From value = from[j];
        bool fits = true;
        if constexpr (std::is_floating_point_v<From>) {
            fits =
                value >= static_cast<From>(-0x1p63) && value < static_cast<From>(0x1p63) && std::trunc(value) == value;
        } else if constexpr (std::is_same_v<From, std::uint64_t>) {
            fits = value <= static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
        }
        if (!fits) {
            refuse_value(std::string(name) + "[" + std::to_string(j) + "] is " + std::to_string(value) +
                         "; expected a whole number within int64: round it, or leave the row out");
        }
        to[j] = static_cast<std::int64_t>(value);
    }
}

} // namespace padbatch::python

#endif
