// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/recognise/row_list.hpp>

#include <tests/support/check_failure.hpp>
#include <tests/support/parse_model.hpp>

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace padbatch::onnx_tools;
using namespace padbatch::test;
using padbatch::element_type;

namespace {

using strings = std::vector<std::string>;

onnx::ModelProto with_inputs(const std::string& inputs)
{
    return parse_model("<ir_version: 7, opset_import: [\"\" : 13]> g (" + inputs +
                       ") => (float[n,7] a, float[n] b, float[] c) { a, b = Net() c = Identity(b) }");
}

void check_refused(const std::string& inputs, const strings& words)
{
    const auto model = with_inputs(inputs);
    check_failure(failure::refused, words, [&] { (void)row_list(model); });
}

} // namespace

TEST_CASE("a list of rows takes its number of images from the one input of rank 4")
{
    const auto model = with_inputs("float threshold, float[B,3,64,80] x, int64[B,2] sizes");
    const row_list list(model);
    CHECK(list.source.batch_input == "x");
    CHECK(list.batch == dimension{{}, "B"});
    CHECK(list.found.images == strings{"x"});
    CHECK(list.found.image_rank == 4);
    REQUIRE(list.outputs.size() == 3);
    CHECK(list.outputs[2].type.rank == 1);
    check_refused("float[3,64,80] x, int64[2] sizes", {"'x'", "'sizes'", "[B, 3, H, W]"});
    check_refused("float[B,3,64,80] x, float[B,3,64,80] y", {"'x'", "'y'"});
}

TEST_CASE("an input whose channels come last tells the number of images, and is not said to hold them")
{
    const auto model = with_inputs("uint8[4,64,80,3] x");
    const row_list list(model);
    CHECK(list.batch == dimension{4, ""});
    CHECK(list.source.batch_input == "x");
    CHECK(list.found.images.empty());
    CHECK(list.found.image_rank == 0);
}

TEST_CASE("what is found of a list of rows: three fields, other outputs, the size of the images")
{
    const auto model = with_inputs("float[B,3,64,80] x, float threshold");
    row_list list(model);
    list.source.rows = "a";
    list.taken = {"a", "c"};
    list.set_fields(element_type::float16, element_type::float64);
    const auto found = std::move(list).finish();
    REQUIRE(found.flat);
    CHECK(found.flat->rows == "a");
    CHECK(found.other_outputs == strings{"b"});
    CHECK(found.image_size == image_extents(64, 80));
    REQUIRE(found.fields.size() == 3);
    CHECK(find_field(found, field::boxes)->element == element_type::float16);
    CHECK(find_field(found, field::boxes)->row == std::vector<dimension>{{4, ""}});
    CHECK(find_field(found, field::labels)->element == element_type::int64);
    CHECK(find_field(found, field::scores)->element == element_type::float64);
    CHECK(find_field(found, field::scores)->row.empty());
}

TEST_CASE("types of outputs: floating point of a rank, and the last extent")
{
    const value_type rows{element_type::float16, 2, {{{}, "n"}, {7, ""}}};
    CHECK(is_floating_of_rank(rows, 2));
    CHECK_FALSE(is_floating_of_rank(rows, 3));
    CHECK_FALSE(is_floating_of_rank({element_type::int64, 2, {}}, 2));
    CHECK_FALSE(is_floating_of_rank({std::nullopt, 2, {}}, 2));
    CHECK_FALSE(is_floating_of_rank({element_type::float32, std::nullopt, {}}, 2));
    CHECK(last_extent(rows) == 7);
    CHECK_FALSE(last_extent({element_type::float32, 1, {{{}, "n"}}}));
    CHECK_FALSE(last_extent({element_type::float32, 2, {}}));
}
