// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/recognise/walk.hpp>

#include <tests/support/parse_model.hpp>

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

using namespace padbatch::onnx_tools;
using namespace padbatch::test;

namespace {

// The operators that a walk from `value` meets, in its order. It goes on above no node of the operator `last`.
std::vector<std::string> walked(const std::string& nodes, const std::string& value, const std::string& last = "")
{
    const auto model =
        parse_model("<ir_version: 7, opset_import: [\"\" : 13]> g (float[n] x) => (float[n] y) { " + nodes + " }");
    const graph_index index(model.graph());
    std::vector<std::string> operators;
    walk_up(index, value, [&](const onnx::NodeProto& node) {
        operators.push_back(node.op_type());
        return node.op_type() == last ? std::vector<std::string_view>() : values_read(node);
    });
    return operators;
}

using operators = std::vector<std::string>;

const std::string diamond = "top = Top(x) far = Far(top) left = Left(far) right = Right(top) y = Join(left, right) "
                            "beside = Beside(top)";

} // namespace

TEST_CASE("a walk up the graph meets each node once, nearest first")
{
    CHECK(walked(diamond, "y") == operators{"Join", "Left", "Right", "Far", "Top"});
    CHECK(walked(diamond, "far") == operators{"Far", "Top"});
    CHECK(walked(diamond, "x").empty()); // an input
    CHECK(walked(diamond, "unknown").empty());
}

TEST_CASE("a walk goes on only where it is told to")
{
    CHECK(walked(diamond, "y", "Left") == operators{"Join", "Left", "Right", "Top"});
    CHECK(walked(diamond, "y", "Join") == operators{"Join"});
}

TEST_CASE("a walk ends in a graph that goes in a circle")
{
    CHECK(walked("y = A(c) b = B(y, x) c = C(b)", "y") == operators{"A", "C", "B"});
}
