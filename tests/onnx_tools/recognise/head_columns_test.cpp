// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/recognise/head_columns.hpp>

#include <tests/support/check_failure.hpp>

#include <doctest/doctest.h>

#include <optional>

using namespace padbatch::onnx_tools;
using namespace padbatch::test;

namespace {

using extent = std::optional<std::int64_t>;

typed_value rows(extent first, extent second)
{
    typed_value value{"rows", {}};
    value.type.element = padbatch::element_type::float32;
    value.type.rank = 3;
    value.type.shape = {{std::nullopt, "B"}, {first, first ? "" : "n"}, {second, second ? "" : "m"}};
    return value;
}

known_of_columns known(std::optional<std::int64_t> classes, std::optional<image_extents> image = std::nullopt,
                       bool settles = false)
{
    return {4, classes, image, 1, settles};
}

bool is(const head_columns& found, std::size_t dimension, std::int64_t count)
{
    return found.dimension == dimension && found.count == count;
}

} // namespace

TEST_CASE("columns are as many as classes and others, in either dimension")
{
    CHECK(is(columns_of_rows(rows(10, 12), known(6)), 1, 10));
    CHECK(is(columns_of_rows(rows(12, 10), known(6)), 2, 10));
    CHECK(is(columns_of_rows(rows(10, std::nullopt), known(6)), 1, 10));
    CHECK(is(columns_of_rows(rows(std::nullopt, 10), known(6)), 2, 10));
    // The declared ones are the anchors.
    CHECK(is(columns_of_rows(rows(8400, std::nullopt), known(80, image_extents(640, 640))), 2, 84));
    CHECK(is(columns_of_rows(rows(std::nullopt, 5000), known(80)), 1, 84));
    check_failure(failure::refused, {"fits 3 classes", "4 more"},
                  [] { (void)columns_of_rows(rows(10, 12), known(3)); });
}

TEST_CASE("anchors are as many as the grids have cells, or far more than columns")
{
    CHECK(is(columns_of_rows(rows(84, 8400), known({}, image_extents(640, 640))), 1, 84));
    CHECK(is(columns_of_rows(rows(8400, 84), known({}, image_extents(640, 640))), 2, 84));
    CHECK(is(columns_of_rows(rows(84, 5000), known({})), 1, 84));
    CHECK(is(columns_of_rows(rows(5000, 84), known({})), 2, 84));
    // 24 cells of the strides 16 and 32, but fewer than the other dimension has; 84 of ten anchors.
    for (const auto& some : {rows(24, 80), rows(84, 10)}) {
        check_failure(failure::refused, {"which dimension", "`num_classes`"},
                      [&] { (void)columns_of_rows(some, known({}, image_extents(64, 80))); });
    }
    CHECK(is(columns_of_rows(rows(24, 80), known({}, image_extents(64, 80), true)), 1, 24)); // as it is declared
}

TEST_CASE("one declared dimension has the columns where they usually are")
{
    CHECK(is(columns_of_rows(rows(84, std::nullopt), known({})), 1, 84));
    check_failure(failure::refused, {"anchors or its columns", "`num_classes` 80, or how many there are"},
                  [] { (void)columns_of_rows(rows(std::nullopt, 84), known({})); });
    check_failure(failure::refused, {"anchors or its columns", "`num_classes` 8396"},
                  [] { (void)columns_of_rows(rows(8400, std::nullopt), known({}, image_extents(640, 640))); });
    auto told = known(10); // whatever is declared; running the model tells
    told.is_told = true;
    const auto other = columns_of_rows(rows(std::nullopt, 84), told);
    CHECK((is(other, 1, 14) && !other.is_declared));
    check_failure(failure::refused, {"how many columns", "`num_classes` N"},
                  [] { (void)columns_of_rows(rows(std::nullopt, std::nullopt), known({})); });
    // With a number of classes, running the model tells.
    const auto open = columns_of_rows(rows(std::nullopt, std::nullopt), known(3));
    CHECK((is(open, 1, 7) && !open.is_declared));
    CHECK_FALSE(columns_of_rows(rows(8400, std::nullopt), known(80, image_extents(640, 640))).is_declared);
    CHECK(columns_of_rows(rows(84, std::nullopt), known({})).is_declared);
    check_failure(failure::refused, {"another size of the image"}, [] { (void)columns_of_rows(rows(9, 9), known(5)); });
}

TEST_CASE("class scores are in the dimension that the boxes' anchors leave, or that has as many as there are classes")
{
    CHECK(is(columns_of_scores(rows(60, 6), 60, {}), 2, 6));
    CHECK(is(columns_of_scores(rows(6, 60), 60, {}), 1, 6)); // as in PP-YOLOE's exports
    CHECK(is(columns_of_scores(rows(6, 60), {}, 6), 1, 6));
    CHECK(is(columns_of_scores(rows(std::nullopt, 6), {}, {}), 2, 6));
    CHECK(is(columns_of_scores(rows(std::nullopt, 60), 60, 6), 1, 6));
    CHECK(is(columns_of_scores(rows(std::nullopt, std::nullopt), 60, 6), 2, 6)); // as they usually are
    CHECK_FALSE(columns_of_scores(rows(std::nullopt, std::nullopt), 60, 6).is_declared);
    check_failure(failure::refused, {"how many classes"},
                  [] { (void)columns_of_scores(rows(std::nullopt, 60), 60, {}); });
    check_failure(failure::refused, {"its anchors or its classes"},
                  [] { (void)columns_of_scores(rows(6, std::nullopt), {}, {}); });
    check_failure(failure::refused, {"other anchors than the boxes, 50"},
                  [] { (void)columns_of_scores(rows(60, 6), 50, {}); });
}
