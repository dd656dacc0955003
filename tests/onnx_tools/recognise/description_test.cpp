// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/recognise/description.hpp>

#include <tests/support/parse_model.hpp>
#include <tests/support/small_detector.hpp>

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace padbatch::onnx_tools;
using namespace padbatch::test;

namespace {

using strings = std::vector<std::string>;

// Outputs that one node makes, read as fields of two images, image by image.
detections described(const std::string& inputs, const std::string& outputs, const strings& names,
                     const std::vector<field>& fields, int images = 2)
{
    std::string made;
    for (const auto& name : names) {
        made += (made.empty() ? "" : ", ") + name;
    }
    const auto model = parse_model("<ir_version: 7, opset_import: [\"\" : 13]> g (" + inputs + ") => (" + outputs +
                                   ") { " + made + " = Net() }");
    return describe(graph_outputs(model), {0, images, output_order::by_image, fields});
}

detections of_inputs(const std::string& inputs, int images = 2)
{
    return images == 2 ? described(inputs, "float[n,4] b, float[m,4] c", {"b", "c"}, {field::boxes})
                       : described(inputs, "float[n,4] b", {"b"}, {field::boxes}, 1);
}

} // namespace

TEST_CASE("a description has the values of each field, image by image, and the outputs that are left")
{
    const auto model = small_detector({3, 13, "7", ""});
    const auto d =
        describe(graph_outputs(model), {0, 2, output_order::by_image, {field::boxes, field::labels, field::scores}});
    CHECK(d.batch == 2);
    REQUIRE(d.fields.size() == 3);
    CHECK(d.fields[0].values == strings{"b0", "b1"});
    CHECK(d.fields[2].values == strings{"s0", "s1"});
    CHECK(d.fields[1].element == padbatch::element_type::int64);
    CHECK(d.other_outputs == strings{"b2", "l2", "s2"});
    REQUIRE(d.limit);
    CHECK(d.limit->rows == 7);
}

TEST_CASE("extents of a row are those that all images declare")
{
    const auto row = [](const std::string& first, const std::string& second) {
        return described("float[3,8,8] x", "float[n," + first + "] k, float[m," + second + "] l", {"k", "l"},
                         {field::keypoints})
            .fields.front()
            .row;
    };
    CHECK(row("17,3", "17,3") == std::vector<dimension>{{17, ""}, {3, ""}});
    CHECK(row("17,3", "K,3") == std::vector<dimension>{{}, {3, ""}});
    CHECK(row("17,3", "5,3") == std::vector<dimension>{{}, {3, ""}});
    CHECK(row("K,3", "K,3") == std::vector<dimension>{{}, {3, ""}});
    CHECK(of_inputs("float[3,8,8] x").fields.front().row == std::vector<dimension>{{4, ""}});
    CHECK(described("float[3,8,8] x", "float[n,w] b", {"b"}, {field::boxes}, 1).fields.front().row ==
          std::vector<dimension>{{4, ""}}); // boxes have four numbers all the same
}

TEST_CASE("the size of masks is believed where that of the images is declared")
{
    const auto row = [](const std::string& inputs) {
        return described(inputs, "float[n,1,64,80] p", {"p"}, {field::masks}, 1).fields.front().row;
    };
    CHECK(row("float[1,3,64,80] x") == std::vector<dimension>{{1, ""}, {64, ""}, {80, ""}});
    CHECK(row("float[1,3,64,80] x, float threshold") == std::vector<dimension>{{1, ""}, {64, ""}, {80, ""}});
    CHECK(row("float[1,3,H,80] x") == std::vector<dimension>{{1, ""}, {}, {}});
    CHECK(row("float threshold") == std::vector<dimension>{{1, ""}, {}, {}});
}

TEST_CASE("inputs hold the images where they are one batch, or one image each, and nothing else")
{
    const auto batch = of_inputs("float[2,3,64,80] x");
    CHECK(batch.images == strings{"x"});
    CHECK(batch.image_rank == 4);
    CHECK_FALSE(batch.sizes_may_differ);
    CHECK(batch.image_size == image_extents(64, 80));
    const auto each = of_inputs("float[3,64,80] x, float[3,80,64] y");
    CHECK(each.images == strings{"x", "y"});
    CHECK(each.image_rank == 3);
    CHECK(each.sizes_may_differ);
    CHECK(each.image_size == image_extents(80, 80));
    for (const char* inputs : {"float[3,8,8] x", "float[2,3,8,8] x, float y", "float[3,8,8] x, float[8,8] y"}) {
        CAPTURE(inputs);
        const auto other = of_inputs(inputs);
        CHECK(other.images.empty());
        CHECK(other.image_rank == 0);
        CHECK(other.sizes_may_differ);
    }
    CHECK_FALSE(of_inputs("float[3,8,8] x", 1).sizes_may_differ);
}
