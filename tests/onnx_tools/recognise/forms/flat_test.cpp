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

// Rows of what a NonMaxSuppression selects: `image_of`, `class_of` and `box_of` [n, 1], `row_boxes` and `row_scores`.
onnx::ModelProto selected(const std::string& outputs, const std::string& nodes)
{
    return nms(outputs, "image_of, class_of, box_of = Split<axis = 1>(picked) "
                        "places = Concat<axis = 1>(image_of, box_of) row_boxes = GatherND(p, places) "
                        "row_scores = GatherND(q, picked) at1 = Constant<value = int64[1] {1}>() "
                        "scores_column = Unsqueeze(row_scores, at1) labels_column = Cast<to = 1>(class_of) "
                        "images_column = Cast<to = 1>(image_of) " +
                            nodes);
}

detections read_by_default(const onnx::ModelProto& model)
{
    return recognise(model);
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
    CHECK(read(joined("i, b, s, l", "1", "float[n,7]"), flat).flat->columns ==
          column_list{batch, x1, y1, x2, y2, score, label});
    CHECK(read(joined("b, l, s", "1", "float[n,6]", "int64[n] of, ", ", of"), flat).flat->columns ==
          column_list{x1, y1, x2, y2, label, score});
    for (const std::string columns : {"i, b, s, s", "i, b, l, l", "i, b", "b"}) {
        CAPTURE(columns);
        const auto model = joined(columns, "1", "float[n,7]");
        check_refused({"nothing shows", "`columns` " + usual + ", or `columns` " + other}, model, flat);
        CHECK(read(model, flat, with_batch).flat->columns == with_batch); // it has been said
    }
    check_refused({"nothing shows"}, net({{"out", "float[n,7]"}}), flat);
}

TEST_CASE("rows that are joined from what a NonMaxSuppression selects need no options")
{
    const auto check = [](const std::string& joined_columns, const std::string& type, const column_list& columns) {
        CAPTURE(joined_columns);
        const auto found = read_by_default(selected(type + " rows", "rows = Concat<axis = 1>(" + joined_columns + ")"));
        CHECK(found.form == export_kind::flat);
        CHECK(found.evidence.find("NonMaxSuppression") != std::string::npos);
        CHECK(found.flat->columns == columns);
    };
    check("images_column, row_boxes, labels_column, scores_column", "float[n,7]", with_batch);
    check("images_column, row_boxes, scores_column, labels_column", "float[n,7]",
          {batch, x1, y1, x2, y2, score, label});
    check("images_column, labels_column, scores_column, row_boxes", "float[n,7]",
          {batch, label, score, x1, y1, x2, y2});
    // What is joined in an order that nobody has is refused, and so is what does not come from the node.
    check_refused(
        {"no known exporter"},
        selected("float[n,7] rows", "rows = Concat<axis = 1>(labels_column, row_boxes, images_column, scores_column)"),
        flat);
}

TEST_CASE("the image of each row is the output that the node selects by, in the same order")
{
    const std::string rows = "rows = Concat<axis = 1>(row_boxes, scores_column, labels_column) ";
    const std::string outputs = "float[n,6] rows, int64[m,1] whose, int32[B] k";
    const auto found = read_by_default(selected(outputs, rows + "whose = Identity(image_of) k = x.Net(images)"));
    CHECK(found.flat->batch_index == "whose");
    // Sorted alone, it is no longer the image of these rows.
    const std::string sorted = "order = x.Net(images) whose = Gather(image_of, order)";
    const auto model = selected(outputs, rows + sorted + " k = x.Net(images)");
    check_failure(failure::refused, {}, [&] { (void)read_by_default(model); });
    // Sorted together, it is.
    const auto together = selected(outputs, "all = Concat<axis = 1>(row_boxes, scores_column, labels_column) "
                                            "rows = Gather(all, order) " +
                                                sorted + " k = x.Net(images)");
    CHECK(read_by_default(together).flat->batch_index == "whose");
    // The node's classes and boxes are not images.
    for (const std::string other : {"class_of", "box_of"}) {
        check_refused({"no output holds"},
                      selected("float[n,6] rows, int64[n,1] whose", rows + "whose = Identity(" + other + ")"), flat);
    }
}

TEST_CASE("lists of boxes, scores and labels are told apart by the nodes, or by the user")
{
    const std::string lists = "float[n,4] b, float[n] s, int64[n] c, int64[n] i";
    const std::string made = "at = Constant<value = int64[1] {1}>() b = Identity(row_boxes) s = Identity(row_scores) "
                             "c = Squeeze(class_of, at) i = Squeeze(image_of, at)";
    const auto found = read_by_default(selected(lists, made));
    CHECK(found.flat->rows == "b");
    CHECK(found.flat->row_scores == "s");
    CHECK(found.flat->row_labels == "c");
    CHECK(found.flat->batch_index == "i");
    CHECK(found.flat->columns == column_list{x1, y1, x2, y2});
    CHECK(found.other_outputs.empty());
    const auto unknown = net({{"b", "float[n,4]"}, {"s", "float[n]"}, {"c", "int64[n]"}, {"i", "int64[n]"}});
    check_refused({"`batch_index` c, or `batch_index` i"}, unknown, flat);
    recognise_options said;
    for (const std::string index : {"c", "i"}) {
        said.batch_index = index;
        const auto told = recognise(unknown, said);
        CHECK(told.flat->batch_index == index);
        CHECK(told.flat->row_labels == (index == "c" ? "i" : "c"));
    }
    said.columns = {y1, x1, y2, x2};
    said.from = flat;
    CHECK(recognise(unknown, said).flat->columns == column_list{y1, x1, y2, x2});
    check_refused({"no output holds"}, net({{"b", "float[n,4]"}, {"s", "float[n]"}, {"c", "int64[n]"}}), flat);
}

TEST_CASE("a number for each image is what the nodes count, or what the user says")
{
    const std::string head = "<ir_version: 7, opset_import: [\"\" : 13, \"x\" : 1]> g (" + images + ") => (";
    const std::string rows = "float[n,6] rows, int32[k] num) { every = x.Net(images) zero = Constant<value = float "
                             "{0.5}>() one = Constant<value = int64 {1}>() ones = Constant<value = int64[1] {1}>() "
                             "shape = Constant<value = int64[3] {0,9,6}>() all = Reshape(every, shape) "
                             "score = Gather<axis = 2>(all, one) good = Greater(score, zero) places = NonZero(good) "
                             "turned = Transpose<perm = [1, 0]>(places) rows = GatherND(all, turned) ";
    const auto summed =
        parse_model(head + rows + "ints = Cast<to = 6>(good) num = ReduceSum<keepdims = 0>(ints, ones) }");
    const auto found = read_by_default(summed);
    CHECK(found.evidence.find("ReduceSum") != std::string::npos);
    CHECK(found.flat->columns == column_list{label, score, x1, y1, x2, y2});
    CHECK(found.flat->rows == "rows");
    REQUIRE(found.rearranged);
    CHECK(found.rearranged->outputs.size() == 2);
    CHECK(found.rearranged->outputs.front().name() == found.flat->batch_index);
    CHECK(found.other_outputs.empty());
    // Not against the nodes.
    recognise_options said;
    said.from = flat;
    said.batch_index = "num";
    check_failure(failure::refused, {"is a number of rows", "`count_output` num"},
                  [&] { (void)recognise(summed, said); });
    // Nothing shows it: both commands work.
    const auto unknown = parse_model(head + rows + "num = x.Net(images) }");
    check_refused({"`batch_index` num, or `count_output` num"}, unknown, flat);
    said.batch_index.reset();
    said.count_output = "num";
    CHECK(recognise(unknown, said).rearranged.has_value());
    said.count_output.reset();
    said.batch_index = "num";
    CHECK(recognise(unknown, said).flat->batch_index == "num");
    said.count_output = "num";
    check_failure(failure::usage, {"both given"}, [&] { (void)recognise(unknown, said); });
    said.batch_index.reset();
    said.count_output = "rows";
    check_failure(failure::usage, {"`count_output` names 'rows'"}, [&] { (void)recognise(unknown, said); });
    said.count_output = "nums";
    check_failure(failure::usage, {"'nums', which is no output"}, [&] { (void)recognise(unknown, said); });
}

TEST_CASE("images are not counts, whatever the user says")
{
    const auto model = selected("float[n,6] rows, int64[n,1] whose",
                                "rows = Concat<axis = 1>(row_boxes, scores_column, labels_column) "
                                "whose = Identity(image_of)");
    recognise_options said;
    said.from = flat;
    said.count_output = "whose";
    check_failure(failure::refused, {"is the image of each row", "`batch_index` whose"},
                  [&] { (void)recognise(model, said); });
}

TEST_CASE("rows of a list with two dimensions in front end at a mark")
{
    const auto found = read(net({{"out", "float[1,1,n,7]"}}), flat);
    CHECK(found.flat->columns == column_list{batch, label, score, x1, y1, x2, y2});
    REQUIRE(found.rearranged);
    CHECK(found.rearranged->outputs.size() == 2);
    CHECK(found.evidence.empty());
    CHECK(found.doubt_about_pixels.find("normalised") != std::string::npos);
    check_refused({"no output holds"}, net({{"out", "float[1,2,n,7]"}}), flat);
    check_refused({"no output holds"}, net({{"out", "float[2,1,n,7]"}}), flat);
}

TEST_CASE("boxes that depend on another input may not be in pixels, and that of the first image is not for all")
{
    const auto with = [](const std::string& batch_extent, const std::string& nodes) {
        return parse_model(
            "<ir_version: 7, opset_import: [\"\" : 13, \"x\" : 1]> g (float[" + batch_extent +
            ",3,H,W] images, float[" + batch_extent +
            ",2] scale) => (float[n,7] out) { zero = Constant<value "
            "= int64 {0}>() one = Constant<value = int64 {1}>() from = Constant<value = int64[1] {0}>() to = "
            "Constant<value = int64[1] {1}>() " +
            nodes + " out = x.Net(images, used) }");
    };
    const auto all = with("B", "used = Identity(scale)");
    CHECK(read(all, flat, with_batch).doubt_about_pixels.find("'scale'") != std::string::npos);
    for (const std::string nodes : {"used = Gather(scale, zero)", "used = Slice(scale, from, to, from)",
                                    "copy = Cast<to = 1>(scale) used = Gather(copy, from)"}) {
        CAPTURE(nodes);
        CHECK(read(with("B", nodes), flat, with_batch)
                  .only_one_image.find("reads the first row of the input 'scale' for all images") != std::string::npos);
        check_refused({"reads the first row", "`dynamic_batch`"}, with("2", nodes), flat, with_batch);
        CHECK(read(with("1", nodes), flat, with_batch).only_one_image.empty());
        CHECK(read(with("1", nodes), flat, with_batch).flat->rows == "out");
    }
    CHECK(read(with("2",
                    "first = Gather(scale, zero) second = Gather(scale, one) used = Concat<axis = 0>(first, second)"),
               flat, with_batch)
              .flat->rows == "out");
    CHECK(read(with("B", "used = Gather<axis = 1>(scale, zero)"), flat, with_batch).flat->rows == "out");
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
