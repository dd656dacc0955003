// SPDX-License-Identifier: Apache-2.0
#include <padbatch/rows.hpp>

#include <doctest/doctest.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

using padbatch::basic_rows;
using padbatch::dynamic;
using padbatch::row_extents;
using padbatch::rows;
using padbatch::strided_rows;
namespace layout = padbatch::layout;

template <class T, std::size_t... E>
using element_strided_rows = basic_rows<T, row_extents<E...>, layout::element_strided>;
template <class T, std::size_t... E>
using indexed_rows = basic_rows<T, row_extents<E...>, layout::indexed>;

// Contiguous rows of static extents are a pointer and a size.
static_assert(sizeof(rows<float>) == 16 && sizeof(rows<float, 4>) == 16 && sizeof(rows<const double, 1, 28, 28>) == 16);
static_assert(sizeof(strided_rows<float, 4>) == 24);
static_assert(std::is_trivially_copyable_v<rows<float, 4>> && std::is_trivially_copyable_v<indexed_rows<float, 4>>);

// What a row is, by its extents and its layout.
template <class Rows>
using row_of = typename Rows::reference;
static_assert(std::is_same_v<row_of<rows<float>>, float&>);
static_assert(std::is_same_v<row_of<rows<const float>>, const float&>);
static_assert(std::is_same_v<row_of<strided_rows<float>>, float&>);
static_assert(std::is_same_v<row_of<indexed_rows<const float>>, const float&>);
static_assert(std::is_same_v<row_of<element_strided_rows<float>>, float&>);
static_assert(std::is_same_v<row_of<rows<float, 4>>, std::span<float, 4>>);
static_assert(std::is_same_v<row_of<rows<const float, 4>>, std::span<const float, 4>>);
static_assert(std::is_same_v<row_of<rows<float, dynamic>>, std::span<float>>);
static_assert(std::is_same_v<row_of<strided_rows<float, 4>>, std::span<float, 4>>);
static_assert(std::is_same_v<row_of<indexed_rows<float, 4>>, std::span<float, 4>>);
static_assert(std::is_same_v<row_of<element_strided_rows<float, 4>>, padbatch::strided_row<float, 4>>);
static_assert(std::is_same_v<row_of<rows<float, 17, 3>>, padbatch::row<float, row_extents<17, 3>>>);
static_assert(std::is_same_v<decltype(std::declval<const rows<float, 4>&>()[0]), std::span<float, 4>>);

// As for std::span: from what may be written to what may only be read, not back.
static_assert(std::is_convertible_v<rows<float, 4>, rows<const float, 4>>);
static_assert(std::is_convertible_v<indexed_rows<float>, indexed_rows<const float>>);
static_assert(!std::is_convertible_v<rows<const float, 4>, rows<float, 4>>);
static_assert(!std::is_convertible_v<rows<float, 4>, rows<const float, 5>>);
static_assert(!std::is_convertible_v<rows<float, 4>, rows<const double, 4>>);
static_assert(!std::is_convertible_v<strided_rows<float, 4>, rows<const float, 4>>);

static_assert(std::is_default_constructible_v<rows<float, 4>>);
static_assert(!std::is_default_constructible_v<strided_rows<float, 4>>); // a stride is never made up

namespace {

/// 0, 1, 2, ...
std::vector<float> counting(std::size_t n)
{
    std::vector<float> all(n);
    for (std::size_t i = 0; i < n; ++i) {
        all[i] = static_cast<float>(i);
    }
    return all;
}

constexpr auto float_bytes = static_cast<std::ptrdiff_t>(sizeof(float));

} // namespace

TEST_CASE("contiguous rows lie one after the other")
{
    auto values = counting(12);
    const rows<float, 4> boxes(values.data(), 3);
    CHECK(boxes.size() == 3);
    CHECK(boxes.row_size() == 4);
    CHECK(boxes.data() == values.data());
    CHECK_FALSE(boxes.empty());
    for (std::size_t i = 0; i < 3; ++i) {
        CHECK(boxes.row_data(i) == values.data() + 4 * i);
        CHECK(boxes[i].data() == values.data() + 4 * i);
    }
    CHECK(boxes.flat().data() == values.data());
    CHECK(boxes.flat().size() == 12);
    boxes[1][2] = -1; // const like a span: the elements are not
    CHECK(values[6] == -1);
}

TEST_CASE("strided rows are columns of a matrix, or members of structs")
{
    auto values = counting(3 * 7);
    const strided_rows<float, 4> boxes(values.data() + 1, 3, {}, {7 * float_bytes});
    const strided_rows<float> scores(values.data() + 6, 3, {}, {7 * float_bytes});
    for (std::size_t i = 0; i < 3; ++i) {
        CHECK(boxes[i][0] == static_cast<float>(7 * i + 1));
        CHECK(boxes[i][3] == static_cast<float>(7 * i + 4));
        CHECK(scores[i] == static_cast<float>(7 * i + 6));
    }
    const strided_rows<float> upwards(values.data() + 14, 3, {}, {-7 * float_bytes});
    CHECK(upwards[0] == 14);
    CHECK(upwards[2] == 0);
}

TEST_CASE("the elements of a row may be apart too, as in a column-major matrix")
{
    auto values = counting(12); // 3 rows of 4, column by column
    const element_strided_rows<float, 4> boxes(values.data(), 3, {}, {float_bytes, 3 * float_bytes});
    for (std::size_t i = 0; i < 3; ++i) {
        CHECK(boxes[i].size() == 4);
        std::size_t k = 0;
        for (const float& element : boxes[i]) {
            CHECK(&element == values.data() + 3 * k + i);
            CHECK(&boxes[i][k] == &element);
            ++k;
        }
        CHECK(k == 4);
    }
    const std::size_t four[] = {4};
    const element_strided_rows<float, dynamic> also(
        values.data(), 3, row_extents<dynamic>{std::span<const std::size_t, 1>(four)}, {float_bytes, 3 * float_bytes});
    CHECK(also[2].size() == 4);
    CHECK(also[2][3] == 11);
}

TEST_CASE("indexed rows are picked by number")
{
    auto values = counting(5 * 4);
    const std::int32_t index[] = {4, 0, 3};
    const indexed_rows<float, 4> boxes(values.data(), 3, {}, {4 * float_bytes, index});
    const indexed_rows<const float> first(values.data(), 3, {}, {4 * float_bytes, index});
    for (std::size_t i = 0; i < 3; ++i) {
        CHECK(boxes.row_data(i) == values.data() + 4 * index[i]);
        CHECK(boxes[i].data() == boxes.row_data(i));
        CHECK(first[i] == static_cast<float>(4 * index[i]));
    }
}

TEST_CASE("rows of rank 2 and more are read by one index for each extent")
{
    auto values = counting(2 * 3 * 5);
    const rows<float, 3, 5> grid(values.data(), 2);
    CHECK(grid[1](2, 4) == 29);
    CHECK(grid[1](0, 0) == 15);
    CHECK(grid[0].size() == 15);
    CHECK(grid[0].extent(1) == 5);
    CHECK(std::distance(grid[0].begin(), grid[0].end()) == 15);
    CHECK(grid[1].data() == values.data() + 15);
    CHECK(grid[1][14] == 29);

    const std::size_t shape[] = {1, 3, 5};
    const rows<float, dynamic, dynamic, dynamic> masks(
        values.data(), 2, row_extents<dynamic, dynamic, dynamic>{std::span<const std::size_t, 3>(shape)});
    CHECK(masks.row_size() == 15);
    CHECK(masks[1](0, 2, 4) == 29);
    CHECK(masks.flat().size() == 30);
}

TEST_CASE("a range-for goes through the rows of every layout in order")
{
    auto values = counting(12);
    const std::int32_t index[] = {2, 0, 1};
    const auto first_elements = [](const auto& view) {
        std::vector<float> all;
        for (const auto& row : view) {
            if constexpr (requires { row[0]; }) {
                all.push_back(row[0]);
            } else {
                all.push_back(row);
            }
        }
        return all;
    };
    using floats = std::vector<float>;
    CHECK(first_elements(rows<float, 4>(values.data(), 3)) == floats{0, 4, 8});
    CHECK(first_elements(rows<float>(values.data(), 3)) == floats{0, 1, 2});
    CHECK(first_elements(strided_rows<float>(values.data(), 3, {}, {4 * float_bytes})) == floats{0, 4, 8});
    CHECK(first_elements(indexed_rows<float, 4>(values.data(), 3, {}, {4 * float_bytes, index})) == floats{8, 0, 4});
    CHECK(first_elements(element_strided_rows<float, 4>(values.data(), 3, {}, {float_bytes, 3 * float_bytes})) ==
          floats{0, 1, 2});

    for (float& score : rows<float>(values.data(), 3)) {
        score = 7;
    }
    CHECK(values[2] == 7);
}

TEST_CASE("iterators are input iterators of the standard library")
{
    auto values = counting(12);
    const rows<float, 4> boxes(values.data(), 3);
    static_assert(std::input_iterator<decltype(boxes.begin())>);
    auto it = boxes.begin();
    CHECK((*it++)[0] == 0);
    CHECK((*it)[0] == 4);
    CHECK((*++it)[0] == 8);
    CHECK(++it == boxes.end());
}

TEST_CASE("the first rows of rows are the same rows")
{
    auto values = counting(12);
    const rows<float, 4> boxes(values.data(), 3);
    CHECK(boxes.first(2).size() == 2);
    CHECK(boxes.first(2).data() == values.data());
    CHECK(boxes.first(0).empty());
    CHECK(boxes.first(3)[2][0] == 8);
    const strided_rows<float> scores(values.data(), 3, {}, {4 * float_bytes});
    CHECK(scores.first(2).layout().row_stride == 4 * float_bytes);
    CHECK(scores.first(2)[1] == 4);
}

TEST_CASE("rows that may be written become rows that may be read, at the same place")
{
    auto values = counting(12);
    const strided_rows<const float, 2> read = strided_rows<float, 2>(values.data(), 3, {}, {4 * float_bytes});
    CHECK(read.size() == 3);
    CHECK(read[2].data() == values.data() + 8);
    CHECK(read.layout().row_stride == 4 * float_bytes);
}

TEST_CASE("no rows at no address can be asked for everything")
{
    const rows<float, 4> none;
    CHECK(none.data() == nullptr);
    CHECK(none.size() == 0);
    CHECK(none.empty());
    CHECK(none.row_size() == 4);
    CHECK(none.flat().empty());
    CHECK(none.first(0).empty());
    CHECK(none.begin() == none.end());
    CHECK_FALSE(padbatch::detail::rows_overlap(none, &none, &none + 1));
    const strided_rows<float> also(nullptr, 0, {}, {28});
    CHECK(also.begin() == also.end());
    const rows<const float, 4> read = none;
    CHECK(read.empty());
    const rows<float, dynamic, 3> unknown;
    CHECK(unknown.row_size() == 0);
    CHECK(unknown.flat().empty());
}

TEST_CASE("rows overlap memory exactly where one of their bytes lies in it")
{
    using padbatch::detail::rows_overlap;
    auto values = counting(40);
    float* const data = values.data();
    const rows<float, 4> boxes(data + 8, 2); // elements 8 to 15
    CHECK(rows_overlap(boxes, data, data + 9));
    CHECK(rows_overlap(boxes, data + 15, data + 40));
    CHECK(rows_overlap(boxes, data + 10, data + 11));
    CHECK(rows_overlap(boxes, data, data + 40));
    CHECK_FALSE(rows_overlap(boxes, data, data + 8));
    CHECK_FALSE(rows_overlap(boxes, data + 16, data + 40));

    const std::int32_t index[] = {1, 4};
    const indexed_rows<float, 4> picked(data, 2, {}, {4 * float_bytes, index}); // 4 to 7 and 16 to 19
    CHECK(rows_overlap(picked, data + 19, data + 20));
    CHECK_FALSE(rows_overlap(picked, data + 8, data + 16));

    const strided_rows<float, 2> columns(data + 1, 3, {}, {4 * float_bytes}); // the last is 9 and 10
    CHECK(rows_overlap(columns, data + 10, data + 11));
    CHECK_FALSE(rows_overlap(columns, data + 11, data + 12));

    const element_strided_rows<float, 4> transposed(data, 3, {}, {float_bytes, 3 * float_bytes}); // 0 to 11
    CHECK(rows_overlap(transposed, data + 11, data + 12));
    CHECK_FALSE(rows_overlap(transposed, data + 12, data + 13));
}

TEST_CASE("rows overlap memory also where their stride is negative")
{
    using padbatch::detail::rows_overlap;
    auto values = counting(40);
    float* const data = values.data();
    const strided_rows<float, 4> upwards(data + 16, 3, {}, {-4 * float_bytes}); // 8 to 19
    CHECK(rows_overlap(upwards, data + 8, data + 9));
    CHECK(rows_overlap(upwards, data + 19, data + 20));
    CHECK_FALSE(rows_overlap(upwards, data, data + 8));
    CHECK_FALSE(rows_overlap(upwards, data + 20, data + 40));
    const element_strided_rows<float, 4> mirrored(data + 12, 3, {}, {float_bytes, -4 * float_bytes}); // 0 to 14
    CHECK(rows_overlap(mirrored, data, data + 1));
    CHECK(rows_overlap(mirrored, data + 14, data + 15));
    CHECK_FALSE(rows_overlap(mirrored, data + 15, data + 16));
}

TEST_CASE("memory without a byte overlaps nothing")
{
    auto values = counting(40);
    const rows<float, 4> boxes(values.data(), 4);
    CHECK_FALSE(padbatch::detail::rows_overlap(boxes, values.data() + 5, values.data() + 5));
    const rows<float, dynamic> without_elements(values.data() + 5, 4); // four rows of 0 elements
    CHECK_FALSE(padbatch::detail::rows_overlap(without_elements, values.data(), values.data() + 40));
}
