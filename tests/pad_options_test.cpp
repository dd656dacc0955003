// SPDX-License-Identifier: Apache-2.0
#include <padbatch/pad_options.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <tuple>
#include <type_traits>

using namespace padbatch;

namespace {

template <class Option>
constexpr bool is_option = padbatch::detail::is_pad_option<Option>;

struct box_value {
    float corners[4];
};

} // namespace

static_assert(is_option<overflow::error_t> && is_option<overflow::truncate_t>);
static_assert(is_option<std::remove_const_t<decltype(overflow::top_scores)>>);
static_assert(is_option<capacity> && is_option<padding::reuse_t> && is_option<workspace> && is_option<pad_result>);
static_assert(is_option<pad_values_t<>> && is_option<decltype(pad_values(t::labels(-1)))>);
static_assert(!is_option<int> && !is_option<unchecked_t>);
static_assert(
    std::is_same_v<std::remove_const_t<decltype(overflow::top_scores)>, decltype(overflow::top_scores_by(t::scores))>);
static_assert(!std::is_copy_constructible_v<pad_result> && std::is_nothrow_move_constructible_v<pad_result>);

TEST_CASE("a capacity is a fixed number of rows, or follows the batch in steps")
{
    CHECK_FALSE(capacity::fixed(100).follows_batch());
    CHECK(capacity::fixed(100).rows() == 100);
    CHECK(capacity::batch_maximum().follows_batch());
    CHECK(capacity::batch_maximum().rows() == 1);
    CHECK(capacity::multiple_of(8).follows_batch());
    CHECK(capacity::multiple_of(8).rows() == 8);
}

TEST_CASE("pad values are copied, so that temporaries may give them")
{
    const auto make = [] {
        const box_value whole{{0, 0, 1, 1}};
        const float score = 0.5F;
        return pad_values(t::boxes(whole), t::scores(score));
    };
    const auto values = make();
    static_assert(std::is_same_v<std::remove_cvref_t<decltype(std::get<1>(values.values).value)>, float>);
    CHECK(std::get<1>(values.values).value == 0.5F);

    const auto labels = pad_values(t::labels(-1));
    static_assert(!std::is_reference_v<decltype(std::get<0>(labels.values).value)>);
    CHECK(std::get<0>(labels.values).value == -1);
}

TEST_CASE("options are found wherever they stand among the others")
{
    using padbatch::detail::find_fill;
    using padbatch::detail::find_option;
    using padbatch::detail::find_overflow;
    workspace space;
    const capacity rows = capacity::fixed(7);
    const auto values = pad_values(t::labels(-1));

    CHECK(&find_fill(space, rows, values) == &values);
    CHECK(&find_fill(values, space) == &values);
    static_assert(std::is_same_v<std::remove_cvref_t<decltype(find_fill(space, rows))>, pad_values_t<>>);

    static_assert(std::is_same_v<decltype(find_overflow(rows, overflow::truncate)), overflow::truncate_t>);
    static_assert(std::is_same_v<decltype(find_overflow(rows, values)), overflow::error_t>);

    CHECK(find_option<const capacity>(values, rows, space) == &rows);
    CHECK(find_option<workspace>(values, rows, space) == &space);
    CHECK(find_option<const capacity>(values, space) == nullptr);
    CHECK(find_option<pad_result>() == nullptr);
}

TEST_CASE("a result of nothing has copied and dropped nothing, of any image")
{
    const pad_result result;
    CHECK(result.rows() == 0);
    CHECK(result.dropped() == 0);
    CHECK(result.dropped(3) == 0);
}

TEST_CASE("a result tells the rows of each image that were dropped")
{
    const std::int32_t of_image[] = {0, 4, 1};
    pad_result result;
    padbatch::detail::pad_access::set(result, 20, 5, of_image);
    CHECK(result.rows() == 20);
    CHECK(result.dropped() == 5);
    CHECK(result.dropped(0) == 0);
    CHECK(result.dropped(1) == 4);
    CHECK(result.dropped(2) == 1);
}
