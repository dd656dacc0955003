// SPDX-License-Identifier: Apache-2.0
// Pads detections that were made with xtensor into xtensor arrays. Only the rows themselves are copied.

#include <padbatch/adapters/xtensor.hpp>
#include <padbatch/padbatch.hpp>

#include <cstdint>
#include <cstdio>
#include <vector>

using namespace padbatch;

int main()
{
    // Rows x1, y1, x2, y2 of three images; the second has none.
    const std::vector<xt::xarray<float>> image_boxes{
        {{10, 20, 110, 220}, {30, 40, 50, 80}}, xt::xarray<float>::from_shape({0, 4}), {{0, 0, 64, 48}}};
    const std::vector<xt::xtensor<std::int64_t, 1>> image_labels{{17, 3}, {}, {1}};

    // What a consumer takes: [B, M, 4], [B, M] and a count for each image.
    xt::xtensor<float, 3> boxes_array({3, 4, 4});
    xt::xtensor<std::int32_t, 2> labels_array({3, 4});
    xt::xtensor<std::int32_t, 1> counts({3}, 0);
    const auto batch = from_tensors<boxes<>, labels<std::int32_t>>(xtensor::ref(counts), xtensor::ref(boxes_array),
                                                                   xtensor::ref(labels_array));
    pad_into(batch, each(t::boxes(image_boxes), t::labels(image_labels).as<std::int32_t>()), pad_values(t::labels(-1)));

    for (std::size_t i = 0; i < 3; ++i) {
        std::printf("image %zu: %d detections, labels", i, counts(i));
        for (std::size_t j = 0; j < 4; ++j) {
            std::printf(" %d", labels_array(i, j));
        }
        const auto rows = xtensor::view(batch.image(i)[t::boxes]);
        float right = 0;
        for (std::size_t j = 0; j < rows.shape()[0]; ++j) {
            right = rows(j, 2) > right ? rows(j, 2) : right;
        }
        std::printf(", up to x = %g\n", static_cast<double>(right));
    }
}
