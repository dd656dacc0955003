// SPDX-License-Identifier: Apache-2.0
// expect: rows are copied as bytes: their type must be trivially copyable
#include <padbatch/padded_view.hpp>

#include <cstdint>
#include <string>
#include <vector>

using namespace padbatch;

#ifdef PADBATCH_MUST_FAIL
using value = std::string;
#else
using value = std::int32_t;
#endif

std::size_t first(const std::vector<std::int32_t>& counts, const std::vector<value>& values)
{
    return padded_view(counts, 100, t::values(values)).image(0).size();
}
