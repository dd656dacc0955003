// SPDX-License-Identifier: Apache-2.0
#include <padbatch/detection/heads.hpp>

#include <doctest/doctest.h>

#include <array>
#include <cstdint>
#include <vector>

using namespace padbatch;

TEST_CASE("heads are descriptions, known when they are compiled, that differ in what exporters do")
{
    constexpr detector_head yolo = heads::yolov8(80);
    static_assert(yolo.anchors_last && !yolo.objectness && yolo.boxes == box_format::cxcywh);
    static_assert(yolo.class_columns() == 80 && yolo.further_columns() == 0);
    static_assert(heads::yolov8_seg(80).further_columns() == 32);
    static_assert(heads::yolov8_pose(1, 17).further_columns() == 51 &&
                  heads::yolov8_pose(1, 17, 2).further_columns() == 34);
    static_assert(heads::yolov5(80).objectness && !heads::yolov5(80).anchors_last);
    static_assert(heads::yolox(80, 640, 480).strides[2] == 32 && heads::yolox(80, 640, 480).width == 480);
    static_assert(heads::boxes_scores(3).boxes == box_format::xyxy);
    static_assert(heads::detr_softmax(91, 100, 800, 800).class_columns() == 92);
    static_assert(heads::detr_sigmoid(91, 100, 800, 800).class_columns() == 91);
    static_assert(yolo.selection.at_most == 300 && yolo.selection.suppression == head_suppression::shifted);
    CHECK(heads::detr_sigmoid(91, 100, 800, 800).normalized);
}

TEST_CASE("a head's output is one tensor, or boxes and scores in two")
{
    const std::vector<float> numbers(24);
    const std::array<std::int64_t, 3> shape{1, 6, 4};
    const const_tensor_ref all(numbers.data(), shape);
    const head_output joined(all);
    CHECK((joined.is_joined() && joined.boxes().data() == numbers.data()));
    const head_output two(all, const_tensor_ref(numbers.data() + 4, shape));
    CHECK((!two.is_joined() && two.scores().data() == numbers.data() + 4));
}
