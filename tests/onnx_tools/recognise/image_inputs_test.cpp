// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/recognise/image_inputs.hpp>

#include <onnx_tools/rewrite.hpp>
#include <tests/support/fixture_models.hpp>
#include <tests/support/parse_model.hpp>

#include <doctest/doctest.h>

#include <optional>
#include <string>
#include <vector>

using namespace padbatch::onnx_tools;
using namespace padbatch::test;

namespace {

std::optional<image_extents> size_of(const std::string& inputs)
{
    const auto model =
        parse_model("<ir_version: 7, opset_import: [\"\" : 13]> g (" + inputs + ") => (float[n] y) { y = Net() }");
    return declared_image_size(graph_index(model.graph()));
}

const auto nothing = std::optional<image_extents>();

bool channels_last(const std::vector<std::int64_t>& extents)
{
    std::vector<dimension> shape;
    for (const auto extent : extents) {
        shape.push_back(extent < 0 ? dimension{std::nullopt, "open"} : dimension{extent, ""});
    }
    return has_channels_last(shape);
}

// A Mask R-CNN whose masks are declared to have the size of its images, which is fixed, and a scalar input beside them.
onnx::ModelProto with_threshold_input(const std::string& name)
{
    auto model = fixture_named(name).model;
    auto& graph = *model.mutable_graph();
    for (auto& output : *graph.mutable_output()) {
        auto& shape = *output.mutable_type()->mutable_tensor_type()->mutable_shape();
        if (shape.dim_size() == 4) {
            shape.mutable_dim(1)->set_dim_value(1);
            shape.mutable_dim(2)->set_dim_value(64);
            shape.mutable_dim(3)->set_dim_value(80);
        }
    }
    auto& input = *graph.add_input();
    input.set_name("threshold");
    auto& type = *input.mutable_type()->mutable_tensor_type();
    type.set_elem_type(onnx::TensorProto::FLOAT);
    type.mutable_shape();
    return model;
}

} // namespace

TEST_CASE("the declared size of the images is the largest height and the largest width of the image inputs")
{
    CHECK(size_of("float[B,3,64,80] x") == image_extents(64, 80));
    CHECK(size_of("float[3,64,80] x") == image_extents(64, 80));
    CHECK(size_of("float[3,64,80] x, float[3,90,20] y, float[3,10,10] z") == image_extents(90, 80));
    CHECK(size_of("uint8[1,64,80,3] x") == image_extents(64, 80));
    CHECK(size_of("float[64,80,3] x") == image_extents(64, 80));
}

TEST_CASE("an image input that leaves its height or width open leaves the size unknown")
{
    CHECK(size_of("float[B,3,H,80] x") == nothing);
    CHECK(size_of("float[B,3,64,W] x") == nothing);
    CHECK(size_of("float[B,H,80,3] x") == nothing);
    CHECK(size_of("float[3,64,80] x, float[3,H,W] y") == nothing);
    CHECK(size_of("float[3,H,W] x, float[3,64,80] y") == nothing);
}

TEST_CASE("inputs of other ranks say nothing about the size")
{
    CHECK(size_of("float[B,3,64,80] x, float threshold") == image_extents(64, 80));
    CHECK(size_of("int64[n,2] sizes, float[B,3,64,80] x") == image_extents(64, 80));
    CHECK(size_of("float[B,3,64,80] x, float[k] any, float[1,2,B,3,900,900] more") == image_extents(64, 80));
    CHECK(size_of("float threshold, int64[2,2] sizes") == nothing);
}

TEST_CASE("an input that has an initializer is no image")
{
    auto model = parse_model("<ir_version: 7, opset_import: [\"\" : 13]> g (float[B,3,64,80] x, float[9,3,900,900] w) "
                             "=> (float[n] y) { y = Net(x, w) }");
    CHECK(declared_image_size(graph_index(model.graph())) == image_extents(900, 900));
    model.mutable_graph()->add_initializer()->set_name("w");
    CHECK(declared_image_size(graph_index(model.graph())) == image_extents(64, 80));
}

TEST_CASE("channels are last where the last extent is their number and the usual place holds another")
{
    CHECK(channels_last({1, 64, 80, 3}));
    CHECK(channels_last({64, 80, 1}));
    CHECK(channels_last({-1, -1, -1, 3}));
    CHECK_FALSE(channels_last({1, 3, 64, 80}));
    CHECK_FALSE(channels_last({3, 64, 3})); // three pixels wide
    CHECK_FALSE(channels_last({1, 64, 80, 4}));
    CHECK_FALSE(channels_last({-1, -1, -1, -1}));
    CHECK_FALSE(channels_last({80, 3}));
}

TEST_CASE("a scalar input beside images of a fixed size leaves the size of the masks known")
{
    const std::string one = "mask_rcnn_tv029_b1_tensor_op20";
    auto model = with_threshold_input(one);
    const auto p = rewrite(model);
    CHECK(p.source.image_size == image_extents(64, 80));
    const auto& masks = p.outputs[place_of(p, field::masks).value()];
    CHECK(masks.shape == std::vector<dimension>{{1, ""}, {10, ""}, {1, ""}, {64, ""}, {80, ""}});
    CHECK(masks.bytes.total == 10 * 64 * 80 * 4);
    CHECK(masks.bytes.factors.empty());
    CHECK(declared_type(model.graph().output(4)).shape == masks.shape);

    // Two images in one tensor, whose masks the file does not give a size.
    auto open = with_threshold_input("mask_rcnn_tv014_b2_tensor_op16");
    for (auto& output : *open.mutable_graph()->mutable_output()) {
        auto& shape = *output.mutable_type()->mutable_tensor_type()->mutable_shape();
        if (shape.dim_size() == 4) {
            shape.mutable_dim(2)->set_dim_param("h");
            shape.mutable_dim(3)->set_dim_param("w");
        }
    }
    const auto q = rewrite(open);
    const auto& open_masks = q.outputs[place_of(q, field::masks).value()];
    CHECK_FALSE(open_masks.shape[3].size);
    CHECK(open_masks.bytes.total == 2 * 10 * 64 * 80 * 4);

    // Images of any size: what the file says of the masks is that of the image that it was traced with.
    auto any = with_threshold_input(one);
    auto& shape = *any.mutable_graph()->mutable_input(0)->mutable_type()->mutable_tensor_type()->mutable_shape();
    shape.mutable_dim(3)->set_dim_param("W");
    const auto r = rewrite(any);
    const auto& any_masks = r.outputs[place_of(r, field::masks).value()];
    CHECK_FALSE(any_masks.shape[3].size);
    CHECK_FALSE(any_masks.bytes.total);
}
