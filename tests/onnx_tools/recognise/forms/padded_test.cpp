// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/recognise/forms/padded.hpp>

#include <onnx_tools/model/check.hpp>
#include <onnx_tools/plan/options.hpp>
#include <onnx_tools/plan/plan.hpp>
#include <onnx_tools/recognise/recognise.hpp>
#include <onnx_tools/rewrite.hpp>

#include <tests/support/check_failure.hpp>
#include <tests/support/parse_model.hpp>

#include <doctest/doctest.h>

#include <optional>
#include <string>
#include <vector>

using namespace padbatch::onnx_tools;
using namespace padbatch::test;
using padbatch::element_type;

namespace {

// The best five of `all_scores` [B, n], their boxes in corners and their labels, with `b4` [B, 5, 4], `s` [B, 5] and
// `l`, int64 [B, 5]; and the last two as columns.
const std::string best_five = R"(
  one = Constant<value = int64[1] {1}>()
  last = Constant<value = int64[1] {2}>()
  k = Constant<value = int64[1] {5}>()
  classes = Constant<value = int64 {3}>()
  features = Relu(images)
  likely = Sigmoid(features)
  all_scores = Flatten(likely)
  center = Relu(features)
  half = Sigmoid(features)
  low = Sub(center, half)
  high = Add(center, half)
  all_boxes = Concat<axis = 2>(low, high)
  s, at = TopK(all_scores, k)
  l = Mod(at, classes)
  places = Unsqueeze(at, last)
  b4 = GatherND<batch_dims = 1>(all_boxes, places)
  s_column = Unsqueeze(s, last)
  l_float = Cast<to = 1>(l)
  l_column = Unsqueeze(l_float, last)
)";

onnx::ModelProto best(const std::string& outputs, const std::string& nodes,
                      const std::string& inputs = "float[B,3,64,80] images")
{
    return parse_model("<ir_version: 7, opset_import: [\"\" : 13, \"x\" : 1]> g (" + inputs + ") => (" + outputs +
                       ") {" + best_five + nodes + " }");
}

recognise_options from_padded()
{
    recognise_options options;
    options.from = export_kind::padded;
    return options;
}

void add_metadata(onnx::ModelProto& model, const std::string& key, const std::string& value)
{
    auto& entry = *model.add_metadata_props();
    entry.set_key(key);
    entry.set_value(value);
}

// What `recognise_padded` makes of the model; and the whole rewrite leaves a sound graph.
detections read_padded(const onnx::ModelProto& model, const recognise_options& options = from_padded())
{
    auto found = recognise(model, options);
    CHECK(found.form == export_kind::padded);
    REQUIRE(found.flat);
    REQUIRE(found.rearranged);
    auto copy = model;
    pad_options pad;
    pad.max_detections = 3;
    (void)rewrite(copy, found, pad);
    CHECK(complaints(copy).empty());
    return found;
}

void check_padded_refused(const std::vector<std::string>& words, const onnx::ModelProto& model,
                          const recognise_options& options = from_padded(), failure kind = failure::refused)
{
    check_failure(kind, words, [&] { (void)recognise(model, options); });
}

const std::string joined_rows = "out = Concat<axis = 2>(b4, s_column, l_column)";
const std::vector<flat_column> score_last{flat_column::x1, flat_column::y1,    flat_column::x2,
                                          flat_column::y2, flat_column::label, flat_column::score};

recognise_options with_columns(const std::vector<flat_column>& columns)
{
    auto options = from_padded();
    options.columns = columns;
    return options;
}

} // namespace

TEST_CASE("rows that a TopK picks are all real, and need no option")
{
    const auto found = read_padded(best("float[B,5,6] out", joined_rows), {});
    CHECK(found.evidence == "the rows in 'out' are picked by TopK 's'");
    CHECK(found.real_rows == "takes all rows of each image, since nothing in the model drops any");
    REQUIRE(found.limit);
    CHECK(found.limit->rows == 5);
    CHECK(found.flat->batch_input == "images");
    CHECK(found.flat->columns == std::vector<flat_column>{flat_column::x1, flat_column::y1, flat_column::x2,
                                                          flat_column::y2, flat_column::score, flat_column::label});
    CHECK(found.fields[1].element == element_type::int64);
    CHECK(found.other_outputs.empty());
    CHECK(found.rearranged->sources.begin()->second == "the image of each of these rows");
}

TEST_CASE("scores that may be 0 for a reason end the rows, even where a TopK picks them")
{
    // CenterNet's peaks: all other places of the map have a score of 0.
    const auto masked = best("float[B,5,4] rows, int64[B,5] classes_of, float[B,5] best_peaks",
                             "peaks = Mul(all_scores, half) best_peaks, where = TopK(peaks, k) "
                             "classes_of = Mod(where, classes) spots = Unsqueeze(where, last) "
                             "rows = GatherND<batch_dims = 1>(all_boxes, spots)");
    CHECK(read_padded(masked, {}).real_rows == "takes the rows of each image before the first score of 0");
}

TEST_CASE("columns are read by their places: the box comes first")
{
    const auto box_last = best("float[B,5,6] out", "out = Concat<axis = 2>(s_column, l_column, b4)");
    check_padded_refused({"nothing shows which of the last two columns"}, box_last);
    // Ultralytics joins further numbers of a row, of which a detector has none.
    const auto four =
        best("float[B,5,6] out", "none = Sqrt(s_column) out = Concat<axis = 2>(b4, s_column, l_column, none)");
    check_padded_refused({"nothing shows which of the last two columns"}, four);
    CHECK(read_padded(best("float[B,5,6] out", "p = Sub(center, half) q = Add(center, half) "
                                               "out = Concat<axis = 2>(p, q, s_column, l_column)"),
                      {})
              .limit->rows == 5);
}

TEST_CASE("the parts of rows are outputs in any order, and integers keep their type")
{
    const auto apart = read_padded(best("int32[B,M] l32, float[B,M] s, float[B,M,4] b4", "l32 = Cast<to = 6>(l)"), {});
    CHECK(apart.flat->columns == std::vector<flat_column>{flat_column::label, flat_column::score, flat_column::x1,
                                                          flat_column::y1, flat_column::x2, flat_column::y2});
    CHECK(apart.fields[1].element == element_type::int32);
    REQUIRE(apart.limit);
    CHECK(apart.limit->rows == 5);
    CHECK(apart.limit->node == "TopK 's'");
    const auto scored =
        read_padded(best("float[B,5,5] dets, float[B,5] l_float", "dets = Concat<axis = 2>(b4, s_column)"), {});
    CHECK(scored.flat->columns.back() == flat_column::label);
    CHECK(scored.fields[1].element == element_type::int64);
    // What is not declared is found in the nodes, or checked when the model runs.
    CHECK(read_padded(best("float[B,M,W] out", joined_rows), {}).limit->rows == 5);
}

TEST_CASE("which of score and label comes first is shown by the nodes, or must be said")
{
    const auto label_first = best("float[B,5,6] out", "out = Concat<axis = 2>(b4, l_column, s_column)");
    check_padded_refused({"end in label and score", "`columns` x1,y1,x2,y2,label,score"}, label_first);
    check_padded_refused({"`from` padded `columns` x1,y1,x2,y2,label,score"}, label_first, {});
    CHECK(read_padded(label_first, with_columns(score_last)).flat->columns == score_last);

    const auto unknown =
        best("float[B,5,6] out", "f = Relu(l_column) g = Sqrt(f) out = Concat<axis = 2>(b4, s_column, g)");
    check_padded_refused({"nothing shows which of the last two columns", "`columns` x1,y1,x2,y2,score,label, or "
                                                                         "`columns` x1,y1,x2,y2,label,score"},
                         unknown);

    const auto floats =
        best("float[B,5] one_of, float[B,5] other, float[B,5,4] b4", "one_of = Sqrt(s) other = Sqrt(l_float)");
    check_padded_refused({"nothing shows which of the outputs 'one_of'", "`columns` label,score,x1,y1,x2,y2, or "
                                                                         "`columns` score,label,x1,y1,x2,y2"},
                         floats);
    CHECK(read_padded(floats, with_columns({flat_column::score, flat_column::label, flat_column::x1, flat_column::y1,
                                            flat_column::x2, flat_column::y2}))
              .limit->rows == 5);
    check_padded_refused(
        {"holds the labels of the rows in 'dets'", "`columns` x1,y1,x2,y2,score,label"},
        best("float[B,5,5] dets, float[B,5] other", "dets = Concat<axis = 2>(b4, s_column) other = Sqrt(l_float)"));
    // Against the types nobody knows better.
    check_padded_refused({"`columns` has the score where", "integers"},
                         best("int64[B,5] l, float[B,5] s, float[B,5,4] b4", ""),
                         with_columns({flat_column::score, flat_column::label, flat_column::x1, flat_column::y1,
                                       flat_column::x2, flat_column::y2}),
                         failure::usage);
}

TEST_CASE("a name proves nothing, but one of another field is a reason to ask")
{
    check_padded_refused({"'labels'", "bears the name of labels", "`columns`"},
                         best("float[B,5,6] labels", "labels = Concat<axis = 2>(b4, s_column, l_column)"));
    check_padded_refused({"'scores'", "would be read as boxes"},
                         best("float[B,5,4] scores, int64[B,5] l, float[B,5] s", "scores = Identity(b4)"));
    check_padded_refused({"'boxes'", "would be read as labels"},
                         best("float[B,5,4] b4, int64[B,5] boxes, float[B,5] s", "boxes = Identity(l)"));
    CHECK(read_padded(best("float[B,5,4] boxes, int64[B,5] labels, float[B,5] scores",
                           "boxes = Identity(b4) labels = Identity(l) scores = Identity(s)"))
              .limit->rows == 5);
}

TEST_CASE("raw logits and centers are no finished rows")
{
    // RF-DETR's names: `dets` are normalised centers and sizes, `labels` the logits of all classes.
    const auto rfdetr =
        best("float[B,300,4] dets, float[B,300,91] labels", "dets = Sigmoid(features) labels = Identity(features)");
    check_padded_refused({"no outputs are rows that are padded already"}, rfdetr);
    CHECK_THROWS_AS((void)recognise(rfdetr, {}), tool_error);
    // With as many classes as a row has columns.
    check_padded_refused({"more than one reading fits"}, best("float[B,300,4] dets, float[B,300,6] labels",
                                                              "dets = Sigmoid(features) labels = Identity(features)"));
}

TEST_CASE("the nodes show what boxes are, or it must be said")
{
    const std::string outputs = "float[B,5,4] out, int64[B,5] l, float[B,5] s";
    check_padded_refused({"nothing shows what the four numbers of a box", "`box_format` xyxy", "`normalised`"},
                         best(outputs, "out = Sigmoid(b4)"));
    check_padded_refused({"`from` padded `box_format` xyxy"}, best(outputs, "out = Sigmoid(b4)"), {});
    check_padded_refused({"are centers and sizes, the nodes show", "`box_format` cxcywh"},
                         best(outputs, "sum = Add(low, high) extents = Sub(high, low) half_sum = Div(sum, half) "
                                       "out = Concat<axis = 2>(half_sum, extents)"));
    // A corner and the size: both are sums and differences, but of no common center.
    check_padded_refused({"nothing shows what the four numbers"},
                         best(outputs, "sum = Add(half, half) out = Concat<axis = 2>(low, sum)"));
    for (const auto format : {box_format::xyxy, box_format::xywh, box_format::cxcywh, box_format::yxyx}) {
        auto options = from_padded();
        options.boxes = format;
        options.normalised = true;
        const auto found = read_padded(best(outputs, "out = Sigmoid(b4)"), options);
        CHECK(found.box_doubt.empty());
    }
    // Not against what they show.
    const std::string corners_shown = "out = Identity(b4)";
    for (const auto format : {box_format::xywh, box_format::cxcywh}) {
        auto options = from_padded();
        options.boxes = format;
        check_padded_refused({"`box_format` is " + std::string(format == box_format::xywh ? "xywh" : "cxcywh"),
                              "two corners, the nodes show", "xyxy or yxyx"},
                             best(outputs, corners_shown), options);
    }
    auto center = from_padded();
    center.boxes = box_format::xyxy;
    const std::string centers_shown = "sum = Add(low, high) extents = Sub(high, low) half_sum = Div(sum, half) "
                                      "out = Concat<axis = 2>(half_sum, extents)";
    check_padded_refused({"`box_format` is xyxy", "centers and sizes, the nodes show"}, best(outputs, centers_shown),
                         center);
    center.boxes = box_format::cxcywh;
    CHECK_NOTHROW((void)read_padded(best(outputs, centers_shown), center));
    const std::string sizes_shown = "extents = Sub(high, low) out = Concat<axis = 2>(low, extents)";
    check_padded_refused({"`box_format` is cxcywh", "a corner and a size"}, best(outputs, sizes_shown), center);
    check_padded_refused({"are corners and sizes, the nodes show", "`box_format` xywh"}, best(outputs, sizes_shown));
    auto both = with_columns(
        {flat_column::cx, flat_column::cy, flat_column::w, flat_column::h, flat_column::label, flat_column::score});
    both.boxes = box_format::xywh;
    check_padded_refused({"`box_format` is given together with `columns`"}, best("float[B,5,6] out", joined_rows), both,
                         failure::usage);
}

TEST_CASE("a count is taken if the nodes show that it counts these rows, or if the user says so")
{
    const std::string outputs = "int32[B,1] n, float[B,5,6] out";
    const std::string counted = joined_rows +
                                " zero = Constant<value = float {0.0}>() high_ones = Greater(s, zero) "
                                "ones = Cast<to = 6>(high_ones) sum = ReduceSum<keepdims = 1>(ones, one) ";
    CHECK(read_padded(best(outputs, counted + "n = Identity(sum)"), {}).real_rows ==
          "reads how many rows of each image are real from n");
    for (const std::string type : {"int32[B]", "int64[B,1]", "int64[B]"}) {
        const auto model = best(type + " num, float[B,5,6] out", joined_rows + " num = x.Numbers(images)");
        check_padded_refused({"nothing shows that the output 'num'", "`count_output` num"}, model);
        check_padded_refused({"`from` padded `count_output` num"}, model, {});
        auto options = from_padded();
        options.count_output = "num";
        CHECK(read_padded(model, options).real_rows == "reads how many rows of each image are real from num");
    }
    // One that declares no extents may be a column of labels.
    const auto open = best("int32[a,b] num, int64[c,d] l, float[e,f] s, float[g,h,4] b4", "num = x.Numbers(images)");
    check_padded_refused({"one output too many", "`count_output` num, or `count_output` l"}, open);
    auto options = from_padded();
    options.count_output = "num";
    CHECK(read_padded(open, options).flat->columns.front() == flat_column::label);
    options.count_output = "none";
    check_padded_refused({"`count_output` names 'none', which is no output"}, open, options, failure::usage);
    options.count_output = "b4";
    check_padded_refused({"more than one number an image"}, open, options, failure::usage);
}

TEST_CASE("rows end at the mark that the nodes show, or at the first score of 0")
{
    const std::string suppressed = R"(
  boxes_read = Identity(all_boxes) scores_read = Identity(features)
  picked = NonMaxSuppression(boxes_read, scores_read, k)
  rows = Gather<axis = 0>(all_boxes, picked)
  score_of = Gather<axis = 0>(all_scores, picked)
  label_of = Cast<to = 7>(score_of)
  own = x.Own(picked)
)";
    const auto score = read_padded(best("float[B,7,4] rows, int64[B,7] label_of, float[B,7] score_of", suppressed), {});
    CHECK(score.real_rows == "takes the rows of each image before the first score of 0");
    CHECK(score.evidence == "the rows in 'rows' are picked by NonMaxSuppression 'picked'");
    const auto label = read_padded(best("float[B,7,4] rows, int64[B,7] out, float[B,7] score_of",
                                        suppressed + "minus = Constant<value = int64 {-1}>() "
                                                     "out = Where(own, label_of, minus)"));
    CHECK(label.real_rows == "takes the rows of each image before the first label of -1");
    const auto zeros = read_padded(best("float[B,7,4] rows, int64[B,7] label_of, float[B,7] out",
                                        suppressed + "zero = Constant<value = float {0.0}>() "
                                                     "out = Where(own, score_of, zero)"));
    CHECK(zeros.real_rows == "takes the rows of each image before the first score of 0, with which the model fills up");
}

TEST_CASE("other outputs stay if they have no row for each detection")
{
    CHECK(read_padded(best("float[B,5,6] out, float[B,16,8,8] maps", joined_rows + " maps = Identity(features)"), {})
              .other_outputs == std::vector<std::string>{"maps"});
    for (const std::string type : {"float[B,5,28,28]", "float[B,N,28,28]", "float[B,5,3]"}) {
        check_padded_refused({"may have a row for each detection"}, best("float[B,5,6] out, " + type + " masks_of",
                                                                         joined_rows + " masks_of = Relu(features)"));
    }
    check_padded_refused({"more than one reading fits"},
                         best("float[B,5,6] out, float[B,7,6] again", joined_rows + " again = Identity(out)"));
    check_padded_refused({"no outputs are rows"}, best("float[B,5,38] out", joined_rows));
    check_padded_refused({"no outputs are rows"}, best("float[B,5,4] b4, float[B,6] s, int64[B,5] l", ""));
}

TEST_CASE("a batch that is built into the graph is refused where the input declares any number of images")
{
    const std::string stacked = R"(
  first = Constant<value = int64 {0}>() zero = Constant<value = int64[1] {0}>()
  of_first = Gather<axis = 0>(all_boxes, first) again = Unsqueeze(of_first, zero)
  out = Concat<axis = 2>(again, s_column, l_column)
)";
    check_padded_refused({"declares any number of images", "Gather 'of_first'", "fixed number of images"},
                         best("float[B,5,6] out", stacked));
    CHECK(read_padded(best("float[1,5,6] out", stacked, "float[1,3,64,80] images"), {}).limit->rows == 5);
}

TEST_CASE("the metadata of Ultralytics' exports says what nodes do not show")
{
    auto model = best("float[2,7,6] output0", "output0 = x.Net(images)", "float[2,3,64,80] images");
    check_padded_refused({"nothing shows which of the last two columns"}, model);
    add_metadata(model, "task", "detect");
    add_metadata(model, "names", "{0: 'person'}");
    check_padded_refused({"nothing shows which of the last two columns"}, model); // a raw head has these as well
    add_metadata(model, "args", "{'batch': 2, 'nms': True}");
    const auto found = read_padded(model, {});
    CHECK(found.evidence == "the file says that it is Ultralytics' export of finished detections");
    CHECK(found.real_rows == "takes the rows of each image before the first score of 0");
    CHECK(found.box_doubt.empty());
    add_metadata(model, "end2end", "True");
    CHECK(read_padded(model, {}).real_rows == "takes all rows of each image, since nothing in the model drops any");
    model.mutable_metadata_props(0)->set_value("segment");
    check_padded_refused({"nothing shows which of the last two columns"}, model);
}

TEST_CASE("boxes need not be in pixels unless the file or the user says so")
{
    const auto found = read_padded(best("float[B,5,6] out", joined_rows));
    pad_options options;
    options.layout = output_layout::tf_od;
    check_failure(failure::refused, {"nothing shows that the boxes of padded rows are in pixels"},
                  [&] { (void)plan(best("float[B,5,6] out", joined_rows), found, options); });
}

TEST_CASE("loose rows of one image are padded rows only if the user says so")
{
    const auto one = best("float[1,n,6] out", "s2 = Sqrt(s_column) out = Concat<axis = 2>(b4, s2, l_column)",
                          "float[1,3,64,80] images");
    // The nodes show five rows, while the output declares a number that varies.
    check_failure(failure::refused, {"more than one form", "`from` fields, or `from` padded"},
                  [&] { (void)recognise(one, {}); });
    recognise_options told;
    told.from = export_kind::padded;
    CHECK(recognise(one, told).limit->rows == 5);
    told.from = export_kind::fields;
    CHECK(recognise(one, told).batch == 1);
    const auto open = best("float[1,n,6] out",
                           "s2 = x.Some(s_column) b2 = x.Some(b4) c2 = Sub(b2, half) d2 = Add(b2, half) "
                           "out = Concat<axis = 2>(c2, d2, s2, l_column)",
                           "float[1,3,64,80] images");
    CHECK(recognise_padded(best("float[1,n,6] out", "out = x.Net(images)", "float[1,3,64,80] images"),
                           with_columns(score_last))
              .evidence.empty());
    CHECK_THROWS_AS((void)recognise(open, {}), tool_error);
}

TEST_CASE("columns of the batch, twice or without a box are refused")
{
    const auto model = best("float[B,5,6] out", joined_rows);
    auto columns = score_last;
    columns.push_back(flat_column::batch);
    check_padded_refused({"`columns` names the column batch"}, model, with_columns(columns), failure::usage);
    check_padded_refused(
        {"names no label"}, model,
        with_columns({flat_column::x1, flat_column::y1, flat_column::x2, flat_column::y2, flat_column::score}),
        failure::usage);
}
