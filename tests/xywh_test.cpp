// SPDX-License-Identifier: Apache-2.0
#include <padbatch/padbatch.hpp>

#include "tests/support/check_status.hpp"
#include "tests/support/random_batch.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <limits>
#include <span>
#include <type_traits>
#include <vector>

using namespace padbatch;
using padbatch::test::check_status;

namespace {

template <class T>
struct rect {
    T x, y, width, height;
};
struct short_names {
    float x, y, w, h;
};
struct left_top {
    float left, top, width, height;
};
/// Its width and height are not corners, but it has a tag of its own.
struct rect_t : tag<rect_t, 4> {
    static constexpr char name[] = "rect";
};
constexpr rect_t rect_field{};
class with_functions {
public:
    with_functions(float x, float y, float width, float height)
        : m_right(x + width), m_bottom(y + height), m_x(x), m_y(y)
    {
    }
    [[nodiscard]] float x() const { return m_x; }
    [[nodiscard]] float y() const { return m_y; }
    [[nodiscard]] float width() const { return m_right - m_x; }
    [[nodiscard]] float height() const { return m_bottom - m_y; }

private:
    float m_right, m_bottom, m_x, m_y;
};

} // namespace

TEST_CASE("boxes of x, y, width and height become corners as they are copied, whatever holds them")
{
    dice random(1);
    for (int k = 0; k < 30; ++k) {
        const auto numbers = random.counts(random.below(6), 9);
        plain_batch<float> corners{4, numbers, {}};
        std::vector<std::vector<rect<float>>> rects;
        std::vector<std::deque<short_names>> names;
        std::vector<std::vector<left_top>> lefts;
        std::vector<std::vector<with_functions>> functions;
        std::vector<std::vector<std::array<float, 4>>> arrays;
        std::vector<std::vector<float>> flats;
        for (const std::size_t n : numbers) {
            rects.emplace_back();
            names.emplace_back();
            lefts.emplace_back();
            functions.emplace_back();
            arrays.emplace_back();
            flats.emplace_back();
            flat<float> image(n * 4);
            for (std::size_t j = 0; j < n; ++j) {
                float v[4];
                for (float& x : v) {
                    x = static_cast<float>(random.below(1000)) / 8;
                }
                rects.back().push_back({v[0], v[1], v[2], v[3]});
                names.back().push_back({v[0], v[1], v[2], v[3]});
                lefts.back().push_back({v[0], v[1], v[2], v[3]});
                functions.back().emplace_back(v[0], v[1], v[2], v[3]);
                arrays.back().push_back({v[0], v[1], v[2], v[3]});
                flats.back().insert(flats.back().end(), v, v + 4);
                image.set(4 * j, v[0]);
                image.set(4 * j + 1, v[1]);
                image.set(4 * j + 2, v[0] + v[2]);
                image.set(4 * j + 3, v[1] + v[3]);
            }
            corners.images.push_back(std::move(image));
        }
        const auto expected = padded_plainly(corners, corners.largest(), 0.0F);
        const auto check = [&](const auto& images) {
            const auto batch = pad(each(t::boxes(xywh(images))));
            CHECK(same_bytes(batch[t::boxes], expected));
            const auto doubles = pad(each(t::boxes(xywh(images)).template as<double>()));
            for (std::size_t e = 0; e < doubles[t::boxes].size(); ++e) {
                CHECK(doubles[t::boxes].data()[e] == batch[t::boxes].data()[e]);
            }
            ragged<boxes<>> loose;
            for (const auto& image : images) {
                loose.append(t::boxes(xywh(image)));
                loose.end_image();
            }
            CHECK(same_bytes(loose[t::boxes].flat(), corners.concatenated()));
        };
        check(rects);
        check(names);
        check(lefts);
        check(functions);
        check(arrays);
        check(flats);
    }
}

TEST_CASE("integer corners that are out of range are the lowest or the highest number")
{
    constexpr int most = std::numeric_limits<int>::max();
    constexpr int least = std::numeric_limits<int>::lowest();
    const std::vector<std::vector<rect<int>>> images = {{{most - 1, least + 1, 5, -5}, {1, 2, 3, 4}}};
    const auto batch = pad(each(t::boxes(xywh(images))));
    static_assert(std::is_same_v<decltype(batch), const padded<boxes<int>>>);
    CHECK(same_bytes(batch[t::boxes], std::array<int, 8>{most - 1, least + 1, most, least, 1, 2, 4, 6}));
    static_assert(xywh_to_corners(rect<std::uint8_t>{250, 3, 10, 4}) == std::array<std::uint8_t, 4>{250, 3, 255, 7});
    static_assert(xywh_to_corners(std::array{1.5F, 2.0F, 0.5F, -1.0F}) == std::array{1.5F, 2.0F, 2.0F, 1.0F});
    const auto halves = xywh_to_corners(std::array{float16(0.5F), float16(1.0F), float16(2.0F), float16(0.25F)});
    CHECK((static_cast<float>(halves[2]) == 2.5F && static_cast<float>(halves[3]) == 1.25F));
}

TEST_CASE("numbers that are no whole boxes are refused, and boxes of structs are read through a function")
{
    const std::vector<std::vector<float>> odd = {{1, 2, 3, 4, 5}};
    padded<boxes<>> output;
    check_status(try_pad_into(output, each(t::boxes(xywh(odd)))), status_code::size_mismatch, {"5 values", "4"});

    struct detection {
        rect<float> box;
        float score;
    };
    const std::vector<std::vector<detection>> images = {{{{1, 2, 3, 4}, 0.5F}}};
    const auto batch = pad(project(images, t::boxes([](const detection& d) { return xywh_to_corners(d.box); }),
                                   t::scores(&detection::score)));
    CHECK(same_bytes(batch[t::boxes], std::array<float, 4>{1, 2, 4, 6}));
}

TEST_CASE("rectangles in a span, in a temporary and under a tag of their own")
{
    const std::array<rect<float>, 2> all = {{{1, 2, 3, 4}, {5, 6, 7, 8}}};
    const std::vector<std::span<const rect<float>>> spans = {std::span(all).first(1), std::span(all).last(1)};
    const auto batch = pad(each(t::boxes(xywh(spans))));
    CHECK(same_bytes(batch[t::boxes], std::array<float, 8>{1, 2, 4, 6, 5, 6, 12, 14}));
    const auto source = each(t::boxes(xywh(std::vector<std::vector<rect<float>>>{{{1, 2, 3, 4}}})));
    CHECK(source.image(0)[t::boxes][0] == std::array<float, 4>{1, 2, 4, 6});
    const std::vector<std::vector<left_top>> raw = {{{1, 2, 3, 4}}};
    const auto as_they_are = pad(each(rect_field(raw).of<float>()));
    CHECK(same_bytes(as_they_are[rect_field], std::array<float, 4>{1, 2, 3, 4}));
    static_assert(!detail::sized_box<std::array<float, 4>> && detail::sized_box<left_top>);
}
