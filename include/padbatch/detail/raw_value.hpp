// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_DETAIL_RAW_VALUE_HPP
#define PADBATCH_DETAIL_RAW_VALUE_HPP

#include <padbatch/config.hpp>

#include <cstddef>
#include <cstring>

namespace padbatch::inline PADBATCH_ABI::detail {

/// The bytes of a value, initially zero. The type need not have a default constructor.
template <class T>
struct raw_value {
    alignas(T) std::byte bytes[sizeof(T)] = {};

    void set(const T& value) noexcept { std::memcpy(bytes, &value, sizeof(T)); }
    [[nodiscard]] bool operator==(const raw_value& other) const noexcept
    {
        return std::memcmp(bytes, other.bytes, sizeof(T)) == 0;
    }
};

} // namespace padbatch::inline PADBATCH_ABI::detail

#endif
