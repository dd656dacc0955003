// SPDX-License-Identifier: Apache-2.0
// expect: rows can only be chosen by a field of one number a row
#include <padbatch/pad.hpp>

#include <vector>

using namespace padbatch;

status pad_boxes(const padded_view<boxes<>>& output, const std::vector<std::vector<float>>& image_boxes,
                 const std::vector<std::vector<float>>& image_scores)
{
#ifdef PADBATCH_MUST_FAIL
    const auto policy = overflow::top_scores_by(t::boxes);
#else
    const auto policy = overflow::top_scores_by(t::scores);
#endif
    return try_pad_into(output, each(t::boxes(image_boxes), t::scores(image_scores)), policy);
}
