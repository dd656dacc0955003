// SPDX-License-Identifier: Apache-2.0
// Fields of structs that are functions of them, and structs that are not adjacent.
#include <padbatch/padbatch.hpp>

#include "tests/support/check_status.hpp"
#include "tests/support/random_batch.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <vector>

using namespace padbatch;
using padbatch::test::check_status;

namespace {

struct shape {
    float corners[4];
    std::vector<float> outline;
};
struct detection {
    shape outer;
    std::int32_t label;
    float score;

    [[nodiscard]] float doubled() const { return 2 * score; }
    [[nodiscard]] std::array<float, 2> size() const
    {
        return {outer.corners[2] - outer.corners[0], outer.corners[3] - outer.corners[1]};
    }
};
float negative(const detection& d)
{
    return -d.score;
}

struct size_t_ : tag<size_t_, 2> {
    static constexpr char name[] = "size";
};
constexpr size_t_ size_field{};
struct outline_t : tag<outline_t, dynamic> {
    static constexpr char name[] = "outline";
};
constexpr outline_t outline{};

std::vector<std::vector<detection>> random_images(dice& random)
{
    std::vector<std::vector<detection>> images(random.below(5));
    for (auto& image : images) {
        for (std::size_t n = random.below(7); n != 0; --n) {
            const auto x = static_cast<float>(random.below(100));
            image.push_back({{{x, x + 1, x + 5, x + 9}, {x, -x, x}},
                             static_cast<std::int32_t>(random.below(90)),
                             static_cast<float>(random.below(64)) / 64});
        }
    }
    return images;
}

} // namespace

TEST_CASE("members of members, computed values and member functions are fields, beside plain members")
{
    dice random(1);
    for (int k = 0; k < 30; ++k) {
        const auto images = random_images(random);
        const auto third = [factor = 3.0F](const detection& d) { return d.score * factor; };
        const auto check = [&](const auto& given) {
            const auto batch =
                pad(project(given, t::boxes([](const auto& d) -> const auto& { return d.outer.corners; }),
                            t::labels(&detection::label).template as<std::int64_t>(), t::scores(&detection::doubled),
                            size_field(&detection::size), t::values(third), t::track_id(negative).template as<double>(),
                            outline([](const detection& d) -> const auto& { return d.outer.outline; }, 3)),
                    capacity::fixed(7), pad_values(t::labels(-1), size_field(9)));
            for (std::size_t i = 0; i < images.size(); ++i) {
                REQUIRE(batch.count(i) == images[i].size());
                for (std::size_t j = 0; j < 7; ++j) {
                    const bool real = j < images[i].size();
                    const detection d = real ? images[i][j] : detection{{{}, {0, 0, 0}}, -1, 0};
                    CHECK(same_bytes(batch[t::boxes](i, j), d.outer.corners));
                    CHECK(batch[t::labels](i, j) == d.label);
                    CHECK(batch[t::scores](i, j) == 2 * d.score);
                    CHECK(batch[size_field](i, j)[1] == (real ? d.size()[1] : 9));
                    CHECK(batch[t::values](i, j) == d.score * 3);
                    CHECK(batch[t::track_id](i, j) == -static_cast<double>(d.score));
                    CHECK(same_bytes(batch[outline](i, j), d.outer.outline));
                }
            }
        };
        check(images);

        std::vector<std::deque<detection>> deques;
        std::deque<std::vector<std::unique_ptr<detection>>> owned;
        std::vector<std::vector<const detection*>> pointers;
        for (const auto& image : images) {
            deques.emplace_back(image.begin(), image.end());
            owned.emplace_back();
            pointers.emplace_back();
            for (const detection& d : image) {
                owned.back().push_back(std::make_unique<detection>(d));
                pointers.back().push_back(&d);
            }
        }
        check(deques);
        check(owned);
        check(pointers);
    }
}

TEST_CASE("structs behind pointers are read by their members, adjacent ones included")
{
    struct flat_detection {
        float x1, y1, x2, y2, score;
    };
    const flat_detection a{1, 2, 3, 4, 0.5F};
    const flat_detection b{5, 6, 7, 8, 0.75F};
    const std::vector<std::vector<const flat_detection*>> images = {{}, {&a, &b}};
    const auto batch = pad(
        project(images, t::boxes(&flat_detection::x1, &flat_detection::y1, &flat_detection::x2, &flat_detection::y2),
                t::scores(&flat_detection::score)),
        capacity::fixed(1), overflow::top_scores);
    CHECK(same_bytes(batch[t::boxes], std::array<float, 8>{0, 0, 0, 0, 5, 6, 7, 8}));
    padded<boxes<>> output;
    check_status(try_pad_into(output, project(images, t::boxes(&flat_detection::x1, &flat_detection::x2,
                                                               &flat_detection::y1, &flat_detection::y2))),
                 status_code::bad_argument, {"boxes", "not adjacent"});
    const std::vector<std::vector<const flat_detection*>> null = {{nullptr}, {&a, nullptr}};
    check_status(try_pad_into(output, project(null, t::boxes(&flat_detection::x1, &flat_detection::y1,
                                                             &flat_detection::x2, &flat_detection::y2))),
                 status_code::bad_argument, {"row 0 of boxes", "null"});
    CHECK(output.size() == 0);
}

TEST_CASE("an image's fields outlive the source, and the function's results are read as often as needed")
{
    const std::vector<std::vector<detection>> images = {{{{{1, 2, 3, 4}, {}}, 7, 0.5F}}};
    const auto image = project(images, t::scores(&detection::doubled), size_field(&detection::size)).image(0);
    CHECK(image[t::scores][0] == 1);
    CHECK(image[size_field][0][1] == 2);
    const std::function<float(const detection&)> stored = [](const detection& d) { return d.score + 1; };
    const auto batch = pad(project(images, t::scores(stored)));
    CHECK(batch.image(0)[t::scores][0] == 1.5F);
}

TEST_CASE("rows of a struct's container that have other lengths are refused")
{
    const std::vector<std::vector<detection>> images = {{{{{}, {1, 2}}, 0, 0}, {{{}, {1}}, 0, 0}}};
    padded<field<outline_t, float>> output;
    check_status(try_pad_into(output, project(images, outline([](const detection& d) -> const auto& {
                                                  return d.outer.outline;
                                              }))),
                 status_code::row_mismatch, {"1 elements", "[2]"});
    CHECK(output.size() == 0);
}
