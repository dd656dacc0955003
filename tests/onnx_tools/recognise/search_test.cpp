// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/recognise/search.hpp>

#include <tests/support/parse_model.hpp>
#include <tests/support/small_detector.hpp>

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace padbatch::onnx_tools;
using namespace padbatch::test;

namespace {

using fields = std::vector<field>;

const fields three{field::boxes, field::labels, field::scores};

recognise_options options_of(std::optional<std::int64_t> batch, std::optional<output_order> order = {})
{
    recognise_options options;
    options.batch = batch;
    options.order = order;
    return options;
}

} // namespace

TEST_CASE("a search finds the one complete reading, and a part as an incomplete one")
{
    const auto model = small_detector();
    const graph_outputs outputs(model);
    const auto found = search(outputs, {});
    REQUIRE(found.possible.size() == 1);
    const auto& r = found.possible.front();
    CHECK(r.first == 0);
    CHECK(r.images == 2);
    CHECK(r.order == output_order::by_image);
    CHECK(r.fields == three);
    // The first image, the second, or without labels: those from the first output on come first.
    REQUIRE(found.incomplete);
    CHECK(found.incomplete->first == 0);
    CHECK(found.incomplete->count() == 3);
    CHECK(found.incomplete->images == 1);
}

TEST_CASE("a search keeps to the batch and the order that are given")
{
    const auto model = small_detector();
    const graph_outputs outputs(model);
    CHECK(search(outputs, options_of(2, output_order::by_image)).possible.size() == 1);
    CHECK(search(outputs, options_of(1)).possible.empty());
    CHECK(search(outputs, options_of(1)).incomplete.has_value());
    CHECK_FALSE(search(outputs, options_of(3)).incomplete.has_value());
    CHECK(search(outputs, options_of(2, output_order::by_field)).possible.empty());
    // One image is in either order, and is read once.
    const auto one = small_detector({1, 13, "7", ""});
    const graph_outputs alone(one);
    const auto found = search(alone, options_of(1, output_order::by_field));
    REQUIRE(found.possible.size() == 1);
    CHECK(found.possible.front().fields == three);
}

TEST_CASE("an output is left over where it may belong to the images, or to one more")
{
    auto model = small_detector({2, 13, "7", "features = Net(all_boxes) of_boxes = Net(b0) count = Shape(s0)"});
    const auto add = [&](const std::string& name, int rank) {
        auto& output = *model.mutable_graph()->add_output();
        output.set_name(name);
        auto& type = *output.mutable_type()->mutable_tensor_type();
        type.set_elem_type(onnx::TensorProto::FLOAT);
        for (int i = 0; i < rank; ++i) {
            type.mutable_shape()->add_dim();
        }
    };
    add("features", 5);
    add("of_boxes", 5);
    add("count", 5);
    const graph_outputs outputs(model);
    const reading both{0, 2, output_order::by_image, three};
    CHECK_FALSE(is_left_over(outputs, both, 0)); // covered
    CHECK_FALSE(is_left_over(outputs, both, 6)); // from no cut
    CHECK(is_left_over(outputs, both, 7));       // a row for each detection
    CHECK_FALSE(is_left_over(outputs, both, 8)); // a shape
    const reading first{0, 1, output_order::by_image, three};
    CHECK(is_left_over(outputs, first, 3)); // by its type, and its own cut
}

TEST_CASE("where no output shows a cut the types decide")
{
    const auto model = parse_model("<ir_version: 7, opset_import: [\"\" : 13]> g (float[n,4] x) => "
                                   "(float[a,4] b, float[a] s, float[c] t, float[1,2,3] f) { b, s, t, f = Net(x) }");
    const graph_outputs outputs(model);
    const reading r{0, 1, output_order::by_image, {field::boxes, field::scores}};
    CHECK(is_left_over(outputs, r, 2));
    CHECK_FALSE(is_left_over(outputs, r, 3));
    CHECK(search(outputs, {}).possible.empty());
}

TEST_CASE("an output with a fixed extent has no rows where those of the boxes vary")
{
    const auto found = [](const std::string& size) {
        const auto model =
            parse_model("<ir_version: 7, opset_import: [\"\" : 13]> g (float[3,h,w] x) => (float[n,4] b, "
                        "int64[n] l, float[n] s, int64[" +
                        size + "] extra) { b, l, s, extra = Net(x) }");
        const graph_outputs outputs(model);
        return search(outputs, {}).possible.size();
    };
    CHECK(found("2") == 1); // the size of the image, say
    CHECK(found("m") == 0);
}

TEST_CASE("thousands of outputs are read one image after the other")
{
    const auto model = small_detector({1000, 13, "7", ""});
    const graph_outputs outputs(model);
    const auto found = search(outputs, {});
    REQUIRE(found.possible.size() == 1);
    CHECK(found.possible.front().images == 1000);
    CHECK(found.possible.front().fields == three);
}
