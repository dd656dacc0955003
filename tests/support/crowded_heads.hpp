// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_TESTS_SUPPORT_CROWDED_HEADS_HPP
#define PADBATCH_TESTS_SUPPORT_CROWDED_HEADS_HPP

#include <padbatch/float16.hpp>

#include <array>
#include <cstddef>
#include <random>
#include <vector>

// Numbers of raw heads that see crowds: hundreds of boxes that overlap.
namespace padbatch::test {

inline constexpr std::size_t anchors_of_image = 200;
inline constexpr int height_of_image = 64;
inline constexpr int width_of_image = 80;

/// A head as [anchors][columns], of one image.
using head_rows_of_image = std::vector<std::vector<float>>;

/// Crowds around a few places, so that most boxes overlap others; a third of the scores are equal to others.
inline head_rows_of_image crowd(std::mt19937& random, std::size_t columns, bool half)
{
    std::uniform_real_distribution<float> unit(0, 1);
    std::normal_distribution<float> near(0, 3);
    std::array<std::array<float, 2>, 5> places{};
    for (auto& place : places) {
        place = {10 + 60 * unit(random), 10 + 40 * unit(random)};
    }
    head_rows_of_image rows(anchors_of_image);
    for (auto& row : rows) {
        const auto& place = places[random() % places.size()];
        row = {place[0] + near(random), place[1] + near(random), 8 + 8 * unit(random), 8 + 8 * unit(random)};
        while (row.size() < columns) {
            const float score = unit(random) * unit(random);
            row.push_back(random() % 3 == 0 ? 0.5F : score);
        }
        if (half) { // numbers that float16 holds
            for (auto& number : row) {
                number = static_cast<float>(float16(number));
            }
        }
    }
    return rows;
}

/// The corners of a row that begins with a center and a size.
inline std::array<float, 4> corners_of_row(const std::vector<float>& row)
{
    const float half_width = row[2] * 0.5F;
    const float half_height = row[3] * 0.5F;
    return {row[0] - half_width, row[1] - half_height, row[0] + half_width, row[1] + half_height};
}

} // namespace padbatch::test

#endif
