// SPDX-License-Identifier: Apache-2.0
// expect: deleted
#include <padbatch/counts.hpp>

#include <cstdint>
#include <vector>

using namespace padbatch;

// A view of wrong offsets is no overload at all, so that `std::is_constructible` says so.
#ifdef PADBATCH_MUST_FAIL
using offsets_type = std::vector<std::uint32_t>;
#else
using offsets_type = std::vector<std::int32_t>;
#endif

std::size_t images(const offsets_type& offsets)
{
    return offsets_view(offsets, 100).size();
}
