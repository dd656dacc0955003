// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/recognise/batch_inputs.hpp>

#include <tests/support/parse_model.hpp>

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace padbatch::onnx_tools;
using namespace padbatch::test;

namespace {

using strings = std::vector<std::string>;

onnx::ModelProto model_with(const std::string& inputs, const std::string& nodes)
{
    return parse_model("<ir_version: 7, opset_import: [\"\" : 13]> g (" + inputs + ") => (float[n] y) { " + nodes +
                       " }");
}

strings data_of(const onnx::ModelProto& model)
{
    strings names;
    const graph_index index(model.graph());
    for (const auto* input : inputs_of(index).data) {
        names.push_back(input->name());
    }
    return names;
}

strings weights_of(const onnx::ModelProto& model)
{
    return inputs_of(graph_index(model.graph())).weights;
}

// `images padded` of each input that is taken apart.
strings promises_of(const std::string& nodes)
{
    const auto model = model_with("float[n,3,8,8] x, float[2,3,8,8] fixed", nodes);
    const graph_index index(model.graph());
    strings found;
    for (const auto& promise : false_promises(index)) {
        CHECK(promise.input->name() == "x");
        found.push_back(std::to_string(promise.how.images) + " " + promise.how.node->op_type() +
                        (promise.how.padded ? " padded" : ""));
    }
    return found;
}

} // namespace

TEST_CASE("weights that callers must supply are told from images")
{
    const std::string images = "float[batch,3,8,8] x, ";
    auto model = model_with(images + "float[16,3,7,7] w, float[16] b, float[1,16,1,1] scale",
                            "c = Conv(x, w, b) y = Mul(c, scale)");
    CHECK(data_of(model) == strings{"x"});
    CHECK(weights_of(model) == strings{"w", "b", "scale"});
    for (const auto* nodes :
         {"t = Transpose(w) y = MatMul(x, t)", "t = Identity(w) u = Cast <to = 1> (t) y = Gemm(x, u)", "y = Conv(x, w)",
          "y = ConvTranspose(x, w)"}) {
        CAPTURE(nodes);
        CHECK(weights_of(model_with(images + "float[16,3,7,7] w", nodes)) == strings{"w"});
    }
    // One image, whose extents are as fixed as those of the weights.
    model =
        model_with("float[1,3,8,8] x, float[16,3,7,7] w, float[1,16,1,1] scale", "c = Conv(x, w) y = Mul(c, scale)");
    CHECK(data_of(model) == strings{"x"});
    CHECK(weights_of(model) == strings{"w", "scale"});
    // Nothing here is a weight: two images, sizes, and what has an open extent.
    for (const auto* inputs :
         {"float[3,8,8] x, float[3,8,8] w", "float[n,3,8,8] x, float[2] w", "float[n,3] x, float[n,4] w"}) {
        CAPTURE(inputs);
        CHECK(data_of(model_with(inputs, "y = Add(x, w)")) == strings{"x", "w"});
    }
    CHECK(weights_of(model_with("float[n,3] x, float[3,k] w", "y = MatMul(x, w)")).empty());
    model.mutable_graph()->add_initializer()->set_name("w"); // a default
    CHECK(data_of(model) == strings{"x", "scale"});
}

TEST_CASE("one number for all images of a run is neither data nor a weight")
{
    const auto settings_of = [](const onnx::ModelProto& model) {
        return inputs_of(graph_index(model.graph())).settings;
    };
    auto model = model_with("float[n,3,8,8] x, float[1] t, int32 k, float[n,1] each, float[2] two", "y = Net(x)");
    CHECK(settings_of(model) == strings{"t", "k"});
    CHECK(data_of(model) == strings{"x", "each", "two"});
    CHECK(batched_inputs(graph_index(model.graph())) == strings{"x", "each", "two"});
    model.mutable_graph()->add_initializer()->set_name("t"); // a default
    CHECK(settings_of(model) == strings{"k"});
    CHECK(settings_of(model_with("float[3,8,8] x, float[1] t", "y = Net(x)")) == strings{"t"});
    CHECK(settings_of(model_with("float[n,4] boxes, float[1] t", "y = Net(x)")).empty()); // there are no images
    CHECK(weights_of(model_with("float[n,3,8,8] x, float[16,3,7,7] w, float[1] s", "c = Conv(x, w) y = Mul(c, s)")) ==
          strings{"w", "s"});
}

TEST_CASE("inputs that begin with the batch")
{
    const auto batched = [](const std::string& inputs) {
        const auto model = model_with(inputs, "y = Net(a)");
        return batched_inputs(graph_index(model.graph()));
    };
    CHECK(batched("float[n,3,8,8] a, float[2,3] b, float[3,8,8] c, float[n,8,8] d") == strings{"a", "b", "d"});
}

TEST_CASE("batches that are taken apart, behind what changes each image and what adds images")
{
    const std::string positions = "i = Constant <value_ints = [0]> () j = Constant <value_ints = [1]> () "
                                  "mean = Constant <value_floats = [0.5]> () ";
    const std::string gathers = "a = Gather(p, i) b = Gather(p, j) y = Add(a, b)";
    CHECK(promises_of(positions + "p = Identity(x) " + gathers) == strings{"2 Gather"});
    CHECK(promises_of(positions + "q = Sub(x, mean) p = Div(q, mean) " + gathers) == strings{"2 Gather"});
    CHECK(promises_of(positions + "p = Sub(x, fixed) " + gathers).empty()); // of what, is not known
    CHECK(promises_of(positions + "p = Conv(x, fixed) " + gathers).empty());
    // However many images are missing.
    const std::string missing =
        "s = Shape(x) z = Constant <value_ints = [0]> () e = Constant <value_ints = [1]> () n = "
        "Slice(s, z, e) two = Constant <value_ints = [2]> () d = Sub(two, n) m = Max(d, z) zeros = "
        "Constant <value_ints = [0, 0, 0, 0]> () more = Constant <value_ints = [0, 0, 0]> () pads = "
        "Concat <axis = 0> (zeros, m, more) p = Pad(x, pads) ";
    CHECK(promises_of(positions + missing + gathers) == strings{"2 Gather padded"});
    CHECK(promises_of(missing + "a, b = Split(p) y = Add(a, b)") == strings{"2 Split padded"});
    CHECK(promises_of(positions + missing + "o = Neg(p) " + gathers).empty()); // all of them are used
    CHECK(promises_of(positions + "pads = Constant <value_ints = [0, 0, 0, 0, 1, 0, 0, 0]> () p = Pad(x, pads) " +
                      gathers) == strings{"2 Gather padded"});
    CHECK(promises_of(positions + "pads = Constant <value_ints = [0, 0, 0, 0, 0, 0, 1, 1]> () p = Pad(x, pads) " +
                      gathers) == strings{"2 Gather"});
    // A broken graph with a cycle.
    CHECK(promises_of("p = Identity(x) p2 = Add(p2, p)").empty());
    CHECK(promises_of("c = Constant <value_floats = [0.5]> () p = Identity(x) q = Identity(p) p = Mul(q, c)").empty());
}
