// SPDX-License-Identifier: Apache-2.0
// Pads the outputs of a detector, one cv::Mat per image, to one batch; then reads each image's boxes as rectangles and
// its masks as cv::Mat headers that refer to the batch.

#include <padbatch/adapters/opencv.hpp>
#include <padbatch/padbatch.hpp>

#include <opencv2/core.hpp>

#include <cstdint>
#include <cstdio>
#include <vector>

using namespace padbatch;

int main()
{
    // Rows x1, y1, x2, y2, score of three images; the second has none. Masks are 4 x 6 pixels.
    const std::vector<cv::Mat> detections{(cv::Mat_<float>(2, 5) << 1, 0, 4, 2, 0.9F, 0, 0, 6, 4, 0.4F), cv::Mat(),
                                          (cv::Mat_<float>(1, 5) << 2, 1, 5, 4, 0.7F)};
    std::vector<cv::Mat> image_boxes;
    std::vector<cv::Mat> image_scores;
    for (const cv::Mat& rows : detections) {
        image_boxes.push_back(rows.empty() ? rows : rows.colRange(0, 4));
        image_scores.push_back(rows.empty() ? rows : rows.col(4));
    }
    padded<boxes<>, scores<>> batch(3, 2);
    pad_into(batch, each(t::boxes(image_boxes), t::scores(image_scores)));

    padded<masks<std::uint8_t>> mask_batch(3, 2, t::masks.shape(1, 4, 6));
    std::vector<cv::Rect2f> rects;
    std::vector<cv::Mat> mats;
    for (std::size_t i = 0; i < batch.size(); ++i) {
        opencv::to_rects(batch.image(i)[t::boxes], rects);

        // Drawn straight into the batch of masks.
        mask_batch.view().set_count(i, rects.size());
        opencv::to_mats(mask_batch.image(i)[t::masks], mats);
        for (std::size_t j = 0; j < rects.size(); ++j) {
            mats[j].setTo(0);
            mats[j](cv::Rect(rects[j])).setTo(255);
            std::printf("image %zu: score %.1f, %g x %g, a mask of %d pixels\n", i,
                        static_cast<double>(batch.image(i)[t::scores][j]), static_cast<double>(rects[j].width),
                        static_cast<double>(rects[j].height), cv::countNonZero(mats[j]));
        }
    }
}
