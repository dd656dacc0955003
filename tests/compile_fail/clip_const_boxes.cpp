// SPDX-License-Identifier: Apache-2.0
// expect: the boxes are const, but the operation changes them in place
#include <padbatch/detection/boxes.hpp>

#include <vector>

using namespace padbatch;

#ifdef PADBATCH_MUST_FAIL
status clip_all(const std::vector<float>& boxes)
#else
status clip_all(std::vector<float>& boxes)
#endif
{
    return try_clip_boxes(t::boxes(boxes), {480, 640});
}
