// SPDX-License-Identifier: Apache-2.0
// expect: the unchecked form takes pad_values(...) and overflow::truncate
#include <padbatch/pad.hpp>

#include <vector>

using namespace padbatch;

std::size_t pad_scores(const padded_view<scores<>>& output, const std::vector<std::vector<float>>& images)
{
#ifdef PADBATCH_MUST_FAIL
    return pad_into(unchecked, output, each(t::scores(images)), overflow::top_scores);
#else
    return pad_into(unchecked, output, each(t::scores(images)), overflow::truncate);
#endif
}
