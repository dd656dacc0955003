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
    const auto model = parse_model(
        "<ir_version: 8, opset_import: [\"\" : 13]> g (float[1,4,3] x) => (float[1,4,3] a) "
        "<int64[1] zero = {0}, int64[1] one = {1}, int64[1] minus = {-1}> { s = Sigmoid(x) a = Identity(s) m = "
        "Softmax<axis = -1>(x) "
        "b = Cast<to = 10>(m) c = Neg(s) d = Softmax<axis = 1>(x) e = Softmax(x) f = Slice(m, zero, minus, minus) "
        "h = Slice(m, zero, one, minus) }");
    const graph_index index(model.graph());
    CHECK(activation_of(index, "a") == score_activation::sigmoid);
    CHECK(activation_of(index, "b") == score_activation::softmax);
    CHECK(activation_of(index, "c") == std::nullopt);
    CHECK(activation_of(index, "x") == std::nullopt);
    CHECK(activation_of(index, "d") == std::nullopt); // not of each query's classes
    CHECK(activation_of(index, "e") == std::nullopt); // which axis it is depends on the opset
    CHECK(activation_of(index, "f") == score_activation::softmax);
    CHECK(lost_last_class(index, "f"));
    CHECK_FALSE(lost_last_class(index, "m"));
    CHECK(activation_of(index, "h") == std::nullopt); // the first class alone
}

TEST_CASE("numbers of a layer are logits unless a function has made scores of some of them")
{
    const auto among = [](const std::string& nodes) {
        const auto model = parse_model(
            "<ir_version: 8, opset_import: [\"\" : 13]> g (float[1,3,8,8] x, float[7,3,1,1] w, float[1,7,8,8] o) => "
            "(float[1,7,8,8] y) { c = Conv(x, w) " +
            nodes + " }");
        return scores_among(graph_index(model.graph()), "y");
    };
    CHECK(among("y = Identity(c)") == shown_scores::logits);
    CHECK(among("b = Mul(c, o) y = Concat<axis = 1>(b, c)") == shown_scores::logits);
    CHECK(among("s = Sigmoid(c) y = Concat<axis = 1>(c, s)") == shown_scores::scores);
    CHECK(among("y = Mul(c, o)") == shown_scores::unknown);
    CHECK(among("y = Identity(o)") == shown_scores::unknown);
}

TEST_CASE("fractions and pixels are seen by the last that is computed")
{
    const auto fractions = [](const std::string& nodes) {
        const auto model =
            parse_model("<ir_version: 8, opset_import: [\"\" : 13]> g (float[1,7,2] x, float[1,7,2] z) => "
                        "(float[1,7,4] y) <float[1] half = {0.5}, float[1] stride = {8.0}, float[2] size = "
                        "{640.0, 480.0}, float[2] inverse = {0.002, 0.0015}, float[2] mixed = {1.0, 640.0}, "
                        "float[1] cell = {7.5}, float[1] small = {0.25}> { s = Sigmoid(x) t = Sigmoid(z) " +
                        nodes + " }");
        return are_fractions(graph_index(model.graph()), "y");
    };
    CHECK(fractions("y = Concat<axis = 2>(s, t)") == true);
    CHECK(fractions("h = Mul(t, half) a = Sub(s, h) b = Add(s, h) y = Concat<axis = 2>(a, b)") == true);
    CHECK(fractions("a = Add(s, small) y = Concat<axis = 2>(a, t)") == true);
    CHECK(fractions("y = Div(x, size)") == true);
    CHECK(fractions("y = Mul(inverse, x)") == true);
    CHECK(fractions("y = Mul(x, size)") == false);
    CHECK(fractions("a = Add(s, x) b = Mul(a, stride) y = Concat<axis = 2>(b, t)") == false);
    CHECK(fractions("a = Add(s, cell) y = Concat<axis = 2>(a, t)") == std::nullopt);
    CHECK(fractions("y = Mul(x, mixed)") == std::nullopt);
    CHECK(fractions("y = Mul(x, z)") == std::nullopt);
    CHECK(fractions("a = Add(s, x) y = Identity(a)") == std::nullopt);
    CHECK(fractions("y = Identity(x)") == std::nullopt);
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
