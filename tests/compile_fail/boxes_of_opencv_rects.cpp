// SPDX-License-Identifier: Apache-2.0
// expect: a class with a width and a height is not four corners
#include <padbatch/adapters/opencv.hpp>
#include <padbatch/pad.hpp>
#include <padbatch/xywh.hpp>

#include <vector>

using namespace padbatch;

status pad_rects(padded<boxes<int>>& output, const std::vector<std::vector<cv::Rect>>& rects)
{
#ifdef PADBATCH_MUST_FAIL
    return try_pad_into(output, each(t::boxes(rects).of<int>()));
#else
    return try_pad_into(output, each(t::boxes(xywh(rects))));
#endif
}
