// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/recognise/head_evidence.hpp>

#include <tests/support/parse_model.hpp>

#include <doctest/doctest.h>

#include <optional>
#include <string>
#include <utility>

using namespace padbatch::onnx_tools;
using padbatch::test::parse_model;

namespace {

onnx::ModelProto with_metadata(const std::string& key, const std::string& value)
{
    onnx::ModelProto model;
    auto& entry = *model.add_metadata_props();
    entry.set_key(key);
    entry.set_value(value);
    return model;
}

std::optional<bool> decoded(const std::string& nodes)
{
    const auto model = parse_model(
        "<ir_version: 8, opset_import: [\"\" : 13]> g (float[1,3,8,8] x, float[7,3,1,1] w, float[1,7,64] g, "
        "int64[3] s) => (float[1,64,7] y) { c = Conv(x, w) r = Reshape(c, s) " +
        nodes + " }");
    return are_decoded(graph_index(model.graph()), "y");
}

} // namespace

TEST_CASE("classes are counted as the metadata names them, whatever the names hold")
{
    CHECK(named_classes(with_metadata("names", "{0: 'person', 1: 'car'}")) == 2);
    CHECK(named_classes(with_metadata("names", R"({0: "driver's seat: left", 1: 'it\'s', 2: '{3: }'})")) == 3);
    CHECK(named_classes(with_metadata("names", "{}")) == std::nullopt);
    CHECK(named_classes(with_metadata("names", "{0: 'person")) == std::nullopt);
    CHECK(named_classes(with_metadata("names", "{0: 'person}")) == std::nullopt);
    CHECK(named_classes(with_metadata("names", "['person']")) == std::nullopt);
    CHECK(named_classes(with_metadata("other", "{0: 'person'}")) == std::nullopt);
}

TEST_CASE("keypoints are what the metadata says, and nothing else")
{
    CHECK(keypoint_shape(with_metadata("kpt_shape", "[17, 3]")) == std::pair<std::int64_t, std::int64_t>(17, 3));
    CHECK(keypoint_shape(with_metadata("kpt_shape", "[4,2]")) == std::pair<std::int64_t, std::int64_t>(4, 2));
    for (const char* text : {"", "[17]", "[17, 4]", "[0, 3]", "(17, 3)", "17, 3", "[-1, 3]"}) {
        CAPTURE(text);
        CHECK(keypoint_shape(with_metadata("kpt_shape", text)) == std::nullopt);
    }
}

TEST_CASE("boxes are decoded if something is computed behind the last layer")
{
    CHECK(decoded("y = Transpose<perm = [0, 2, 1]>(r)") == false);
    CHECK(decoded("a, b = Split<axis = 1>(r) o = Sigmoid(b) j = Concat<axis = 1>(a, o) y = Identity(j)") == false);
    CHECK(decoded("e = Exp(r) y = Transpose<perm = [0, 2, 1]>(e)") == true);
    CHECK(decoded("p = Sigmoid(r) q = Add(p, g) y = Transpose<perm = [0, 2, 1]>(q)") == true);
    CHECK(decoded("y = Relu(r)") == std::nullopt);
}

TEST_CASE("an activation is seen behind what only moves and converts")
{
    const auto model =
        parse_model("<ir_version: 8, opset_import: [\"\" : 13]> g (float[1,4,3] x) => (float[1,4,3] a) { "
                    "s = Sigmoid(x) a = Identity(s) m = Softmax(x) b = Cast<to = 10>(m) c = Neg(s) }");
    const graph_index index(model.graph());
    CHECK(activation_of(index, "a") == score_activation::sigmoid);
    CHECK(activation_of(index, "b") == score_activation::softmax);
    CHECK(activation_of(index, "c") == std::nullopt);
    CHECK(activation_of(index, "x") == std::nullopt);
}

TEST_CASE("the usual grids have so many cells")
{
    CHECK(is_anchor_count(8400, {640, 640}));
    CHECK(is_anchor_count(25200, {640, 640})); // three anchors a cell
    CHECK(is_anchor_count(6300, {480, 640}));
    CHECK(is_anchor_count(34000, {1280, 1280})); // with stride 64
    CHECK_FALSE(is_anchor_count(84, {640, 640}));
    CHECK_FALSE(is_anchor_count(0, {4, 4}));
}
