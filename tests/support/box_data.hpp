// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_TESTS_SUPPORT_BOX_DATA_HPP
#define PADBATCH_TESTS_SUPPORT_BOX_DATA_HPP

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <limits>
#include <random>
#include <span>
#include <string>
#include <vector>

namespace padbatch::test {

/// A file of tests/data that holds numbers, the lowest byte first.
class number_file {
public:
    explicit number_file(const char* name) : m_file(std::string(PADBATCH_TESTS_DATA) + "/" + name, std::ios::binary) {}

    /// Whether all `values`, a container of numbers, could be read.
    template <class Values>
    bool read(Values& values)
    {
        constexpr std::size_t width = sizeof(values[0]);
        auto* const bytes = reinterpret_cast<char*>(values.data());
        const std::size_t size = values.size() * width;
        m_file.read(bytes, static_cast<std::streamsize>(size));
        for (std::size_t k = 0; std::endian::native == std::endian::big && k < size; k += width) {
            std::reverse(bytes + k, bytes + k + width);
        }
        return static_cast<bool>(m_file);
    }
    /// An array with its number of values before it.
    std::vector<float> array()
    {
        std::array<std::int32_t, 1> size{};
        read(size);
        std::vector<float> values(static_cast<std::size_t>(size[0]));
        read(values);
        return values;
    }

private:
    std::ifstream m_file;
};

/// The number of values that differ: in a bit, but any NaN is like any other.
inline std::size_t count_different(std::span<const float> a, std::span<const float> b)
{
    std::size_t n = a.size() == b.size() ? 0 : 1;
    for (std::size_t k = 0; k < std::min(a.size(), b.size()); ++k) {
        const bool same = std::bit_cast<std::uint32_t>(a[k]) == std::bit_cast<std::uint32_t>(b[k]);
        n += same || (std::isnan(a[k]) && std::isnan(b[k])) ? 0 : 1;
    }
    return n;
}

/// n boxes of every kind as flat corners: ordinary, inverted, empty, touching, not finite, huge, subnormal.
inline std::vector<float> boxes_of_every_kind(std::mt19937& random, std::size_t n)
{
    constexpr float inf = std::numeric_limits<float>::infinity();
    const float odd[] = {0, 10, 10, 640, std::numeric_limits<float>::quiet_NaN(), inf, -inf, 3e38F, 1e-40F, -5};
    std::uniform_real_distribution<float> place(-50, 600);
    std::exponential_distribution<float> side(1.0F / 80);
    std::vector<float> values;
    for (std::size_t j = 0; j < n; ++j) {
        const float x = place(random);
        const float y = place(random);
        std::array<float, 4> box = {x, y, x + side(random), y + side(random)};
        if (random() % 4 == 0) {
            box[random() % 4] = odd[random() % std::size(odd)];
        }
        values.insert(values.end(), box.begin(), box.end());
    }
    return values;
}

/// A product that no compiler fuses with a sum.
inline float plain_product(float a, float b)
{
    volatile float result = a * b;
    return result;
}

} // namespace padbatch::test

#endif
