// SPDX-License-Identifier: Apache-2.0
// Test images that C++ and Python make identically, bit for bit (Python: scene() in tests/data/scenes.py).
#ifndef PADBATCH_TESTS_SUPPORT_SCENES_HPP
#define PADBATCH_TESTS_SUPPORT_SCENES_HPP

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace padbatch::test {

namespace detail {

// 32-bit linear congruential generator; the low byte of the state is dropped because it hardly varies.
class draws {
public:
    explicit draws(std::uint32_t seed) : m_state(seed * 2654435761U) {}

    // A number in [0, bound).
    int below(int bound)
    {
        m_state = m_state * 1664525U + 1013904223U;
        return static_cast<int>((m_state >> 8U) % static_cast<std::uint32_t>(bound));
    }

private:
    std::uint32_t m_state;
};

// Noise in [0, 32) that depends on the pixel and the seed alone.
inline int noise(std::uint32_t pixel, std::uint32_t seed)
{
    std::uint32_t mixed = pixel * 1664525U + seed * 2654435761U;
    mixed ^= mixed >> 15U;
    mixed = mixed * 747796405U + 1013904223U;
    mixed ^= mixed >> 13U;
    mixed *= 1664525U;
    return static_cast<int>(mixed >> 27U);
}

} // namespace detail

// An image of 3 x height x width floats in [0, 1), all multiples of 1/256. Seed 0 is black; any other seed gives
// rectangles and discs of one colour each on a noisy background.
inline std::vector<float> scene(unsigned seed, int height, int width)
{
    const auto pixels = static_cast<std::size_t>(height) * static_cast<std::size_t>(width);
    std::vector<float> image(3 * pixels, 0.0F);
    if (seed == 0) {
        return image;
    }
    const auto at = [&](int channel, int y, int x) {
        return static_cast<std::size_t>(channel) * pixels +
               static_cast<std::size_t>(y) * static_cast<std::size_t>(width) + static_cast<std::size_t>(x);
    };
    detail::draws draw(seed);
    for (int channel = 0; channel < 3; ++channel) {
        const int ground = draw.below(96);
        for (int y = 0; y < height; ++y) {
            for (int x = 0; x < width; ++x) {
                const std::size_t place = at(channel, y, x);
                image[place] =
                    static_cast<float>(ground + detail::noise(static_cast<std::uint32_t>(place), seed)) / 256.0F;
            }
        }
    }
    const int shapes = 1 + draw.below(6);
    for (int shape = 0; shape < shapes; ++shape) {
        const bool disc = draw.below(2) == 1;
        const int center_y = draw.below(height);
        const int center_x = draw.below(width);
        const int radius_y = 2 + draw.below(height / 4 + 1);
        const int radius_x = 2 + draw.below(width / 4 + 1);
        std::array<float, 3> color{};
        for (float& value : color) {
            value = static_cast<float>(draw.below(256)) / 256.0F;
        }
        const int reach_y = disc ? radius_x : radius_y;
        for (int y = std::max(0, center_y - reach_y); y <= std::min(height - 1, center_y + reach_y); ++y) {
            for (int x = std::max(0, center_x - radius_x); x <= std::min(width - 1, center_x + radius_x); ++x) {
                const int dy = y - center_y;
                const int dx = x - center_x;
                if (disc && dy * dy + dx * dx > radius_x * radius_x) {
                    continue;
                }
                for (int channel = 0; channel < 3; ++channel) {
                    image[at(channel, y, x)] = color[static_cast<std::size_t>(channel)];
                }
            }
        }
    }
    return image;
}

} // namespace padbatch::test

#endif
