// SPDX-License-Identifier: Apache-2.0
// What the nodes compute, flat_runtime_tests run.
#include <onnx_tools/recognise/row_nodes.hpp>

#include <onnx_tools/model/check.hpp>

#include <tests/support/parse_model.hpp>

#include <doctest/doctest.h>

#include <string>
#include <utility>

using namespace padbatch::onnx_tools;
using namespace padbatch::test;

TEST_CASE("the nodes that find images are sound, and the outputs that they replace go")
{
    for (const int opset : {11, 13}) {
        CAPTURE(opset);
        auto model =
            parse_model("<ir_version: 7, opset_import: [\"\" : " + std::to_string(opset) +
                        "]> g (float[B,3,H,W] images, float[n,6] x, int32[B] y) => (float[n,6] rows, int32[B] "
                        "counts, float[n,6] more) { rows = Identity(x) counts = Identity(y) more = Identity(x) }");
        row_nodes nodes(model);
        const auto images = nodes.images_by_counts("rows", "counts", "images");
        nodes.require_not_negative("labels", nodes.column("labels", "rows", 0));
        nodes.require_positive("scores", nodes.column("scores", "rows", 1));
        const auto index = nodes.image_if_detection("rows", images);
        onnx::ValueInfoProto info;
        info.set_name(index);
        info.mutable_type()->mutable_tensor_type()->set_elem_type(onnx::TensorProto::INT64);
        const auto made = std::move(nodes).finish(model, {"counts"}, {info});
        rearrange(*model.mutable_graph(), made);
        CHECK(complaints(model).empty());
        REQUIRE(model.graph().output_size() == 3);
        CHECK(model.graph().output(0).name() == index);
        CHECK(model.graph().output(1).name() == "rows");
        CHECK(model.graph().output(2).name() == "more");
    }
}

TEST_CASE("without a condition every row is a detection")
{
    const auto model =
        parse_model("<ir_version: 7, opset_import: [\"\" : 13]> g (float[1,1,n,7] x) => (float[1,1,n,7] y) { "
                    "y = Identity(x) }");
    row_nodes nodes(model);
    const auto rows = nodes.without_front("y", 2);
    const auto image = nodes.whole("image", nodes.column("image", rows, 0));
    CHECK(nodes.image_if_detection(rows, image) == image);
    nodes.require_in_front_of_negative("image", image);
    CHECK(nodes.image_if_detection(rows, image) != image);
}
