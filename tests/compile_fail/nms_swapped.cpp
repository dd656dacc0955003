// SPDX-License-Identifier: Apache-2.0
// expect: the order is nms(t::boxes(boxes), t::scores(scores), threshold)
#include <padbatch/detection/nms.hpp>

#include <array>
#include <vector>

using namespace padbatch;

status suppress_all(row_numbers& kept, const std::vector<std::array<float, 4>>& boxes, const std::vector<float>& scores)
{
#ifdef PADBATCH_MUST_FAIL
    return try_nms(kept, t::scores(scores), t::boxes(boxes), 0.5);
#else
    return try_nms(kept, t::boxes(boxes), t::scores(scores), 0.5);
#endif
}
