// SPDX-License-Identifier: Apache-2.0
#include <padbatch/detection/box_format.hpp>
#include <padbatch/detection/boxes.hpp>

#include <doctest/doctest.h>

#include <array>
#include <vector>

using namespace padbatch;

TEST_CASE("each box format is another way to write the same box")
{
    const auto written = [](box_format format) {
        std::vector<std::array<float, 4>> boxes{{10, 20, 40, 80}};
        convert_boxes(t::boxes(boxes), box_format::xyxy, format);
        return boxes[0];
    };
    CHECK(written(box_format::xyxy) == std::array<float, 4>{10, 20, 40, 80});
    CHECK(written(box_format::xywh) == std::array<float, 4>{10, 20, 30, 60});
    CHECK(written(box_format::cxcywh) == std::array<float, 4>{25, 50, 30, 60});
    CHECK(written(box_format::yxyx) == std::array<float, 4>{20, 10, 80, 40});
}
