// SPDX-License-Identifier: Apache-2.0
// expect: the output has a field (see Out above) that the source lacks
#include <padbatch/pad.hpp>

#include <vector>

using namespace padbatch;

// An output field that nothing is copied to would be left as it was.
status pad_both(const padded_view<boxes<>, scores<>>& output, const std::vector<std::vector<float>>& image_boxes,
                const std::vector<std::vector<float>>& image_scores)
{
#ifdef PADBATCH_MUST_FAIL
    static_cast<void>(image_scores);
    return try_pad_into(output, each(t::boxes(image_boxes)));
#else
    return try_pad_into(output, each(t::boxes(image_boxes), t::scores(image_scores)));
#endif
}
