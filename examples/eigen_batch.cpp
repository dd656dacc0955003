// SPDX-License-Identifier: Apache-2.0
// Pads detections that were made with Eigen, one matrix per image, for a consumer of tensors, and reads its tensors as
// Eigen matrices again, without a copy.

#include <padbatch/adapters/eigen.hpp>
#include <padbatch/padbatch.hpp>

#include <cstdio>
#include <vector>

using namespace padbatch;

int main()
{
    // Column-major, which is Eigen's default, with one box x1, y1, x2, y2 in each row.
    std::vector<Eigen::MatrixX4f> image_boxes(3);
    image_boxes[0].resize(2, 4);
    image_boxes[0] << 10, 20, 110, 220, 30, 40, 50, 80;
    image_boxes[2].resize(1, 4);
    image_boxes[2] << 0, 0, 64, 48;
    std::vector<Eigen::VectorXf> image_scores{Eigen::Vector2f(0.9F, 0.4F), Eigen::VectorXf(), Eigen::VectorXf::Ones(1)};

    padded<boxes<>, scores<>> batch(3, 4);
    pad_into(batch, each(t::boxes(image_boxes), t::scores(image_scores)));

    for (const auto image : batch) {
        const auto corners = eigen::map(image[t::boxes]);
        const Eigen::VectorXf widths = corners.col(2) - corners.col(0);
        const Eigen::VectorXf heights = corners.col(3) - corners.col(1);
        const Eigen::VectorXf areas = widths.cwiseProduct(heights);
        std::printf("%zu detections of %g pixels, %g weighted by score\n", image.size(),
                    static_cast<double>(areas.sum()), static_cast<double>(areas.dot(eigen::map(image[t::scores]))));
    }
}
