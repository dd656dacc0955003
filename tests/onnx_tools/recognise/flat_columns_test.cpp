// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/recognise/flat_columns.hpp>

#include <tests/support/check_failure.hpp>

#include <doctest/doctest.h>

#include <set>
#include <string_view>

using namespace padbatch::onnx_tools;
using namespace padbatch::test;
using enum padbatch::onnx_tools::flat_column;

TEST_CASE("column names go both ways")
{
    const auto columns = all_columns();
    CHECK(columns == flat_columns{batch, x1, y1, x2, y2, cx, cy, w, h, label, score});
    std::set<std::string_view> names;
    for (const auto column : columns) {
        names.insert(name_of(column));
        CHECK(column_from_name(name_of(column)) == column);
    }
    CHECK(names.size() == columns.size());
    CHECK_FALSE(column_from_name(""));
    CHECK_FALSE(column_from_name("X1"));
    CHECK_FALSE(column_from_name("labels"));
}

TEST_CASE("columns of rows are a box in one of two ways, a label and a score, in any order")
{
    CHECK(has(corners, y2));
    CHECK_FALSE(has(corners, w));
    const auto check_fails = [](const flat_columns& given) {
        check_failure(failure::usage, {"`columns`"}, [&] { require_columns(given, false); });
    };
    CHECK_NOTHROW(require_columns({batch, x1, y1, x2, y2, label, score}, false));
    CHECK_NOTHROW(require_columns({score, h, w, cy, cx, label}, false));
    check_fails({});
    check_fails({x1, y1, x2, y2, score});
    check_fails({x1, y1, x2, y2, label});
    check_fails({x1, y1, x2, label, score});
    check_fails({x1, y1, x2, y2, w, label, score}); // a part of the other way
    check_fails({x1, y1, x2, y2, cx, cy, w, h, label, score});
    check_fails({x1, y1, x2, y2, label, score, score});
    check_fails({batch, batch, x1, y1, x2, y2, label, score});
}

TEST_CASE("columns of boxes are the four of a box alone")
{
    CHECK_NOTHROW(require_columns({y1, x1, y2, x2}, true));
    CHECK_NOTHROW(require_columns(center_and_size, true));
    check_failure(failure::usage, {"`columns`", "5"}, [] { require_columns({x1, y1, x2, y2, score}, true); });
    check_failure(failure::usage, {"`columns`"}, [] { require_columns({x1, y1, w, h}, true); });
    check_failure(failure::usage, {"`columns`"}, [] { require_columns({x1, y1, x2, x2}, true); });
}
