// SPDX-License-Identifier: Apache-2.0
#include <padbatch/detection/letterbox.hpp>

#include <padbatch/pad.hpp>

#include <tests/support/box_data.hpp>
#include <tests/support/check_status.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <span>
#include <vector>

// Every operation is one rounding after the other, the same on every machine, so results are compared bit by bit.

using namespace padbatch;
using padbatch::test::boxes_of_every_kind;
using padbatch::test::check_error;
using padbatch::test::check_status;
using padbatch::test::count_different;
using padbatch::test::number_file;
using padbatch::test::plain_product;

namespace {

using lb_floats = std::vector<float>;

template <class Change>
lb_floats letterbox_after(lb_floats boxes, const Change& change)
{
    change(boxes);
    return boxes;
}

/// Python's `round`: nearbyint rounds halves to even unless a program says otherwise.
std::size_t python_round(double x)
{
    return static_cast<std::size_t>(std::nearbyint(x));
}

} // namespace

TEST_CASE("sizes, padding and boxes are those of Ultralytics, to the last bit")
{
    number_file file("letterboxes.bin"); // made by tests/data/make_letterboxes.py
    std::size_t cases = 0;
    std::size_t plain_cases = 0;
    for (std::array<double, 15> x{}; file.read(x); ++cases) {
        const auto size = [&](std::size_t k) { return image_size{static_cast<int>(x[k]), static_cast<int>(x[k + 1])}; };
        const auto number = [&](std::size_t k) { return static_cast<std::size_t>(x[k]); };
        letterbox_options options;
        options.scaleup = x[4] != 0;
        options.auto_pad = x[5] != 0;
        options.stride = number(6);
        const letterbox lb(size(0), size(2), options);
        CAPTURE(cases);
        CHECK(lb.source() == size(0));
        CHECK(lb.resized() == size(7));
        CHECK(lb.left() == number(9));
        CHECK(lb.top() == number(10));
        CHECK(lb.right() == number(11));
        CHECK(lb.bottom() == number(12));
        CHECK(lb.gain_x() == x[13]);
        CHECK(lb.gain_y() == x[13]);
        if (!options.auto_pad) {
            CHECK(lb.size() == size(2));
        }
        lb_floats boxes(48);
        lb_floats there(48);
        lb_floats back(48);
        lb_floats sides(48);
        REQUIRE((file.read(boxes) && file.read(there) && file.read(back) && file.read(sides)));
        CHECK(count_different(letterbox_after(boxes, [&](auto& b) { letterbox_boxes(t::boxes(b), lb); }), there) == 0);
        CHECK(count_different(letterbox_after(boxes, [&](auto& b) { unletterbox_boxes(t::boxes(b), lb); }), back) == 0);
        if (x[14] != 0) {
            options.side_ratios = true;
            const letterbox by_side(size(0), size(2), options);
            const auto change = [&](auto& b) { unletterbox_boxes(t::boxes(b), by_side); };
            CHECK(count_different(letterbox_after(boxes, change), sides) == 0);
            ++plain_cases;
        }
    }
    CHECK(cases == 33);
    CHECK(plain_cases > 20);
}

TEST_CASE("random sizes: resized sides and padding are as a plain formula has them")
{
    std::mt19937 random(6);
    for (int k = 0; k < 20000; ++k) {
        const image_size source{1 + random() % 3000, 1 + random() % 3000};
        const image_size target{1 + random() % 1500, 1 + random() % 1500};
        letterbox_options options;
        options.scaleup = random() % 2 == 0;
        options.auto_pad = random() % 2 == 0;
        options.stride = 1 + random() % 70;
        const letterbox lb(source, target, options);
        double r = std::min(static_cast<double>(target.height) / static_cast<double>(source.height),
                            static_cast<double>(target.width) / static_cast<double>(source.width));
        r = options.scaleup ? r : std::min(r, 1.0);
        const std::size_t h = std::max<std::size_t>(python_round(static_cast<double>(source.height) * r), 1);
        const std::size_t w = std::max<std::size_t>(python_round(static_cast<double>(source.width) * r), 1);
        double dh = static_cast<double>(target.height - h);
        double dw = static_cast<double>(target.width - w);
        if (options.auto_pad) {
            dh = std::fmod(dh, static_cast<double>(options.stride));
            dw = std::fmod(dw, static_cast<double>(options.stride));
        }
        const bool right = lb.resized() == image_size{h, w} && lb.top() == python_round(dh / 2 - 0.1) &&
                           lb.bottom() == python_round(dh / 2 + 0.1) && lb.left() == python_round(dw / 2 - 0.1) &&
                           lb.right() == python_round(dw / 2 + 0.1) && lb.gain_x() == r &&
                           lb.size().height <= target.height && lb.size().width <= target.width;
        if (!right) {
            CAPTURE(source.height);
            CAPTURE(source.width);
            CAPTURE(target.height);
            CAPTURE(target.width);
            FAIL_CHECK("another letterbox");
        }
    }
    CHECK(letterbox({5, 10}, {100, 5}).resized() == image_size{2, 5}); // 2.5, half to even
    CHECK(letterbox({7, 14}, {100, 7}).resized() == image_size{4, 7}); // 3.5
}

TEST_CASE("random boxes go into the letterbox and back as a plain loop does it")
{
    std::mt19937 random(7);
    for (std::size_t n = 0; n < 50; ++n) {
        letterbox_options options;
        options.side_ratios = n % 2 == 1;
        const letterbox lb({333 + n, 500}, {640, 416}, options);
        const lb_floats boxes = boxes_of_every_kind(random, n);
        lb_floats there(boxes.size());
        lb_floats back(boxes.size());
        for (std::size_t k = 0; k < boxes.size(); ++k) {
            const auto gain = static_cast<float>(k % 2 == 0 ? lb.gain_x() : lb.gain_y());
            const auto pad = static_cast<float>(k % 2 == 0 ? lb.left() : lb.top());
            const auto limit = static_cast<float>(k % 2 == 0 ? 500 : 333 + n);
            there[k] = plain_product(boxes[k], gain) + pad;
            const float x = (boxes[k] - pad) / gain;
            back[k] = x < 0 ? 0 : x > limit ? limit : x; // NaN stays
        }
        CHECK(count_different(letterbox_after(boxes, [&](auto& b) { letterbox_boxes(t::boxes(b), lb); }), there) == 0);
        CHECK(count_different(letterbox_after(boxes, [&](auto& b) { unletterbox_boxes(t::boxes(b), lb); }), back) == 0);
    }
}

TEST_CASE("a batch has one letterbox for all images, or one for each")
{
    const std::vector<std::vector<std::array<float, 4>>> images = {
        {{1, 2, 30, 40}}, {}, {{3, 4, 50, 60}, {7, 8, 9, 9}}};
    const std::vector<letterbox> boxes = {letterbox({480, 640}, {320, 320}), letterbox({10, 10}, {320, 320}),
                                          letterbox({640, 480}, {320, 320})};
    auto batch = pad(each(t::boxes(images)), capacity::fixed(3), pad_values(t::boxes(-7.0F)));
    letterbox_boxes(batch, boxes);
    CHECK(batch.image(0)[t::boxes][0][1] == 2 * 0.5F + 40);
    CHECK(batch.image(2)[t::boxes][0][0] == 3 * 0.5F + 40);
    CHECK(batch.image(2)[t::boxes][0][1] == 4 * 0.5F);
    CHECK(batch[t::boxes](1, 0)[0] == -7);
    unletterbox_boxes(batch.view(), std::span(boxes));
    for (std::size_t i = 0; i < 3; ++i) { // all of these numbers are exact
        for (std::size_t j = 0; j < images[i].size(); ++j) {
            CHECK(std::equal(images[i][j].begin(), images[i][j].end(), batch.image(i)[t::boxes][j].begin()));
        }
    }
    letterbox_boxes(batch, boxes[0]);
    CHECK(batch.image(2)[t::boxes][0][1] == 4 * 0.5F + 40);
}

TEST_CASE("a letterbox that cannot be is refused, and no box is changed")
{
    check_status(letterbox::check({0, 5}, {640, 640}), status_code::bad_argument, {"the image is 0 pixels high"});
    check_status(letterbox::check({5, 5}, {640, 0}), status_code::bad_argument, {"the letterbox is 640"});
    letterbox_options options;
    options.stride = 0;
    check_status(letterbox::check({5, 5}, {640, 640}, options), status_code::bad_argument, {"the stride is 0"});
    check_error([&] { static_cast<void>(letterbox({5, 5}, {640, -1})); }, status_code::bad_argument);
    CHECK(letterbox(unchecked, {5, 5}, {640, 640}).resized() == image_size{640, 640});
    const lb_floats before = {1, 2, 3, 4};
    lb_floats boxes = before;
    check_status(try_unletterbox_boxes(t::boxes(boxes), letterbox()), status_code::bad_argument,
                 {"the image of a letterbox is 0 pixels high"});
    auto batch = pad(each(t::boxes(std::vector<lb_floats>{before, before})));
    const std::vector<letterbox> three(3, letterbox({5, 5}, {6, 6}));
    check_status(try_letterbox_boxes(batch, three), status_code::batch_mismatch, {"3 letterboxes for 2 images"});
    check_status(try_unletterbox_boxes(batch, std::vector<letterbox>(2)), status_code::bad_argument);
    CHECK(boxes == before);
    CHECK(batch.image(1)[t::boxes][0][3] == 4);
}
