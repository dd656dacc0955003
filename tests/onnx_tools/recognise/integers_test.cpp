// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/recognise/integers.hpp>

#include <tests/support/parse_model.hpp>

#include <doctest/doctest.h>

#include <optional>

using namespace padbatch;
using namespace padbatch::onnx_tools;
using padbatch::test::parse_model;

TEST_CASE("integers are told by the nodes that make them, and so is what they were")
{
    const auto model = parse_model(
        "<ir_version: 7, opset_import: [\"\" : 13]> g (float[n,4] x, int32[n] l, int64[1] i) => (float[n] y) "
        "{ best = ArgMax<axis = 1, keepdims = 0>(x) picked = Gather(best, i) as_float = Cast<to = 1>(picked) "
        "cut = Gather(as_float, i) small = Cast<to = 6>(picked) whole = Add(l, l) half = Cast<to = 10>(x) "
        "root = Sqrt(cut) y = Cast<to = 1>(half) }");
    const graph_index index(model.graph());
    CHECK(integer_type(index, "best") == element_type::int64);
    CHECK(integer_type(index, "picked") == element_type::int64);
    CHECK(integer_type(index, "small") == element_type::int32);
    CHECK(integer_type(index, "whole") == element_type::int32);
    CHECK(integer_type(index, "as_float") == std::nullopt);
    CHECK(holds_integers(index, "l"));
    CHECK_FALSE(holds_integers(index, "x"));
    CHECK(was_integer(index, "as_float"));
    CHECK(was_integer(index, "cut"));
    CHECK_FALSE(was_integer(index, "root")); // something else was computed
    CHECK_FALSE(was_integer(index, "y"));
    CHECK_FALSE(was_integer(index, "x"));
}
