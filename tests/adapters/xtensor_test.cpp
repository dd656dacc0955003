// SPDX-License-Identifier: Apache-2.0
#include <padbatch/adapters/xtensor.hpp>
#include <padbatch/columns.hpp>
#include <padbatch/pad.hpp>
#include <padbatch/tensors.hpp>

#include <tests/support/check_status.hpp>

#if __has_include(<xtensor/views/xview.hpp>)
#include <xtensor/containers/xarray.hpp>
#include <xtensor/containers/xfixed.hpp>
#include <xtensor/containers/xtensor.hpp>
#include <xtensor/generators/xrandom.hpp>
#include <xtensor/views/xstrided_view.hpp>
#include <xtensor/views/xview.hpp>
#else
#include <xtensor/xarray.hpp>
#include <xtensor/xfixed.hpp>
#include <xtensor/xrandom.hpp>
#include <xtensor/xstrided_view.hpp>
#include <xtensor/xtensor.hpp>
#include <xtensor/xview.hpp>
#endif

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <random>
#include <type_traits>
#include <utility>
#include <vector>

using namespace padbatch;
using test::check_error;
using test::check_status;

namespace {

/// `[B, M, 4]` from arrays, as plainly as it can be written.
template <class Arrays>
std::vector<float> plain_pad(const Arrays& images, std::size_t capacity)
{
    std::vector<float> padded(images.size() * capacity * 4);
    for (std::size_t i = 0; i < images.size(); ++i) {
        for (std::size_t r = 0; r < images[i].shape()[0]; ++r) {
            for (std::size_t c = 0; c < 4; ++c) {
                padded[(i * capacity + r) * 4 + c] = images[i](r, c);
            }
        }
    }
    return padded;
}

template <class Arrays>
void check_boxes(const Arrays& images)
{
    constexpr std::size_t capacity = 9;
    padded<boxes<>> batch(images.size(), capacity);
    check_status(try_pad_into(batch, each(t::boxes(images))), status_code::none);
    const std::vector<float> expected = plain_pad(images, capacity);
    CHECK(std::memcmp(batch[t::boxes].data(), expected.data(), expected.size() * sizeof(float)) == 0);
    for (std::size_t i = 0; i < images.size(); ++i) {
        CHECK(batch.count(i) == images[i].shape()[0]);
    }
}

template <class Array>
std::vector<Array> random_arrays(std::mt19937& random, std::size_t columns = 4)
{
    std::vector<Array> images(random() % 5 + 1);
    for (auto& image : images) {
        const std::size_t n = random() % 10;
        image = xt::random::rand<float>({n, columns});
    }
    return images;
}

template <class Images, class View>
auto views_of(Images& images, const View& view)
{
    std::vector<decltype(view(images[0]))> views;
    for (auto& image : images) {
        views.push_back(view(image));
    }
    return views;
}

template <class X>
using layout_of = typename decltype(rows_traits<X>::rows(std::declval<X&>(), row_extents<4>{}))::layout_type;

static_assert(std::is_same_v<layout_of<xt::xarray<float>>, layout::contiguous>);
static_assert(std::is_same_v<layout_of<xt::xtensor<float, 2>>, layout::contiguous>);
static_assert(std::is_same_v<layout_of<xt::xtensor_fixed<float, xt::xshape<3, 4>>>, layout::contiguous>);
static_assert(std::is_same_v<layout_of<xt::xtensor<float, 2, xt::layout_type::column_major>>, layout::element_strided>);
static_assert(std::is_same_v<layout_of<xt::xarray<float, xt::layout_type::dynamic>>, layout::element_strided>);

} // namespace

TEST_CASE("arrays of every layout are padded like a plain loop")
{
    std::mt19937 random(1);
    for (int k = 0; k < 20; ++k) {
        check_boxes(random_arrays<xt::xarray<float>>(random));
        check_boxes(random_arrays<xt::xtensor<float, 2>>(random));
        check_boxes(random_arrays<xt::xarray<float, xt::layout_type::column_major>>(random));
        check_boxes(random_arrays<xt::xtensor<float, 2, xt::layout_type::column_major>>(random));
        check_boxes(random_arrays<xt::xtensor<float, 2, xt::layout_type::dynamic>>(random));
    }
    check_boxes(std::vector<xt::xtensor_fixed<float, xt::xshape<2, 4>>>{{{1, 2, 3, 4}, {5, 6, 7, 8}}});
}

TEST_CASE("views are padded like a plain loop")
{
    std::mt19937 random(2);
    for (int k = 0; k < 20; ++k) {
        auto flat = random_arrays<xt::xtensor<float, 2>>(random, 7);
        auto arrays = random_arrays<xt::xarray<float>>(random, 7);
        auto column_major = random_arrays<xt::xtensor<float, 2, xt::layout_type::column_major>>(random, 7);
        const auto some_columns = [](auto& x) { return xt::view(x, xt::all(), xt::range(2, 6)); };
        check_boxes(views_of(flat, some_columns));
        check_boxes(views_of(arrays, some_columns));
        check_boxes(views_of(column_major, some_columns));
        check_boxes(views_of(flat, [](auto& x) { return xt::strided_view(x, {xt::all(), xt::range(1, 5)}); }));

        auto four = random_arrays<xt::xtensor<float, 2>>(random);
        const auto second_half = [](auto& x) {
            const auto n = static_cast<std::ptrdiff_t>(x.shape()[0]);
            return xt::view(x, xt::range(n / 2, n), xt::all());
        };
        const auto every_other = [](auto& x) {
            return xt::view(x, xt::range(std::ptrdiff_t{0}, static_cast<std::ptrdiff_t>(x.shape()[0]), 2), xt::all());
        };
        check_boxes(views_of(four, second_half));
        check_boxes(views_of(four, every_other));
        auto transposed = random_arrays<xt::xtensor<float, 2>>(random, 9);
        for (auto& x : transposed) {
            x = xt::random::rand<float>({std::size_t{4}, x.shape()[0]});
        }
        check_boxes(views_of(transposed, [](auto& x) { return xt::transpose(x); }));
    }
}

TEST_CASE("scores and masks of one image take their extents from the arrays")
{
    std::vector<xt::xarray<float>> scores_in{xt::xarray<float>{.5F, .25F}, xt::xarray<float>::from_shape({0})};
    std::vector<xt::xtensor<std::uint8_t, 4>> masks_in{xt::zeros<std::uint8_t>({2, 1, 3, 5}),
                                                       xt::zeros<std::uint8_t>({0, 1, 7, 7})};
    masks_in[0](1, 0, 2, 4) = 9;
    padded<scores<>, masks<std::uint8_t>> batch;
    check_status(try_pad_into(batch, each(t::scores(scores_in), t::masks(masks_in))), status_code::none);
    CHECK(batch[t::masks].shape() == std::array<std::int64_t, 5>{2, 2, 1, 3, 5});
    CHECK(batch.image(0)[t::masks][1](0, 2, 4) == 9);
    CHECK(batch.count(1) == 0);

    // Scores in a column of wider rows.
    std::vector<xt::xtensor<float, 2>> flat{{{1, 2, .5F}, {3, 4, .25F}}};
    const auto column = views_of(flat, [](auto& x) { return xt::view(x, xt::all(), 2); });
    padded<scores<>> one;
    check_status(try_pad_into(one, each(t::scores(column))), status_code::none);
    CHECK(xtensor::view(one.image(0)[t::scores]) == scores_in[0]);

    // The extents may be given too, and are compared.
    check_status(try_pad_into(batch, each(t::scores(scores_in), t::masks(masks_in, 1, 3, 4))),
                 status_code::row_mismatch, {"masks", "[2, 1, 3, 5]", "[1, 3, 4]"});
}

TEST_CASE("arrays that are no rows of the field are refused with the numbers")
{
    std::vector<xt::xarray<float>> images{xt::zeros<float>({2, 4}), xt::zeros<float>({3, 5})};
    padded<boxes<>> batch(2, 4);
    batch[t::boxes].data()[0] = 42;
    check_status(try_pad_into(batch, each(t::boxes(images))), status_code::row_mismatch, {"boxes", "[3, 5]", "[4]"});
    images[1] = xt::zeros<float>({1, 3, 4});
    check_status(try_pad_into(batch, each(t::boxes(images))), status_code::wrong_shape,
                 {"[1, 3, 4]", "2 extents", "from_tensors"});
    images[1] = xt::zeros<float>({4});
    check_status(try_pad_into(batch, each(t::boxes(images))), status_code::wrong_shape, {"[4]"});
    images[1] = xt::xarray<float>(1.0F);
    check_status(try_pad_into(batch, each(t::boxes(images))), status_code::wrong_shape, {"[]"});
    images[1] = xt::zeros<float>({1, 1, 1, 1, 1, 1, 1, 1, 1, 1});
    check_status(try_pad_into(batch, each(t::boxes(images))), status_code::wrong_shape, {"[1, 1"});
    CHECK(batch[t::boxes].data()[0] == 42);

    const std::vector<xt::xtensor<float, 4, xt::layout_type::column_major>> masks_in{xt::zeros<float>({2, 1, 3, 5})};
    padded<masks<>> masks_out;
    check_status(try_pad_into(masks_out, each(t::masks(masks_in))), status_code::wrong_shape,
                 {"row-major", "[2, 1, 3, 5]"});
}

TEST_CASE("views of a batch look at its own memory and are const where it is")
{
    padded<boxes<>, scores<>, masks<>> batch(2, 3, t::masks.shape(1, 2, 2));
    batch.view().set_count(1, 2);
    auto whole = xtensor::view(batch[t::boxes]);
    CHECK(whole.data() == batch[t::boxes].data());
    CHECK(whole.shape() == std::array<std::size_t, 3>{2, 3, 4});
    whole.fill(1.5F);
    CHECK(batch.image(1)[t::boxes][1][3] == 1.5F);
    xt::view(whole, 1, 0, xt::all()) = xt::xtensor<float, 1>{1, 2, 3, 4};
    CHECK(batch.image(1)[t::boxes][0][2] == 3);

    const auto rows = xtensor::view(batch.image(1)[t::boxes]);
    CHECK(rows.data() == batch[t::boxes].data() + 12);
    CHECK(rows.shape() == std::array<std::size_t, 2>{2, 4});
    CHECK(xtensor::view(batch.image(0)[t::boxes]).size() == 0);
    CHECK(xtensor::view(batch.image(1)[t::masks]).shape() == std::array<std::size_t, 4>{2, 1, 2, 2});
    CHECK(xtensor::view(batch[t::scores]).shape() == std::array<std::size_t, 2>{2, 3});

    const auto read_only = xtensor::view(std::as_const(batch)[t::boxes]);
    CHECK(read_only.data() == whole.data());
    auto read_only_rows = xtensor::view(std::as_const(batch).image(1)[t::boxes]);
    static_assert(std::is_const_v<std::remove_pointer_t<decltype(read_only_rows.data())>>);
    CHECK(read_only_rows.data() == rows.data());
}

TEST_CASE("rows at a distance are views with strides")
{
    const std::vector<float> flat{1, 2, 3, 4, 0.5F, 7, 5, 6, 7, 8, 0.25F, 9};
    const std::vector<int> offsets{0, 2};
    const auto source = columns(flat, 6, offsets, t::boxes(cols<0, 4>), t::scores(col<4>));
    const auto boxes_view = xtensor::view(source.image(0)[t::boxes]);
    const auto scores_view = xtensor::view(source.image(0)[t::scores]);
    CHECK(boxes_view.data() == flat.data());
    CHECK(boxes_view == xt::xtensor<float, 2>{{1, 2, 3, 4}, {5, 6, 7, 8}});
    CHECK(scores_view == xt::xtensor<float, 1>{0.5F, 0.25F});

    const xt::xtensor<float, 2, xt::layout_type::column_major> matrix{{1, 2, 3, 4}, {5, 6, 7, 8}};
    const auto rows = rows_traits<std::remove_const_t<decltype(matrix)>>::rows(matrix, row_extents<4>{});
    CHECK(xtensor::view(rows) == matrix);

    alignas(4) std::array<std::byte, 32> bytes{};
    const strided_rows<const float, 4> odd(reinterpret_cast<const float*>(bytes.data()), 1, {}, {18});
    check_status(xtensor::check_view(odd), status_code::wrong_shape, {"18 bytes apart", "multiples of 4"});
    check_error([&] { (void)xtensor::view(odd); }, status_code::wrong_shape, {"18 bytes apart"});
}

TEST_CASE("an array is memory for a batch")
{
    xt::xtensor<float, 3> memory = xt::ones<float>({2, 3, 4});
    xt::xarray<std::int32_t> counts = xt::zeros<std::int32_t>({2, 1});
    auto batch = from_tensors<boxes<>>(xtensor::ref(counts), xtensor::ref(memory));
    CHECK(batch[t::boxes].data() == memory.data());
    const std::vector<xt::xarray<float>> images{xt::random::rand<float>({3, 4}), xt::random::rand<float>({1, 4})};
    pad_into(batch, each(t::boxes(images)));
    CHECK(counts(0, 0) == 3);
    CHECK(counts(1, 0) == 1);
    CHECK(xt::view(memory, 0) == images[0]);
    CHECK(xt::view(memory, 1, 0) == xt::view(images[1], 0));
    CHECK(xt::view(memory, 1, xt::range(1, 3)) == xt::zeros<float>({2, 4}));

    // Flat rows, [B * M, 4], without a detour.
    xt::xtensor<float, 2> flat = xt::ones<float>({6, 4});
    std::vector<std::int32_t> plain_counts(2);
    padded_view direct(plain_counts, 3, t::boxes(flat));
    pad_into(direct, each(t::boxes(images)));
    CHECK(std::equal(flat.begin(), flat.end(), memory.begin(), memory.end()));

    const auto& read_only = memory;
    static_assert(std::is_same_v<decltype(xtensor::ref(read_only)), const_tensor_ref>);
    static_assert(std::is_same_v<decltype(xtensor::ref(memory)), tensor_ref>);
    CHECK(from_tensors<boxes<const float>>(xtensor::ref(counts), xtensor::ref(read_only)).image(1).size() == 1);
}

TEST_CASE("arrays that are no memory for a batch are refused")
{
    xt::xtensor<std::int32_t, 1> counts = xt::zeros<std::int32_t>({2});
    padded_view<boxes<>> batch;
    const auto try_memory = [&](auto& memory) {
        return try_from_tensors(batch, xtensor::ref(counts), xtensor::ref(memory));
    };
    xt::xtensor<float, 3, xt::layout_type::column_major> column_major = xt::zeros<float>({2, 3, 4});
    check_status(try_memory(column_major), status_code::wrong_shape, {"[2, 3, 4]", "[1, 2, 6]", "row-major"});
    xt::xtensor<double, 3> doubles = xt::zeros<double>({2, 3, 4});
    check_status(try_memory(doubles), status_code::wrong_type, {"float64", "float32"});
    xt::xtensor<float, 3> wide = xt::zeros<float>({2, 3, 6});
    check_status(try_memory(wide), status_code::wrong_shape);
    auto gaps = xt::view(wide, xt::all(), xt::all(), xt::range(0, 4));
    check_status(try_memory(gaps), status_code::wrong_shape, {"[18, 6, 1]"});
    xt::xarray<float> deep = xt::zeros<float>({1, 1, 1, 1, 1, 1, 1, 1, 1});
    check_status(try_memory(deep), status_code::wrong_shape);
    CHECK(batch.size() == 0);

    // A view from the second image on begins where that image does.
    xt::xtensor<float, 3> memory = xt::zeros<float>({4, 3, 4});
    auto tail = xt::view(memory, xt::range(2, 4), xt::all(), xt::all());
    check_status(try_memory(tail), status_code::none);
    CHECK(batch[t::boxes].data() == memory.data() + 24);
}
