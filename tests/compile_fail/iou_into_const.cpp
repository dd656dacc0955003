// SPDX-License-Identifier: Apache-2.0
// expect: results are float, in memory that can be written
#include <padbatch/detection/box_iou.hpp>

#include <vector>

using namespace padbatch;

#ifdef PADBATCH_MUST_FAIL
status compare(const std::vector<float>& out, const std::vector<float>& boxes)
#else
status compare(std::vector<float>& out, const std::vector<float>& boxes)
#endif
{
    return try_box_iou(out, t::boxes(boxes), t::boxes(boxes));
}
