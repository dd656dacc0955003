// SPDX-License-Identifier: Apache-2.0
// expect: rows are arrays of another length
#include <padbatch/padded_view.hpp>

#include <array>
#include <cstdint>
#include <vector>

using namespace padbatch;

#ifdef PADBATCH_MUST_FAIL
using box = std::array<float, 5>;
#else
using box = std::array<float, 4>;
#endif

float first(const std::vector<std::int32_t>& counts, const std::vector<box>& values)
{
    return padded_view(counts, 100, t::boxes(values)).image(0)[t::boxes][0][0];
}
