// SPDX-License-Identifier: Apache-2.0
#include <padbatch/detection/rle.hpp>
#include <padbatch/detection/rle_sets.hpp>

#include <tests/support/check_status.hpp>

#include <doctest/doctest.h>

#include <array>
#include <cstdint>
#include <vector>

using namespace padbatch;
using padbatch::test::check_status;

namespace {

/// The run lengths of masks of 2 x 3, written as their six pixels column by column.
run_lengths runs_of(const std::vector<std::vector<int>>& masks)
{
    run_lengths result;
    for (const std::vector<int>& mask : masks) {
        std::vector<std::uint32_t> counts{0};
        int value = 0;
        for (const int pixel : mask) {
            if (pixel != value) {
                counts.push_back(0);
                value = pixel;
            }
            ++counts.back();
        }
        result.append({counts, 2, 3});
    }
    return result;
}

} // namespace

TEST_CASE("areas, boxes, unions and IoUs of run lengths are those of their pixels")
{
    const run_lengths runs = runs_of({{0, 1, 1, 1, 0, 0}, {0, 0, 1, 0, 1, 0}, {0, 0, 0, 0, 0, 0}});
    CHECK((rle_area(runs[0]) == 3 && rle_area(runs[2]) == 0));
    CHECK(rle_box(runs[1]) == std::array<std::uint32_t, 4>{1, 0, 2, 1}); // x, y, width, height
    run_lengths merged;
    rle_merge(merged, runs, rle_union);
    rle_merge(merged, runs[0], runs[1], rle_intersection);
    CHECK((rle_area(merged[0]) == 4 && rle_area(merged[1]) == 1));
    std::vector<double> matrix(9);
    rle_iou(matrix, runs, runs);
    CHECK((matrix[0] == 1 && matrix[1] == 1.0 / 4 && matrix[2] == 0 && matrix[3] == 1.0 / 4));
}

TEST_CASE("operations on sets of run lengths refuse results that do not fit")
{
    const run_lengths runs = runs_of({{0, 1, 1, 1, 0, 0}});
    std::vector<double> matrix(2);
    check_status(try_rle_iou(matrix, runs, runs), status_code::size_mismatch);
    run_lengths other;
    other.append({std::vector<std::uint32_t>{4}, 2, 2});
    check_status(try_rle_merge(other, runs[0], runs[0], rle_union), status_code::row_mismatch);
    CHECK(other.size() == 1);
}
