// SPDX-License-Identifier: Apache-2.0
// expect: this is not a source of detections
#include <padbatch/pad.hpp>

#include <vector>

using namespace padbatch;

// One container is enough for one field, not for two.
status pad_both(const padded_view<boxes<>, scores<>>& output, const std::vector<std::vector<float>>& image_boxes,
                const std::vector<std::vector<float>>& image_scores)
{
#ifdef PADBATCH_MUST_FAIL
    static_cast<void>(image_scores);
    return try_pad_into(output, image_boxes);
#else
    return try_pad_into(output, each(t::boxes(image_boxes), t::scores(image_scores)));
#endif
}
