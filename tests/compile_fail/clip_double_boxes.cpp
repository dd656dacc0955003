// SPDX-License-Identifier: Apache-2.0
// expect: boxes must be float; convert others when they are padded
#include <padbatch/detection/boxes.hpp>

#include <vector>

using namespace padbatch;

#ifdef PADBATCH_MUST_FAIL
status clip_all(std::vector<double>& boxes)
#else
status clip_all(std::vector<float>& boxes)
#endif
{
    return try_clip_boxes(t::boxes(boxes), {480, 640});
}
