// SPDX-License-Identifier: Apache-2.0
#include <padbatch/detection/boxes.hpp>

#include <padbatch/pad.hpp>
#include <padbatch/slots.hpp>
#include <padbatch/unpad.hpp>

#include <tests/support/box_data.hpp>
#include <tests/support/check_status.hpp>
#include <tests/support/count_allocations.hpp>
#include <tests/support/guarded.hpp>

#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <span>
#include <string>
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

using box_floats = std::vector<float>;
using box_corners = std::array<float, 4>;
constexpr float box_nan = std::numeric_limits<float>::quiet_NaN();
constexpr float box_inf = std::numeric_limits<float>::infinity();
constexpr box_format box_formats[] = {box_format::xyxy, box_format::xywh, box_format::cxcywh, box_format::yxyx};

template <class Change>
box_floats boxes_after(const box_floats& before, const Change& change)
{
    guarded<float> memory(before.size(), 4); // not aligned to a vector
    std::copy(before.begin(), before.end(), memory.begin());
    change(memory);
    CHECK(memory.intact());
    return {memory.begin(), memory.end()};
}

/// One box, format by format, as torchvision/ops/_box_convert.py reads.
box_corners twin_convert(const box_corners& b, box_format from, box_format to)
{
    if (from == to) {
        return b;
    }
    box_corners c = b;
    if (from == box_format::xywh) {
        c = {b[0], b[1], b[0] + b[2], b[1] + b[3]};
    } else if (from == box_format::cxcywh) {
        const float w = plain_product(0.5F, b[2]);
        const float h = plain_product(0.5F, b[3]);
        c = {b[0] - w, b[1] - h, b[0] + w, b[1] + h};
    } else if (from == box_format::yxyx) {
        c = {b[1], b[0], b[3], b[2]};
    }
    switch (to) {
    case box_format::xywh: return {c[0], c[1], c[2] - c[0], c[3] - c[1]};
    case box_format::cxcywh: return {(c[0] + c[2]) / 2, (c[1] + c[3]) / 2, c[2] - c[0], c[3] - c[1]};
    case box_format::yxyx: return {c[1], c[0], c[3], c[2]};
    case box_format::xyxy: break;
    }
    return c;
}

std::vector<std::int64_t> numbers_in(const row_numbers& kept)
{
    return {kept.begin(), kept.end()};
}

/// Three images of 3, 0 and 2 boxes; each box has its number as its score.
ragged<boxes<>, scores<>> five_boxes()
{
    ragged<boxes<>, scores<>> batch;
    const box_floats first = {-5, 2, 30, 40, 7, 7, 7, 9, 1, 2, 900, 950};
    const box_floats last = {3, 4, 5, 5, box_nan, 1, 50, 60};
    batch.append(t::boxes(first), t::scores(box_floats{0, 1, 2}));
    batch.end_image();
    batch.end_image();
    batch.append(t::boxes(last), t::scores(box_floats{3, 4}));
    batch.end_image();
    return batch;
}

/// The real rows of a batch, one image after the other.
template <class Batch>
box_floats boxes_in(const Batch& batch)
{
    box_floats all;
    for (std::size_t i = 0; i < batch.size(); ++i) {
        const auto rows = batch.image(i)[t::boxes];
        all.insert(all.end(), rows.flat().begin(), rows.flat().end());
    }
    return all;
}

} // namespace

TEST_CASE("boxes are changed as torchvision changes them, to the last bit")
{
    number_file file("boxes.bin"); // made by tests/data/make_boxes.py
    const box_floats a = file.array();
    REQUIRE(a.size() == 48 * 4);
    static_cast<void>(file.array()); // for box_iou_test.cpp
    using enum box_format;
    const box_format pairs[][2] = {{xyxy, xywh},   {xyxy, cxcywh}, {xywh, xyxy},
                                   {xywh, cxcywh}, {cxcywh, xyxy}, {cxcywh, xywh}};
    for (const auto& pair : pairs) {
        CAPTURE(static_cast<int>(pair[0]));
        CAPTURE(static_cast<int>(pair[1]));
        const auto change = [&](auto& x) { convert_boxes(t::boxes(x), pair[0], pair[1]); };
        CHECK(count_different(boxes_after(a, change), file.array()) == 0);
    }
    const auto same = [&](const auto& change) { CHECK(count_different(boxes_after(a, change), file.array()) == 0); };
    same([](auto& x) { clip_boxes(t::boxes(x), {480, 640}); });
    same([](auto& x) { clip_boxes(t::boxes(x), {0, 333}); });
    same([](auto& x) { resize_boxes(t::boxes(x), {480, 640}, {800, 1067}); });
    same([](auto& x) { resize_boxes(t::boxes(x), {1067, 799}, {333, 1}); });
    same([](auto& x) { normalize_boxes(t::boxes(x), {427, 640}); });
    same([](auto& x) { unnormalize_boxes(t::boxes(x), {427, 640}); });
    for (const float least : {0.0F, 0.1F, 1.0F, 30.7F}) {
        const row_numbers kept = remove_small_boxes(t::boxes(a), least);
        CHECK(box_floats(kept.begin(), kept.end()) == file.array());
    }
}

TEST_CASE("random boxes of every kind are converted between all formats as a plain loop does it")
{
    std::mt19937 random(1);
    for (std::size_t n = 0; n < 40; ++n) {
        const box_floats before = boxes_of_every_kind(random, n);
        for (const box_format from : box_formats) {
            for (const box_format to : box_formats) {
                box_floats expected;
                for (std::size_t j = 0; j < n; ++j) {
                    const box_corners box = twin_convert(
                        {before[4 * j], before[4 * j + 1], before[4 * j + 2], before[4 * j + 3]}, from, to);
                    expected.insert(expected.end(), box.begin(), box.end());
                }
                const auto change = [&](auto& x) { convert_boxes(t::boxes(x), from, to); };
                CHECK(count_different(boxes_after(before, change), expected) == 0);
            }
        }
    }
    const box_floats zeros = {-0.0F, 0, -0.0F, -0.0F}; // -0 in numbers that are not computed stays
    for (const box_format to : box_formats) {
        CHECK(std::signbit(boxes_after(zeros, [&](auto& x) {
            convert_boxes(t::boxes(x), box_format::xyxy, to);
        })[to == box_format::yxyx ? 1 : 0]));
    }
}

TEST_CASE("random boxes are scaled, shifted and dropped as a plain loop does it")
{
    std::mt19937 random(2);
    for (std::size_t n = 0; n < 60; ++n) {
        const box_floats before = boxes_of_every_kind(random, n);
        box_floats scaled(4 * n);
        box_floats shifted(4 * n);
        for (std::size_t k = 0; k < 4 * n; ++k) {
            scaled[k] = before[k] * (k % 2 == 0 ? 0.7F : -1.3F);
            shifted[k] = before[k] + (k % 2 == 0 ? 11.3F : -0.1F);
        }
        CHECK(count_different(boxes_after(before, [](auto& x) { scale_boxes(t::boxes(x), 0.7F, -1.3F); }), scaled) ==
              0);
        CHECK(count_different(boxes_after(before, [](auto& x) { shift_boxes(t::boxes(x), 11.3F, -0.1F); }), shifted) ==
              0);
        std::vector<std::int64_t> large;
        std::vector<std::int64_t> proper;
        for (std::size_t j = 0; j < n; ++j) {
            const float* const b = before.data() + 4 * j;
            if (b[2] - b[0] >= 25 && b[3] - b[1] >= 25) {
                large.push_back(static_cast<std::int64_t>(j));
            }
            if (b[2] > b[0] && b[3] > b[1]) {
                proper.push_back(static_cast<std::int64_t>(j));
            }
        }
        row_numbers kept;
        remove_small_boxes(kept, t::boxes(before), 25);
        CHECK(numbers_in(kept) == large);
        remove_degenerate_boxes(kept, t::boxes(before));
        CHECK(numbers_in(kept) == proper);
        CHECK(numbers_in(remove_degenerate_boxes(t::boxes(before))) == proper);
    }
}

TEST_CASE("NaN, infinity and zeros: clipping keeps NaN and -0, dropping drops NaN")
{
    const box_floats before = {box_nan, -0.0F, box_inf, -box_inf, -1, 700, 641, 480};
    const box_floats clipped = boxes_after(before, [](auto& x) { clip_boxes(t::boxes(x), {480, 640}); });
    CHECK(count_different(clipped, box_floats{box_nan, -0.0F, 640, 0, 0, 480, 640, 480}) == 0);
    const std::vector<box_corners> all = {
        {box_nan, 0, 9, 9},        {0, 0, 9, box_nan}, {0, 0, box_inf, box_inf},   {9, 9, 0, 0}, {3, 3, 3, 9},
        {-box_inf, 0, box_inf, 9}, {0, 0, 9, 9},       {box_inf, 0, box_inf, 9.0F}};
    CHECK(numbers_in(remove_degenerate_boxes(t::boxes(all))) == std::vector<std::int64_t>{2, 5, 6});
    CHECK(numbers_in(remove_small_boxes(t::boxes(all), 0)) == std::vector<std::int64_t>{2, 4, 5, 6});
}

TEST_CASE("boxes are taken in any container of adjacent floats")
{
    std::vector<box_corners> arrays = {{1, 2, 3, 4}, {5, 6, 7, 8}};
    shift_boxes(t::boxes(arrays), 1, 2);
    CHECK(arrays[1] == box_corners{6, 8, 8, 10});
    box_floats flat = {1, 2, 3, 4};
    shift_boxes(t::boxes(std::span(flat)), 1, 2);
    CHECK(flat == box_floats{2, 4, 4, 6});
    struct corners {
        float x1, y1, x2, y2;
    };
    std::vector<corners> structs = {{1, 2, 3, 4}};
    scale_boxes(t::boxes(structs).of<float>(), 2, 3);
    CHECK(structs[0].y2 == 12);
    auto batch = pad(five_boxes());
    scale_boxes(t::boxes(batch.image(0)[t::boxes]), 2, 1);
    CHECK(batch.image(0)[t::boxes][0][2] == 60);
    box_floats none;
    clip_boxes(t::boxes(none), {4, 5});
    CHECK(remove_small_boxes(t::boxes(none), 1).empty());
}

TEST_CASE("a batch of any kind is changed image by image, and its padding is not touched")
{
    const std::vector<image_size> sizes = {{20, 10}, {1, 1}, {40, 30}};
    const std::vector<image_size> others = {{30, 20}, {5, 5}, {7, 90}};
    const auto check_one = [&](const auto& change_rows, const auto& change_batch) {
        ragged<boxes<>, scores<>> rows = five_boxes();
        for (std::size_t i = 0; i < rows.size(); ++i) {
            auto image = rows.image(i)[t::boxes];
            change_rows(t::boxes(image), i);
        }
        const box_floats expected = boxes_in(rows);
        ragged<boxes<>, scores<>> owner = five_boxes();
        change_batch(owner);
        CHECK(count_different(boxes_in(owner), expected) == 0);
        auto to_view = five_boxes();
        change_batch(to_view.view()); // a ragged view too: no row moves
        CHECK(count_different(boxes_in(to_view), expected) == 0);
        auto batch = pad(five_boxes(), pad_values(t::boxes(-7.0F)), capacity::fixed(4));
        change_batch(batch);
        CHECK(count_different(boxes_in(batch), expected) == 0);
        auto again = pad(five_boxes(), pad_values(t::boxes(-7.0F)), capacity::fixed(4));
        change_batch(again.view());
        CHECK(count_different(boxes_in(again), expected) == 0);
        for (std::size_t i = 0; i < 3; ++i) {
            for (std::size_t j = batch.count(i); j < 4; ++j) {
                CHECK(batch.slot(i)[t::boxes][j][3] == -7);
                CHECK(again.slot(i)[t::boxes][j][3] == -7);
            }
        }
        CHECK(batch.image(2)[t::scores][1] == 4);
    };
    check_one([&](const auto& x, std::size_t i) { clip_boxes(x, sizes[i]); },
              [&](auto&& batch) { clip_boxes(batch, sizes); });
    check_one([&](const auto& x, std::size_t) { clip_boxes(x, {20, 10}); },
              [&](auto&& batch) { clip_boxes(batch, {20, 10}); });
    check_one([&](const auto& x, std::size_t i) { resize_boxes(x, sizes[i], others[i]); },
              [&](auto&& batch) { resize_boxes(batch, std::span(sizes), others); });
    check_one([&](const auto& x, std::size_t i) { resize_boxes(x, {3, 4}, others[i]); },
              [&](auto&& batch) { resize_boxes(batch, image_size{3, 4}, others); });
    check_one([&](const auto& x, std::size_t i) { normalize_boxes(x, sizes[i]); },
              [&](auto&& batch) { normalize_boxes(batch, sizes); });
    check_one([&](const auto& x, std::size_t i) { unnormalize_boxes(x, sizes[i]); },
              [&](auto&& batch) { unnormalize_boxes(batch, sizes); });
    check_one([](const auto& x, std::size_t) { convert_boxes(x, box_format::xyxy, box_format::xywh); },
              [](auto&& batch) { convert_boxes(batch, box_format::xyxy, box_format::xywh); });
    check_one([](const auto& x, std::size_t) { scale_boxes(x, 3, 0.1F); },
              [](auto&& batch) { scale_boxes(batch, 3, 0.1F); });
    const auto loop = [](std::size_t n, const auto& body) {
        for (std::size_t i = n; i-- > 0;) {
            body(i);
        }
    };
    check_one([](const auto& x, std::size_t) { shift_boxes(x, 3, 0.1F); },
              [&](auto&& batch) { shift_boxes(batch, 3, 0.1F, parallel(loop)); });
}

TEST_CASE("boxes of a batch are dropped in place with all fields, and nothing is allocated with a workspace")
{
    workspace space;
    for (int again = 0; again < 2; ++again) {
        auto batch = pad(five_boxes(), pad_values(t::boxes(-7.0F)), capacity::fixed(4));
        auto memory = pad(five_boxes(), capacity::fixed(4));
        auto rows = five_boxes();
        const allocation_counter counter;
        const status outcome = try_remove_small_boxes(batch, 3, space);
        const status of_view = try_remove_degenerate_boxes(memory.view(), pad_values(t::scores(-1.0F)), space);
        const status of_rows = try_remove_small_boxes(rows, 1, space);
        const std::size_t allocations = counter.count();
        CHECK((again == 0 || allocations == 0));
        REQUIRE((outcome.ok() && of_view.ok() && of_rows.ok()));
        CHECK(batch.count(0) == 2);
        CHECK(batch.count(2) == 0);
        CHECK(batch.image(0)[t::scores][1] == 2);
        CHECK(batch.slot(0)[t::boxes][2][0] == -7);
        CHECK(memory.count(0) == 2);
        CHECK(memory.count(2) == 1);
        CHECK(memory.image(2)[t::scores][0] == 3);
        CHECK(memory.slot(2)[t::scores][1] == -1);
        CHECK(rows.count(0) == 2);
        CHECK(rows.count(2) == 1);
        CHECK(rows.image(2)[t::scores][0] == 3);
    }
    auto batch = pad(five_boxes());
    remove_small_boxes(batch, 1);
    remove_degenerate_boxes(batch);
    CHECK(batch.count(0) == 2);
}

TEST_CASE("what is out of range is refused, and no box is changed")
{
    auto batch = pad(five_boxes());
    const box_floats before = boxes_in(batch);
    const auto refused = [&](const status& outcome, std::initializer_list<const char*> texts,
                             status_code code = status_code::bad_argument) {
        check_status(outcome, code, texts);
        CHECK(count_different(boxes_in(batch), before) == 0);
    };
    for (const float bad : {box_nan, box_inf, -box_inf}) {
        refused(try_scale_boxes(batch, bad, 1), {"the factor of x", "finite"});
        refused(try_scale_boxes(batch, 1, bad), {"the factor of y", "finite"});
        refused(try_shift_boxes(batch, bad, 1), {"the shift of x", "finite"});
        refused(try_shift_boxes(batch, 1, bad), {"the shift of y", "finite"});
        refused(try_remove_small_boxes(batch, bad), {"the least size", "finite"});
    }
    refused(try_normalize_boxes(batch, {0, 5}), {"0 pixels high", "5 wide"});
    refused(try_unnormalize_boxes(batch, {5, 0}), {"5 pixels high", "0 wide"});
    refused(try_clip_boxes(batch, {-1, 5}), {"expected numbers from 0"});
    refused(try_resize_boxes(batch, {0, 5}, {5, 5}), {"0 pixels high"});
    refused(try_resize_boxes(batch, {5, 5}, {5, -5}), {"from 0"});
    refused(try_convert_boxes(batch, static_cast<box_format>(9), box_format::xyxy), {"number 9 and 0"});
    const std::vector<image_size> two = {{5, 5}, {6, 6}};
    refused(try_clip_boxes(batch, two), {"2 image sizes for 3 images"}, status_code::batch_mismatch);
    const std::vector<image_size> bad_last = {{5, 5}, {6, 6}, {0, 1}};
    refused(try_normalize_boxes(batch, bad_last), {"0 pixels high"});
    check_error([&] { clip_boxes(batch, two); }, status_code::batch_mismatch);

    auto rows = five_boxes();
    rows.append(t::boxes(box_floats{1, 2, 3, 4}), t::scores(box_floats{5}));
    check_status(try_shift_boxes(rows, 1, 1), status_code::field_mismatch, {"end_image"});
    check_status(try_remove_small_boxes(rows, 1), status_code::field_mismatch, {"end_image"});

    box_floats seven = {1, 2, 3, 4, 5, 6, 7};
    check_status(try_shift_boxes(t::boxes(seven), 1, 1), status_code::size_mismatch, {"7 values"});
    CHECK(seven[0] == 1);
    box_floats fives(10);
    row_numbers kept;
    check_status(try_shift_boxes(t::boxes(fives, 5), 1, 1), status_code::row_mismatch, {"5"});
    check_status(try_remove_small_boxes(kept, t::boxes(fives, 5), 1), status_code::row_mismatch, {"5"});
    check_status(try_remove_small_boxes(kept, t::boxes(seven), box_nan), status_code::bad_argument);
    using open_boxes = field<t::boxes_t, float, row_extents<dynamic>>;
    padded<open_boxes> open(1, 1, t::boxes.shape(5));
    finish_slot(open, 0, 1);
    check_status(try_shift_boxes(open, 1, 1), status_code::row_mismatch, {"rows of 5 numbers; expected 4"});
    check_status(try_remove_degenerate_boxes(open), status_code::row_mismatch, {"rows of 5 numbers; expected 4"});
}
