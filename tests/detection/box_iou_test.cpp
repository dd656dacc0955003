// SPDX-License-Identifier: Apache-2.0
#include <padbatch/detection/box_iou.hpp>

#include <tests/support/box_data.hpp>
#include <tests/support/check_status.hpp>
#include <tests/support/count_allocations.hpp>
#include <tests/support/guarded.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <random>
#include <span>
#include <vector>

// Every operation is one rounding after the other, the same on every machine, so results are compared bit by bit.

using namespace padbatch;
using padbatch::test::allocation_counter;
using padbatch::test::boxes_of_every_kind;
using padbatch::test::check_error;
using padbatch::test::check_status;
using padbatch::test::count_different;
using padbatch::test::number_file;
using padbatch::test::plain_product;

namespace {

using iou_floats = std::vector<float>;

/// torch.max, torch.min and torch.clamp keep NaN.
float twin_max(float a, float b)
{
    return std::isnan(a) ? a : std::isnan(b) ? b : std::max(b, a);
}
float twin_min(float a, float b)
{
    return std::isnan(a) ? a : std::isnan(b) ? b : std::min(b, a);
}
float twin_width(float low, float high)
{
    const float width = high - low;
    return width < 0 ? 0 : width;
}
float twin_area(const float* b)
{
    return plain_product(b[2] - b[0], b[3] - b[1]);
}

/// As torchvision/ops/boxes.py reads.
float twin_measure(const float* a, const float* b, bool generalised)
{
    const float inter = plain_product(twin_width(twin_max(a[0], b[0]), twin_min(a[2], b[2])),
                                      twin_width(twin_max(a[1], b[1]), twin_min(a[3], b[3])));
    const float all = twin_area(a) + twin_area(b) - inter;
    const float iou = inter / all;
    if (!generalised) {
        return iou;
    }
    const float hull = plain_product(twin_width(twin_min(a[0], b[0]), twin_max(a[2], b[2])),
                                     twin_width(twin_min(a[1], b[1]), twin_max(a[3], b[3])));
    return iou - (hull - all) / hull;
}

/// The kernel for any processor, which the dispatch does not choose on most.
iou_floats measured_narrow(const iou_floats& a, const iou_floats& b, bool generalised)
{
    const std::size_t n = a.size() / 4;
    const std::size_t m = b.size() / 4;
    iou_floats out(n * m);
    for (std::size_t first = 0; first < m; first += detail::box_tile::most) {
        const std::size_t size = std::min(m - first, detail::box_tile::most);
        detail::box_tile tile;
        tile.load(size, [&](std::size_t j, float (&box)[4]) { std::copy_n(b.data() + 4 * (first + j), 4, box); });
        for (std::size_t i = 0; i < n; ++i) {
            float* const to = out.data() + i * m + first;
            if (generalised) {
                detail::pair_kernel_16::run<detail::pair_measure::giou>(to, a.data() + 4 * i, tile, size);
            } else {
                detail::pair_kernel_16::run<detail::pair_measure::iou>(to, a.data() + 4 * i, tile, size);
            }
        }
    }
    return out;
}

} // namespace

TEST_CASE("areas and matrices are torchvision's to the last bit")
{
    number_file file("boxes.bin"); // made by tests/data/make_boxes.py
    const iou_floats a = file.array();
    const iou_floats b = file.array();
    for (int k = 0; k < 16; ++k) {
        static_cast<void>(file.array()); // for boxes_test.cpp
    }
    iou_floats areas(48);
    box_areas(areas, t::boxes(a));
    CHECK(count_different(areas, file.array()) == 0);
    iou_floats matrix(48 * 37);
    box_iou(matrix, t::boxes(a), t::boxes(b));
    CHECK(count_different(matrix, file.array()) == 0);
    box_giou(matrix, t::boxes(a), t::boxes(b));
    CHECK(count_different(matrix, file.array()) == 0);
}

TEST_CASE("random boxes of every kind: matrices of all sizes are those of a plain loop")
{
    std::mt19937 random(3);
    const std::size_t sizes[] = {0, 1, 2, 3, 4, 5, 7, 8, 9, 16, 17, 31, 255, 256, 257, 300, 512, 513};
    for (const std::size_t m : sizes) {
        for (const std::size_t n : {std::size_t{0}, std::size_t{1}, std::size_t{5}}) {
            CAPTURE(n);
            CAPTURE(m);
            const iou_floats a = boxes_of_every_kind(random, n);
            const iou_floats b = boxes_of_every_kind(random, m);
            for (const bool generalised : {false, true}) {
                iou_floats expected;
                for (std::size_t i = 0; i < n; ++i) {
                    for (std::size_t j = 0; j < m; ++j) {
                        expected.push_back(twin_measure(a.data() + 4 * i, b.data() + 4 * j, generalised));
                    }
                }
                guarded<float> out(n * m, 4);
                if (generalised) {
                    box_giou(out, t::boxes(a), t::boxes(b));
                } else {
                    box_iou(out, t::boxes(a), t::boxes(b));
                }
                CHECK(count_different(out.span(), expected) == 0);
                CHECK(out.intact());
                CHECK(count_different(measured_narrow(a, b, generalised), expected) == 0);
            }
        }
        const iou_floats b = boxes_of_every_kind(random, m);
        iou_floats areas(m);
        iou_floats expected;
        for (std::size_t j = 0; j < m; ++j) {
            expected.push_back(twin_area(b.data() + 4 * j));
        }
        box_areas(areas, t::boxes(b));
        CHECK(count_different(areas, expected) == 0);
    }
}

TEST_CASE("what is no number and what is: a point with itself, boxes apart, inverted boxes")
{
    const iou_floats boxes = {5, 5, 5, 5, 0, 0, 2, 2, 8, 8, 10, 10, 2, 2, 0, 0};
    iou_floats matrix(16);
    box_iou(matrix, t::boxes(boxes), t::boxes(boxes));
    CHECK(std::isnan(matrix[0])); // 0 / 0
    CHECK(matrix[1 * 4 + 1] == 1);
    CHECK(matrix[1 * 4 + 2] == 0);
    CHECK(matrix[3 * 4 + 3] == 0); // an inverted box overlaps nothing; its area is 4
    box_giou(matrix, t::boxes(boxes), t::boxes(boxes));
    CHECK(std::isnan(matrix[0]));
    CHECK(matrix[1 * 4 + 1] == 1);
    CHECK(matrix[1 * 4 + 2] == doctest::Approx(0 - 92.0 / 100)); // the hull is 10 x 10, the union 8
}

TEST_CASE("boxes are read from any rows, nothing is allocated, and both sides may be the same")
{
    std::mt19937 random(4);
    const iou_floats flat = boxes_of_every_kind(random, 20);
    iou_floats expected(400);
    box_iou(expected, t::boxes(flat), t::boxes(flat));

    iou_floats wide; // columns 1 to 4 of six
    std::vector<iou_floats> apart;
    std::vector<std::array<float, 4>> arrays;
    for (std::size_t j = 0; j < 20; ++j) {
        const float* const b = flat.data() + 4 * j;
        wide.insert(wide.end(), {-1, b[0], b[1], b[2], b[3], -1});
        apart.push_back({b[0], b[1], b[2], b[3]});
        arrays.push_back({b[0], b[1], b[2], b[3]});
    }
    const strided_rows<const float, 4> strided(wide.data() + 1, 20, {}, {6 * sizeof(float)});
    iou_floats matrix(400);
    const allocation_counter counter;
    box_iou(matrix, t::boxes(strided), t::boxes(apart));
    CHECK(count_different(matrix, expected) == 0);
    box_iou(matrix, t::boxes(arrays), t::boxes(flat));
    const std::size_t allocations = counter.count();
    CHECK(allocations == 0);
    CHECK(count_different(matrix, expected) == 0);
}

TEST_CASE("memory of another size, or that of the boxes, is refused, and nothing is written")
{
    iou_floats a = {0, 0, 2, 2, 1, 1, 3, 3, 5, 5, 6, 6};
    const iou_floats b = {0, 0, 2, 2, 1, 1, 3, 3};
    const iou_floats before = a;
    guarded<float> out(6);
    check_status(try_box_iou(out.span().first(5), t::boxes(a), t::boxes(b)), status_code::size_mismatch,
                 {"room for 5 numbers", "3 and 2 boxes have 6 pairs"});
    check_status(try_box_giou(out, t::boxes(b), t::boxes(b)), status_code::size_mismatch, {"4 pairs"});
    check_status(try_box_areas(out, t::boxes(b)), status_code::size_mismatch, {"room for 6", "2 boxes"});
    check_status(try_box_iou(out, t::boxes(std::span(a).first(11)), t::boxes(b)), status_code::size_mismatch, {"11"});
    const iou_floats fives(10);
    check_status(try_box_iou(out, t::boxes(fives, 5), t::boxes(b)), status_code::row_mismatch);
    CHECK(out.untouched());
    check_status(try_box_iou(std::span(a).first(6), t::boxes(a), t::boxes(b)), status_code::overlap,
                 {"the first boxes"});
    check_status(try_box_iou(std::span(a).first(6), t::boxes(b), t::boxes(a)), status_code::overlap,
                 {"the second boxes"});
    check_status(try_box_areas(std::span(a).last(3), t::boxes(a)), status_code::overlap, {"the boxes"});
    CHECK(a == before);
    check_error([&] { box_iou(out, t::boxes(b), t::boxes(b)); }, status_code::size_mismatch);
    check_error([&] { box_giou(out, t::boxes(b), t::boxes(b)); }, status_code::size_mismatch);
    check_error([&] { box_areas(out, t::boxes(b)); }, status_code::size_mismatch);
}
