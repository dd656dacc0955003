// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/pad/image_rows.hpp>

#include <tests/onnx_tools/pad/expression.hpp>
#include <tests/support/parse_model.hpp>

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace padbatch::onnx_tools;
using namespace padbatch::test;
using padbatch::element_type;

namespace {

using strings = std::vector<std::string>;

onnx::TensorProto number_of(int type)
{
    onnx::TensorProto tensor;
    tensor.set_data_type(type);
    tensor.set_raw_data(std::string(type == onnx::TensorProto::FLOAT ? 4 : 8, '\0'));
    return tensor;
}

// One image's boxes, scores and masks, and a plan that does nothing to them.
struct image {
    image()
    {
        for (const auto kind : {field::boxes, field::scores, field::masks}) {
            auto& f = p.fields.emplace_back();
            f.kind = kind;
            f.from = element_type::float32;
        }
        p.fields[0].row = {{4, ""}};
        p.fields[2].row = {{1, ""}, {{}, "h"}, {{}, "w"}};
        p.max_detections = 5;
        rows.fields = {"b", "s", "m"};
        rows.more = {"index"};
        rows.image = "img";
        rows.image_rank = 4;
        rows.where = "/0";
    }

    [[nodiscard]] std::string text(const std::string& value) const { return expression(model.graph(), value); }
    [[nodiscard]] strings texts() const
    {
        strings all;
        for (const auto& value : rows.fields) {
            all.push_back(text(value));
        }
        return all;
    }

    onnx::ModelProto model = parse_model("<ir_version: 7, opset_import: [\"\" : 13]> g (float[B,3,H,W] img, float[n,4] "
                                         "b, float[n] s, float[n,1,h,w] m, int64[n] index) => (float[n] y) "
                                         "{ y = Neg(s) }");
    fresh_names fresh{model.graph()};
    node_writer nodes{*model.mutable_graph(), fresh, 13};
    pad_plan p;
    row_values rows;
};

} // namespace

TEST_CASE("what the plan does not ask for adds no node")
{
    image i;
    drop_low_scores(i.nodes, i.p, i.rows);
    cut_rows(i.nodes, i.p, i.rows);
    convert_rows(i.nodes, i.p, i.rows);
    CHECK(i.texts() == strings{"b", "s", "m"});
    CHECK(i.model.graph().node_size() == 1);
}

TEST_CASE("low scores take the rows of every field with them")
{
    image i;
    i.p.score_above = number_of(onnx::TensorProto::FLOAT);
    drop_low_scores(i.nodes, i.p, i.rows);
    const std::string kept = "Squeeze(NonZero(Greater(s, FLOAT)), [0])";
    CHECK(i.texts() == strings{"Gather<axis=0>(b, " + kept + ")", "Gather<axis=0>(s, " + kept + ")",
                               "Gather<axis=0>(m, " + kept + ")"});
    CHECK(i.text(i.rows.more[0]) == "Gather<axis=0>(index, " + kept + ")");
    check_types(i.model);
}

TEST_CASE("the first M rows of every field are kept where there may be more")
{
    image i;
    i.p.cuts_rows = true;
    i.p.source.best_first = true;
    cut_rows(i.nodes, i.p, i.rows);
    CHECK(i.texts() == strings{"Slice(b, [0], [5], [0])", "Slice(s, [0], [5], [0])", "Slice(m, [0], [5], [0])"});
    check_types(i.model);
}

TEST_CASE("rows become of the type and the shape that the plan says")
{
    image i;
    i.p.fields[0].element = element_type::float16;
    i.p.fields[2].above = number_of(onnx::TensorProto::FLOAT);
    i.p.fields[2].from = element_type::boolean;
    i.p.fields[2].element = element_type::uint8;
    i.p.fields[2].squeezed = true;
    convert_rows(i.nodes, i.p, i.rows);
    CHECK(i.texts() == strings{"Cast<to=FLOAT16>(b)", "s", "Squeeze(Cast<to=UINT8>(Greater(m, FLOAT)), [1])"});
    check_types(i.model);

    image booleans;
    booleans.p.fields[2] = i.p.fields[2];
    booleans.p.fields[2].element = element_type::boolean; // what Greater makes
    booleans.p.fields[2].squeezed = false;
    convert_rows(booleans.nodes, booleans.p, booleans.rows);
    CHECK(booleans.texts()[2] == "Greater(m, FLOAT)");

    image unknown;
    unknown.p.fields[2].from.reset(); // the file does not say the type
    convert_rows(unknown.nodes, unknown.p, unknown.rows);
    CHECK(unknown.texts()[2] == "Cast<to=FLOAT>(m)");
}

TEST_CASE("boxes are divided by the image's height and width, in their own type")
{
    image i;
    i.p.fields[0].normalised = true;
    i.p.fields[0].element = element_type::float16;
    convert_rows(i.nodes, i.p, i.rows);
    CHECK(i.texts()[0] == "Cast<to=FLOAT16>(Div(Gather<axis=1>(b, [1, 0, 3, 2]), "
                          "Cast<to=FLOAT>(Gather<axis=0>(Shape(img), [2, 3, 2, 3]))))");
    check_types(i.model);

    image single; // [3, H, W]
    single.p.fields[0].normalised = true;
    single.rows.image_rank = 3;
    convert_rows(single.nodes, single.p, single.rows);
    CHECK(single.texts()[0].find("[1, 2, 1, 2]") != std::string::npos);
}

TEST_CASE("rows are counted by their scores, or else by the first field")
{
    image i;
    CHECK(i.text(row_count(i.nodes, i.p, i.rows)) == "Gather<axis=0>(Shape(s), [0])");
    CHECK(i.text(scalar_row_count(i.nodes, i.p, i.rows)) == "Gather<axis=0>(Shape(s), 0)");
    i.p.fields[1].kind = field::labels;
    CHECK(i.text(row_count(i.nodes, i.p, i.rows)) == "Gather<axis=0>(Shape(b), [0])");
}

TEST_CASE("padding has the extents of a row, and as many rows as are missing")
{
    image i;
    const auto padding = [&](std::size_t f, const std::string& value) {
        const auto row = row_extents(i.nodes, i.p.fields[f], value);
        return i.text(padding_rows(i.nodes, i.p.fields[f], "index", row, "/0"));
    };
    for (auto& f : i.p.fields) {
        f.pad_value = number_of(onnx::TensorProto::INT64);
    }
    CHECK(padding(0, "b") == "ConstantOfShape<INT64>(Concat<axis=0>(index, [4]))");
    CHECK(padding(1, "s") == "ConstantOfShape<INT64>(index)"); // a row is one element
    CHECK(padding(2, "m") == "ConstantOfShape<INT64>(Concat<axis=0>(index, Gather<axis=0>(Shape(m), [1, 2, 3])))");
    CHECK(row_extents(i.nodes, i.p.fields[1], "s").empty());
}

TEST_CASE("the shape of padded rows is a constant where each extent has a size")
{
    image i;
    const auto shape = [&](std::size_t f, const std::string& row) {
        return i.text(padded_shape(i.nodes, i.p.fields[f], {1, 9}, row));
    };
    CHECK(shape(0, "row") == "[1, 9, 4]");
    CHECK(shape(1, "") == "[1, 9]");
    CHECK(shape(2, "row") == "Concat<axis=0>([1, 9], row)");
}
