// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/recognise/family.hpp>

#include <tests/support/parse_model.hpp>

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace padbatch::onnx_tools;
using namespace padbatch::test;

namespace {

std::string family(const std::string& nodes, std::vector<field> more = {})
{
    const auto model =
        parse_model("<ir_version: 7, opset_import: [\"\" : 13]> g (float[n] x) => (float[n] scores) { " + nodes + " }");
    more.insert(more.begin(), {field::boxes, field::labels, field::scores});
    return family_of(graph_index(model.graph()), "scores", more);
}

} // namespace

TEST_CASE("models that align regions are told apart by their fields")
{
    const std::string nodes = "regions = RoiAlign(x) scores = Softmax(regions)";
    CHECK(family(nodes) == "Faster R-CNN");
    CHECK(family(nodes, {field::masks}) == "Mask R-CNN");
    CHECK(family(nodes, {field::keypoints}) == "Keypoint R-CNN");
    CHECK(family("regions = RoiAlign(x) scores = Sigmoid(regions)") == "Faster R-CNN");
}

TEST_CASE("models with a softmax are told apart by their convolutions")
{
    CHECK(family("wide = Conv(x) scores = Softmax(wide)") == "SSD300");
    CHECK(family("wide = Conv <group = 1> (x) scores = Softmax(wide)") == "SSD300");
    CHECK(family("deep = Conv <group = 8> (x) wide = Conv(deep) scores = Softmax(wide)") == "SSDlite320");
}

TEST_CASE("models with a sigmoid are told apart by a root of the probabilities")
{
    CHECK(family("scores = Sigmoid(x)") == "RetinaNet");
    CHECK(family("p = Sigmoid(x) c = Sigmoid(x) product = Mul(p, c) scores = Sqrt(product)") == "FCOS");
    CHECK(family("root = Sqrt(x) scores = Sigmoid(root)") == "RetinaNet"); // a root in the network is another one
}

TEST_CASE("what does not make the scores says nothing about the family")
{
    CHECK(family("scores = Relu(x)").empty());
    CHECK(family("scores = Relu(x) regions = RoiAlign(scores) beside = Sigmoid(x)").empty());
    CHECK(family("scores = Relu(x)", {field::masks}).empty());
}
