// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_BENCH_RLE_MASKS_HPP
#define PADBATCH_BENCH_RLE_MASKS_HPP

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

namespace padbatch::bench {

inline constexpr std::size_t mask_height = 800;
inline constexpr std::size_t mask_width = 1333;
inline constexpr std::size_t region_cells = 28;

/// Region masks as a mask head gives them: a blob of probabilities with an uneven border, in boxes of 20 to 400 pixels
/// a side, all of them inside the image.
struct region_scene {
    std::vector<std::array<float, 4>> boxes;
    std::vector<float> regions;

    explicit region_scene(std::size_t n, std::uint32_t seed = 1)
    {
        std::mt19937 random(seed);
        const auto number = [&](double low, double high) {
            return static_cast<float>(std::uniform_real_distribution<double>(low, high)(random));
        };
        for (std::size_t j = 0; j < n; ++j) {
            const float w = number(20, 400);
            const float h = number(20, 400);
            const float x = number(0, static_cast<double>(mask_width) - double{w});
            const float y = number(0, static_cast<double>(mask_height) - double{h});
            boxes.push_back({x, y, x + w, y + h});
            const float lobes = number(2, 5);
            const float turn = number(0, 6);
            for (std::size_t r = 0; r < region_cells; ++r) {
                for (std::size_t c = 0; c < region_cells; ++c) {
                    const float dy = (static_cast<float>(r) - 13.5F) / 14;
                    const float dx = (static_cast<float>(c) - 13.5F) / 14;
                    const float border = 0.75F + 0.2F * std::sin(lobes * std::atan2(dy, dx) + turn);
                    const float inside = 8 * (border - std::sqrt(dy * dy + dx * dx)) + number(-0.5, 0.5);
                    regions.push_back(1 / (1 + std::exp(-inside)));
                }
            }
        }
    }
};

} // namespace padbatch::bench

#endif
