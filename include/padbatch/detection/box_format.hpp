// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_DETECTION_BOX_FORMAT_HPP
#define PADBATCH_DETECTION_BOX_FORMAT_HPP

#include <padbatch/config.hpp>

namespace padbatch::inline PADBATCH_ABI {

/// What the four numbers of a box are: two corners, or one point and the size. y is down.
enum class box_format : unsigned char {
    /// x1, y1, x2, y2: torchvision and this library's default.
    xyxy,
    /// x1, y1, width, height: COCO, `cv::Rect`.
    xywh,
    /// Centre x, centre y, width, height: YOLO, DETR.
    cxcywh,
    /// y1, x1, y2, x2: TensorFlow.
    yxyx,
};

} // namespace padbatch::inline PADBATCH_ABI

#endif
