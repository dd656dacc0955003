// SPDX-License-Identifier: Apache-2.0
// expect: overflow::top_scores needs scores in the source
#include <padbatch/pad.hpp>

#include <vector>

using namespace padbatch;

status pad_boxes(const padded_view<boxes<>>& output, const std::vector<std::vector<float>>& image_boxes,
                 const std::vector<std::vector<float>>& image_scores)
{
#ifdef PADBATCH_MUST_FAIL
    static_cast<void>(image_scores);
    return try_pad_into(output, each(t::boxes(image_boxes)), overflow::top_scores);
#else
    return try_pad_into(output, each(t::boxes(image_boxes), t::scores(image_scores)), overflow::top_scores);
#endif
}
