// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/recognise/forms/loose_parts.hpp>

#include <onnx_tools/recognise/graph_outputs.hpp>
#include <tests/support/parse_model.hpp>

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace padbatch::onnx_tools;
using namespace padbatch::test;

namespace {

struct loose_example {
    explicit loose_example(const std::string& outputs, const std::string& nodes = "b, s, l = Net(images)")
        : model(parse_model("<ir_version: 8, opset_import: [\"\" : 13]> g (float[1,3,8,8] images) => (" + outputs +
                            ") { " + nodes + " }")),
          index(model.graph()), outputs_of_model(typed_outputs(model, index))
    {
    }

    [[nodiscard]] std::optional<image_parts> sorted(const recognise_options& options = {}) const
    {
        std::vector<const typed_value*> all;
        for (const auto& output : outputs_of_model) {
            all.push_back(&output);
        }
        return loose_sorter(index, options).sorted(all, {});
    }

    onnx::ModelProto model;
    graph_index index;
    std::vector<typed_value> outputs_of_model;
};

} // namespace

TEST_CASE("the outputs of an image are sorted by their types, without a leading 1")
{
    const loose_example behind_one("float[1,9,4] b, float[1,9] s, int64[1,9] l");
    const auto parts = behind_one.sorted();
    REQUIRE(parts);
    REQUIRE(parts->boxes.size() == 1);
    CHECK(parts->boxes.front().leading_one);
    CHECK(parts->boxes.front().shape == std::vector<dimension>{{9, ""}, {4, ""}});
    CHECK(parts->floats.size() == 1);
    CHECK(parts->integers.size() == 1);
    CHECK(parts->others.empty());
    const auto other_rows = loose_example("float[9,5] b, float[9] s, int64[2] l").sorted();
    REQUIRE(other_rows);
    CHECK_FALSE(other_rows->boxes.front().leading_one);
    CHECK(other_rows->floats.size() == 1);
    CHECK(other_rows->others.size() == 1);
    CHECK_FALSE(loose_example("float[9,4] b, float[9,4] s, int64[9] l").sorted()); // boxes twice
    CHECK_FALSE(loose_example("float[9,3] b, float[9] s, int64[9] l").sorted());   // none
}

TEST_CASE("a first extent is 1 if the file says so, if a node puts it there, or if the user says that these are fields")
{
    const loose_example said("float[?,?,4] b, float[2,9] s, int64[1,9] l",
                             "c, s, l = Net(images) one = Constant<value = int64[1] {0}>() "
                             "d = Relu(c) b = Unsqueeze(d, one)");
    recognise_options options;
    const loose_sorter sorter(said.index, options);
    CHECK_FALSE(sorter.has_leading_one(said.outputs_of_model[1]));
    CHECK(sorter.has_leading_one(said.outputs_of_model[2]));
    const loose_example unknown("float[?,?,4] b, float[9] s, int64[9] l");
    CHECK_FALSE(loose_sorter(unknown.index, options).has_leading_one(unknown.outputs_of_model[0]));
    options.from = export_kind::fields;
    CHECK(loose_sorter(unknown.index, options).has_leading_one(unknown.outputs_of_model[0]));
    CHECK(shape_of(said.outputs_of_model[1], true) == std::vector<dimension>{{9, ""}});
}

TEST_CASE("columns that the user names say how wide boxes are")
{
    const loose_example six("float[9,6] b, float[9] s, int64[9] l");
    recognise_options options;
    options.columns = {flat_column::x1, flat_column::y1, flat_column::x2, flat_column::y2};
    CHECK_FALSE(loose_sorter(six.index, options).boxes_of(six.outputs_of_model[0]));
    options.columns->push_back(flat_column::label);
    options.columns->push_back(flat_column::score);
    CHECK(loose_sorter(six.index, options).boxes_of(six.outputs_of_model[0]));
    CHECK_FALSE(loose_sorter(six.index, options).boxes_of(six.outputs_of_model[2]));
}
