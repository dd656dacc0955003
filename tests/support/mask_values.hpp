// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_TESTS_SUPPORT_MASK_VALUES_HPP
#define PADBATCH_TESTS_SUPPORT_MASK_VALUES_HPP

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <fstream>
#include <string>
#include <vector>

namespace padbatch::test {

/// A case of tests/data/mask_values.bin, which make_mask_values.py describes.
struct mask_values {
    bool native = false;
    std::size_t n = 0;
    std::size_t prototypes_each = 0;
    std::array<std::size_t, 2> cells{};
    std::array<std::size_t, 2> image{};
    std::vector<float> boxes;
    std::vector<float> coefficients;
    std::vector<float> prototypes;
    std::vector<float> sums; // may be empty
    std::vector<std::uint8_t> bits;
    std::vector<float> mask_boxes;
    std::vector<std::int32_t> areas;

    [[nodiscard]] std::size_t pixels() const { return image[0] * image[1]; }
    [[nodiscard]] std::size_t row_bytes() const { return (image[1] + 7) / 8; }
};

inline std::vector<mask_values> read_mask_values()
{
    std::ifstream file(std::string(PADBATCH_TESTS_DATA) + "/mask_values.bin", std::ios::binary);
    const auto read = [&](auto& values, std::size_t n) {
        values.resize(n);
        auto* const bytes = reinterpret_cast<char*>(values.data());
        const std::size_t size = n * sizeof(values[0]);
        file.read(bytes, static_cast<std::streamsize>(size));
        if constexpr (std::endian::native == std::endian::big && sizeof(values[0]) == 4) {
            for (std::size_t k = 0; k < size; k += 4) {
                std::reverse(bytes + k, bytes + k + 4);
            }
        }
        return static_cast<bool>(file);
    };
    std::vector<mask_values> cases;
    std::vector<std::int32_t> numbers;
    while (read(numbers, 8)) {
        const auto size = [&](std::size_t k) { return static_cast<std::size_t>(numbers[k]); };
        mask_values values{
            numbers[0] != 0, size(1), size(2), {size(3), size(4)}, {size(5), size(6)}, {}, {}, {}, {}, {}, {}, {}};
        const std::size_t n = values.n;
        read(values.boxes, n * 4);
        read(values.coefficients, n * values.prototypes_each);
        read(values.prototypes, values.prototypes_each * values.cells[0] * values.cells[1]);
        read(values.sums, numbers[7] != 0 ? n * values.pixels() : 0);
        read(values.bits, n * values.image[0] * values.row_bytes());
        read(values.mask_boxes, n * 4);
        if (!read(values.areas, n)) {
            return {};
        }
        cases.push_back(values);
    }
    return cases;
}

} // namespace padbatch::test

#endif
