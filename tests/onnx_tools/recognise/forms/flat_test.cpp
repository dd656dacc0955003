// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/model/check.hpp>
#include <onnx_tools/pad/pad.hpp>
#include <onnx_tools/plan/options.hpp>
#include <onnx_tools/plan/plan.hpp>
#include <onnx_tools/recognise/forms/flat.hpp>
#include <onnx_tools/recognise/recognise.hpp>

#include <tests/onnx_tools/recognise/forms/row_list_models.hpp>

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace padbatch::onnx_tools;
using namespace padbatch::test;
using padbatch::element_type;
using enum padbatch::onnx_tools::flat_column;

namespace {

pad_options of_batch()
{
    pad_options options;
    options.max_detections = largest_of_batch{};
    return options;
}

constexpr auto flat = export_kind::flat;

const column_list with_batch{batch, x1, y1, x2, y2, label, score};
const column_list without_batch{x1, y1, x2, y2, score, label};

// A model with rows `out` of this type, joined from columns of which the one called `l` was an integer, and with
// further outputs made by an unknown operator.
onnx::ModelProto joined(const std::string& columns, const std::string& type, const std::string& declared,
                        const std::string& further = "", const std::string& made = "")
{
    return parse_model("<ir_version: 7, opset_import: [\"\" : 13, \"x\" : 1]> g (" + images + ") => (" + further +
                       declared + " out) { i, b, c, s" + made +
                       " = x.Net(images) integers = Cast<to = 7>(c) l = Cast<to = " + type +
                       ">(integers) rows = Concat<axis = 1>(" + columns + ") out = Identity(rows) }");
}

} // namespace

TEST_CASE("seven columns are batch, box, label and score, and the rest of the outputs stays")
{
    // YOLOv7's export calls the number of rows `batch`, too.
    for (const std::string rows : {"n", "B"}) {
        const auto found = read(joined("i, b, l, s", "1", "float[" + rows + ",7]",
                                       "float[B,16,8,8] features, int64[B] k, ", ", features, k"),
                                flat);
        REQUIRE(found.flat);
        CHECK(found.flat->rows == "out");
        CHECK(found.flat->columns == column_list{batch, x1, y1, x2, y2, label, score});
        CHECK(found.flat->batch_index.empty());
        CHECK(found.flat->boxes.empty());
        CHECK(found.flat->batch_input == "images");
        CHECK(found.other_outputs == strings{"features", "k"});
        CHECK(found.images == strings{"images"});
        CHECK(found.image_rank == 4);
        CHECK(found.batch == 0);
        CHECK_FALSE(found.limit);
        REQUIRE(found.fields.size() == 3);
        CHECK(found.fields[0].kind == field::boxes);
        CHECK(found.fields[0].row == std::vector<dimension>{{4, ""}});
        CHECK(found.fields[0].values.empty());
        CHECK(found.fields[1].kind == field::labels);
        CHECK(found.fields[1].element == element_type::int64);
        CHECK(found.fields[2].kind == field::scores);
    }
}

TEST_CASE("fields have the type of the rows, labels are int64")
{
    for (const std::string type : {"float", "float16", "double"}) {
        CAPTURE(type);
        const auto found = read(net({{"out", type + "[n,7]"}}), flat, with_batch);
        const auto element = type == "float"     ? element_type::float32
                             : type == "float16" ? element_type::float16
                                                 : element_type::float64;
        CHECK(found.fields[0].element == element);
        CHECK(found.fields[1].element == element_type::int64);
        CHECK(found.fields[2].element == element);
    }
}

TEST_CASE("six columns are box, score and label, and another output holds the image")
{
    for (const std::string index : {"int64[n]", "int32[n,1]", "float[n]", "uint8[n]"}) {
        CAPTURE(index);
        const auto found =
            read(joined("b, s, l", "1", "float[n,6]", index + " of, int64[B] count, ", ", of, count"), flat);
        CHECK(found.flat->rows == "out");
        CHECK(found.flat->batch_index == "of");
        CHECK(found.flat->columns == column_list{x1, y1, x2, y2, score, label});
        CHECK(found.other_outputs == strings{"count"});
    }
    // Integers are preferred to other types.
    const auto found =
        read(net({{"area", "float[n]"}, {"out", "float[n,6]"}, {"of", "int64[n]"}}), flat, without_batch);
    CHECK(found.flat->batch_index == "of");
    CHECK(found.other_outputs == strings{"area"});
}

TEST_CASE("of the last two columns, the label is the one that was an integer, or it is not known")
{
    const std::string usual = "batch,x1,y1,x2,y2,label,score";
    const std::string other = "batch,x1,y1,x2,y2,score,label";
    CHECK(read(joined("i, b, l, s", "10", "float16[n,7]"), flat).flat->columns == with_batch);
    check_refused({"end in score and label", "`columns` " + other}, joined("i, b, s, l", "1", "float[n,7]"), flat);
    check_refused({"end in label and score", "`columns` x1,y1,x2,y2,label,score"},
                  joined("b, l, s", "1", "float[n,6]", "int64[n] of, ", ", of"), flat);
    for (const std::string columns : {"i, b, s, s", "i, b, l, l", "i, b", "b"}) {
        CAPTURE(columns);
        const auto model = joined(columns, "1", "float[n,7]");
        check_refused({"nothing shows", "`columns` " + usual + ", or `columns` " + other}, model, flat);
        CHECK(read(model, flat, with_batch).flat->columns == with_batch); // it has been said
    }
    check_refused({"nothing shows"}, net({{"out", "float[n,7]"}}), flat);
}

TEST_CASE("columns are those that the user names")
{
    const column_list names{score, cx, cy, w, h, label, batch};
    CHECK(read(net({{"out", "float[n,7]"}}), flat, names).flat->columns == names);
    const column_list without{label, score, x1, y1, x2, y2};
    CHECK(read(net({{"out", "float[n,6]"}, {"of", "int32[n]"}}), flat, without).flat->batch_index == "of");
    // They also say how many there are where the file does not.
    CHECK(read(net({{"out", "float[n,m]"}, {"p", "float[n,5]"}}), flat, names).flat->rows == "out");
}

TEST_CASE("rows that are missing, or not beyond doubt, are refused")
{
    check_refused({"'out' (float32 [n, 6])", "[n, 7]", "`columns`"}, net({{"out", "float[n,6]"}}), flat);
    check_refused({"'out' (int64 [n, 7])"}, net({{"out", "int64[n,7]"}}), flat);
    check_refused({"'out' (float32 [1, n, 7])"}, net({{"out", "float[1,n,7]"}}), flat);
    check_refused({"'out' (float32 [n, m])"}, net({{"out", "float[n,m]"}}), flat);
    check_refused({"more than one way", "'a'", "'b'"}, net({{"a", "float[n,7]"}, {"b", "float[m,7]"}}), flat);
    check_refused({"more than one way"}, net({{"a", "float[n,6]"}, {"b", "int64[n]"}, {"c", "int64[n]"}}), flat);
    check_refused({"more than one way"}, net({{"a", "float[n,6]"}, {"b", "int64[n]"}, {"c", "float[m,7]"}}), flat);
    // An output with something for each image does not hold the image of each row; nor does one with another number of
    // elements, or of bool.
    for (const std::string index : {"int64[B]", "int64[5]", "bool[n]", "int64[n,2]"}) {
        CAPTURE(index);
        check_refused({"no output holds the rows"}, net({{"a", "float[n,6]"}, {"b", index}}), flat);
    }
    check_refused({"[n, 7]", "correct `columns`"}, net({{"a", "float[n,6]"}}), flat,
                  {batch, x1, y1, x2, y2, label, score});
    check_refused({"[n, 6]", "and one [n]"}, net({{"a", "float[n,7]"}}), flat, {x1, y1, x2, y2, label, score});
}

TEST_CASE("columns that make no row are refused")
{
    const auto model = net({{"out", "float[n,7]"}});
    const auto check = [&](const strings& words, const column_list& names) {
        check_refused(words, model, flat, names, failure::usage);
    };
    check({"names a column twice"}, {batch, x1, y1, x2, y2, score, score});
    check({"does not name the four columns of a box"}, {batch, x1, y1, w, h, label, score});
    check({"does not name the four columns of a box"}, {batch, x1, y1, x2, label, score});
    check({"does not name the four columns of a box"}, {x1, y1, x2, y2, cx, cy, w, h, label, score});
    check({"names no label"}, {batch, x1, y1, x2, y2, score});
    check({"names no score"}, {batch, x1, y1, x2, y2, label});
    const auto boxes = nms("int64[n,3] picked");
    check_refused({"`columns` names 6 columns"}, boxes, selection, {x1, y1, x2, y2, label, score}, failure::usage);
    check_refused({"four columns of a box", "y1,x1,y2,x2"}, boxes, selection, {x1, y1, w, h}, failure::usage);
}

TEST_CASE("the images are the one input of rank 4")
{
    const auto with = [](const std::string& inputs) { return net({{"out", "float[n,7]"}}, inputs); };
    CHECK(read(with("float[2] scale, float[B,3,H,W] images"), flat, with_batch).flat->batch_input == "images");
    check_refused({"'images' (float32 [3, H, W])", "[B, 3, H, W]"}, with("float[3,H,W] images"), flat, with_batch);
    check_refused({"'a'", "'images'"}, with("float[B,3,H,W] a, float[B,3,H,W] images"), flat, with_batch);
    // Height and width come last, or the input does not say so.
    CHECK(read(with("float[B,C,H,W] images"), flat, with_batch).images == strings{"images"});
    const auto channels_last = with("uint8[B,64,80,3] images");
    CHECK(read(channels_last, flat, with_batch).images.empty());
    auto options = of_batch();
    options.layout = output_layout::tf_od;
    check_failure(failure::refused, {"tf-od", "inputs are not images"},
                  [&] { (void)plan(channels_last, read(channels_last, flat, with_batch), options); });
}

TEST_CASE("the outputs' batch is the input's: a symbol, or a number")
{
    const auto batch_of = [](const std::string& extent) {
        const auto model = net({{"out", "float[n,7]"}}, "float[" + extent + ",3,H,W] images");
        const auto p = plan(model, read(model, flat, with_batch), of_batch());
        CHECK(p.how == batching::flat);
        CHECK(p.outputs.front().shape.front() == p.batch);
        return p.batch;
    };
    CHECK(batch_of("B") == dimension{std::nullopt, "B"});
    CHECK(batch_of("?") == dimension{std::nullopt, "batch"});
    CHECK(batch_of("4") == dimension{4, ""});
}

TEST_CASE("the padded model has the new outputs, those that they do not replace, and nothing unused")
{
    auto model = nms("float[B,160,4] boxes, float[B,8] f, int64[n,3] selected",
                     "boxes = Identity(p) f = x.Net(images) selected = Identity(picked) unused = Identity(q)");
    const auto before = model.graph().node_size();
    pad(model, plan(model, read(model, selection)));
    CHECK(complaints(model) == strings());
    strings names;
    for (const auto& output : model.graph().output()) {
        names.push_back(output.name());
    }
    CHECK(names == strings{"num_detections", "boxes", "labels", "scores", "f"});
    const auto shape = declared_type(model.graph().output(1)).shape;
    CHECK(shape == std::vector<dimension>{{std::nullopt, "B"}, {21, ""}, {4, ""}});
    CHECK(declared_type(model.graph().output(2)).element == element_type::int64);
    strings left;
    for (int i = 0; i < before - 2; ++i) { // without the two that made the replaced outputs
        left.push_back(model.graph().node(i).op_type());
    }
    CHECK(left == strings{"Constant", "Constant", "Constant", "NonMaxSuppression", "Net", "Identity"});
    for (const auto& node : model.graph().node()) {
        CHECK(node.op_type() != "Loop");
    }
    check_failure(failure::refused, {"already padded"}, [&] { (void)read(model, selection); });
}

TEST_CASE("a batch of these is not made by `dynamic_batch`")
{
    const auto model = net({{"out", "float[n,7]"}}, "float[1,3,H,W] images");
    auto options = of_batch();
    options.dynamic_batch = true;
    check_failure(failure::usage, {"`dynamic_batch`", "leave `dynamic_batch` out"},
                  [&] { (void)plan(model, read(model, flat, with_batch), options); });
}
