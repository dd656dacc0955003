// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/recognise/forms/loose_nodes.hpp>

#include <onnx_tools/recognise/graph_outputs.hpp>
#include <tests/support/parse_model.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <vector>

using namespace padbatch::onnx_tools;
using padbatch::element_type;
using namespace padbatch::test;

namespace {

// Rows [1, 9, 6] in front of which the parts can be seen, and others in front of which they cannot.
const char* const joined_rows =
    "<ir_version: 8, opset_import: [\"\" : 13]> g (float[9,4] box, float[9] score, int64[9] label) => "
    "(float[1,9,6] d, float[1,9,6] e, float[1,9] s) { zero = Constant<value = int64[1] {0}>() "
    "one = Constant<value = int64[1] {1}>() b = Relu(box) f = Relu(score) l0 = Neg(label) s1 = Unsqueeze(f, one) "
    "l1 = Unsqueeze(l0, one) l = Cast<to = 1>(l1) c = Concat<axis = 1>(b, s1, l) d = Unsqueeze(c, zero) e = Net(d) "
    "s = Unsqueeze(f, zero) }";

const flat_columns names{flat_column::x1, flat_column::y1,    flat_column::x2,
                         flat_column::y2, flat_column::score, flat_column::label};

struct written_fields {
    std::vector<std::string> values;
    std::vector<element_type> elements;
    std::vector<std::string> operators;
    std::map<std::string, std::string> sources;
};

written_fields fields_of(std::size_t output)
{
    const auto model = parse_model(joined_rows);
    const graph_index index(model.graph());
    const auto outputs = typed_outputs(model, index);
    fresh_names fresh(model.graph());
    loose_writer writer(model, index, fresh);
    const loose_value boxes{&outputs[output], true, {{9, ""}, {6, ""}}};
    const auto known = joined_in(index, boxes);
    written_fields result;
    for (const auto& f :
         {writer.box_columns(names, boxes, known), writer.one_column(field::scores, names, boxes, known),
          writer.one_column(field::labels, names, boxes, known),
          writer.whole(field::scores, {&outputs[2], true, {{9, ""}}})}) {
        result.values.push_back(f.value);
        result.elements.push_back(f.element);
    }
    for (const auto& node : writer.nodes()) {
        result.operators.push_back(node.op_type());
    }
    result.sources = writer.sources();
    return result;
}

} // namespace

TEST_CASE("fields are taken from in front of the nodes that joined them")
{
    const auto made = fields_of(0);
    CHECK(made.values[0] == "b");
    CHECK(made.values[2] == "l0"); // an integer, before it became a column
    CHECK(made.values[1] == "f");
    CHECK(made.values[3] == "f");
    CHECK(made.operators.empty());
    CHECK(made.elements[2] == element_type::int64);
    CHECK(made.sources.at("b") == "the columns 0, 1, 2, 3 of 'd'");
}

TEST_CASE("columns are picked where nothing shows what they were")
{
    const auto made = fields_of(1);
    CHECK(made.values[0] != "b");
    CHECK(made.elements[2] == element_type::int64);
    CHECK(std::count(made.operators.begin(), made.operators.end(), "Gather") == 3);
    CHECK(std::count(made.operators.begin(), made.operators.end(), "Cast") == 1);
}

TEST_CASE("a field is declared with what is known of its shape")
{
    onnx::ValueInfoProto info;
    declare(info, "b", element_type::float16, {{std::nullopt, "n"}, {4, ""}, {}});
    CHECK(info.name() == "b");
    const auto type = declared_type(info);
    CHECK(type.element == element_type::float16);
    CHECK(type.shape == std::vector<dimension>{{std::nullopt, "n"}, {4, ""}, {}});
}
