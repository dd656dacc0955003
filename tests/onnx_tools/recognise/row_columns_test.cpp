// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/recognise/row_columns.hpp>

#include <tests/support/parse_model.hpp>

#include <doctest/doctest.h>

#include <string>

using namespace padbatch::onnx_tools;
using namespace padbatch::test;

namespace {

// What is shown about rows that are joined from a box, a score and two integers.
shown_columns shown_for(const std::string& parts, int columns)
{
    const auto model = parse_model(
        "<ir_version: 7, opset_import: [\"\" : 13, \"x\" : 1]> g (float[n,4] box, float[n,1] "
        "score, int64[n,1] i) => (float[n," +
        std::to_string(columns) + "] rows) { whole = Cast<to = 1>(i) rows = Concat<axis = 1>(" + parts + ") }");
    const graph_index index(model.graph());
    return columns_shown(index, {"rows", declared_type(model.graph().output(0))}, columns == 7);
}

} // namespace

TEST_CASE("the order of columns is shown where one alone fits")
{
    const auto six = shown_for("whole, score, box", 6);
    CHECK(six.certain);
    CHECK(text_of(six.fitting.front()) == "label,score,x1,y1,x2,y2");
    CHECK(six.origins.size() == 6);
    CHECK(text_of(shown_for("box, score, whole", 6).fitting.front()) == "x1,y1,x2,y2,score,label");
    CHECK(text_of(shown_for("score, whole, box", 6).fitting.front()) == "score,label,x1,y1,x2,y2");
    const auto seven = shown_for("whole, box, score, whole", 7);
    CHECK(seven.certain);
    CHECK(text_of(seven.fitting.front()) == "batch,x1,y1,x2,y2,score,label");
    CHECK_FALSE(shown_for("box, score, score", 6).certain);
    CHECK(shown_for("box, whole, whole", 6).fitting.empty());
}

TEST_CASE("the first of the known orders is the usual one")
{
    CHECK(text_of(known_columns(true).front()) == "batch,x1,y1,x2,y2,label,score");
    CHECK(text_of(known_columns(false).front()) == "x1,y1,x2,y2,score,label");
}
