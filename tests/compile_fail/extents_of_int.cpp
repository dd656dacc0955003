// SPDX-License-Identifier: Apache-2.0
// expect: std::span<const
#include <padbatch/extents.hpp>

#include <array>
#include <cstdint>

// Extents are 64-bit, as in ONNX; others are not converted behind the caller's back.
#ifdef PADBATCH_MUST_FAIL
using extent = int;
#else
using extent = std::int64_t;
#endif

std::int64_t elements(const std::array<extent, 3>& shape)
{
    return padbatch::element_count(shape);
}
