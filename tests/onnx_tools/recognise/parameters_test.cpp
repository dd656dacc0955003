// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/recognise/parameters.hpp>

#include <onnx_tools/recognise/recognise.hpp>

#include <tests/support/fixture_models.hpp>
#include <tests/support/parse_model.hpp>

#include <doctest/doctest.h>

#include <map>
#include <string>
#include <utility>

using namespace padbatch::onnx_tools;
using namespace padbatch::test;

namespace {

using value_and_places = std::pair<float, std::size_t>;
using parameter_table = std::map<parameter, value_and_places>;

parameter_table table_of(const detections& found)
{
    parameter_table table;
    for (const auto& f : found.parameters) {
        CHECK(table.emplace(f.kind, value_and_places(static_cast<float>(f.value), f.places.size())).second);
    }
    return table;
}

// What the scripts that make the fixtures give the models, beside the limit and the threshold of each.
parameter_table expected(const fixture& known)
{
    const auto images = known.batch;
    parameter_table table{{parameter::detections_per_img, {static_cast<float>(known.limit), images}}};
    const auto threshold = static_cast<float>(known.score_threshold);
    if (known.family.find("R-CNN") != std::string::npos) {
        table[parameter::score_thresh] = {threshold, images};
        table[parameter::nms_thresh] = {0.5F, images};
        table[parameter::rpn_pre_nms_top_n] = {200.0F, 2}; // feature maps, of all images at a time
        table[parameter::rpn_post_nms_top_n] = {120.0F, images};
        table[parameter::rpn_nms_thresh] = {0.7F, images};
        table[parameter::rpn_score_thresh] = {0.0F, images};
        return table;
    }
    const bool ssd = known.family.find("SSD") != std::string::npos;
    const auto parts = images * (ssd ? 3 : 2); // classes, or feature maps
    table[parameter::score_thresh] = {threshold, parts};
    const float overlap = known.family == "FCOS"         ? 0.6F
                          : known.family == "SSD300"     ? 0.45F
                          : known.family == "SSDlite320" ? 0.55F
                                                         : 0.5F;
    table[parameter::nms_thresh] = {overlap, images};
    table[parameter::topk_candidates] = {known.family == "SSD300" ? 400.0F : ssd ? 300.0F : 1000.0F, parts};
    return table;
}

const std::string usual_choice = "chosen = Greater(all_scores, t) ";
const std::string usual_k = "ks = Concat<axis = 0>(k, n) m = ReduceMin<keepdims = 0>(ks) most = Reshape(m, one) ";
const std::string usual_overlap = "iou = Constant<value = float[1] {0.5}>() ";
const std::string usual_pick = "p = NonZero(chosen) tr = Transpose<perm = [1, 0]>(p) at = Squeeze(tr, one) ";

// A detector of one image with one feature map. `choose` makes `chosen`, whether each of `all_scores` stays, and `pick`
// makes `at` of it, the places of those; `k` makes `most`, how many of them.
onnx::ModelProto one_stage(const std::string& choose = usual_choice, const std::string& k = usual_k,
                           const std::string& overlap = usual_overlap, const std::string& pick = usual_pick)
{
    return parse_model(
        "<ir_version: 7, opset_import: [\"\" : 13]> g (float[n,4] all_boxes, int64[n] all_labels, float[n] "
        "all_scores, float[1] turned) => (float[a,4] boxes, int64[a] labels, float[a] scores) { "
        "zero = Constant<value = int64[1] {0}>() one = Constant<value = int64[1] {1}>() both = Constant<value = "
        "int64[2] {0, 1}>() two = Constant<value = int64 {2}>() limit = Constant<value = int64[1] {7}>() "
        "t = Constant<value = float {0.25}>() k = Constant<value = int64[1] {40}>() every = Constant<value = "
        "int64[1] {9223372036854775807}>() " +
        choose + pick + "high = Gather(all_scores, at) n = Shape(high) " + k +
        "best, order = TopK(high, most) of = Gather(at, order) b = Gather(all_boxes, of) l = "
        "Gather(all_labels, of) " +
        overlap +
        "bs = Unsqueeze(b, zero) ss = Unsqueeze(best, both) kept = NonMaxSuppression(bs, ss, every, iou) "
        "column = Gather<axis = 1>(kept, two) keep = Squeeze(column, zero) keep_rows = Slice(keep, zero, limit, zero) "
        "boxes = Gather(b, keep_rows) labels = Gather(l, keep_rows) scores = Gather(best, keep_rows) }");
}

// Why this parameter cannot be set; nothing if it can, or if the model has none.
std::string why_fixed(const detections& found, parameter kind)
{
    for (const auto& f : found.fixed_parameters) {
        if (f.kind == kind) {
            return f.why;
        }
    }
    return "";
}

bool score_is_fixed(const std::string& choose, const std::string& words)
{
    const auto found = recognise(one_stage(choose));
    CAPTURE(choose);
    CHECK(table_of(found).count(parameter::score_thresh) == 0);
    CHECK(table_of(found).count(parameter::nms_thresh) == 1);
    const auto why = why_fixed(found, parameter::score_thresh);
    CAPTURE(why);
    return why.find(words) != std::string::npos;
}

bool candidates_are_fixed(const std::string& k, const std::string& words)
{
    const auto found = recognise(one_stage("chosen = Greater(all_scores, t) ", k));
    CAPTURE(k);
    CHECK(table_of(found).count(parameter::topk_candidates) == 0);
    CHECK(table_of(found).count(parameter::score_thresh) == 1);
    const auto why = why_fixed(found, parameter::topk_candidates);
    CAPTURE(why);
    return why.find(words) != std::string::npos;
}

} // namespace

TEST_CASE("every fixture shows what its model was made with, at every place")
{
    for_each_fixture([](const fixture& known, const onnx::ModelProto& model) {
        const auto found = recognise(model);
        auto table = expected(known);
        if (known.file.stem() == "mask_rcnn_tv029_b2_tensor_op17_onnxruntime") {
            CHECK(why_fixed(found, parameter::rpn_pre_nms_top_n) ==
                  "it is folded with the number of rows into one number, 200, which TopK '/rpn/TopK' reads");
            table.erase(parameter::rpn_pre_nms_top_n);
        } else if (known.file.stem() == "faster_rcnn_tv029_b1_tensor_op20_draft") {
            for (const auto kind : {parameter::rpn_pre_nms_top_n, parameter::rpn_post_nms_top_n,
                                    parameter::rpn_nms_thresh, parameter::rpn_score_thresh}) {
                const auto why = why_fixed(found, kind);
                CAPTURE(why);
                CHECK(why.find("built for the proposals that it was exported with: Shape") != std::string::npos);
                table.erase(kind);
            }
        } else {
            CHECK(found.fixed_parameters.empty());
        }
        CHECK(table_of(found) == table);
    });
}

TEST_CASE("a threshold is known by the comparison that chooses the rows")
{
    const auto plain = table_of(recognise(one_stage()));
    CHECK(plain == parameter_table{{parameter::detections_per_img, {7.0F, 1}},
                                   {parameter::score_thresh, {0.25F, 1}},
                                   {parameter::nms_thresh, {0.5F, 1}},
                                   {parameter::topk_candidates, {40.0F, 1}}});
    const std::string sizes = "w = ReduceMax<axes = [1], keepdims = 0>(all_boxes) wide = Greater(w, t) ";
    CHECK(table_of(recognise(one_stage("high_enough = Greater(all_scores, t) " + sizes +
                                       "chosen = And(wide, high_enough) "))) == plain);
    CHECK(table_of(recognise(one_stage("low = LessOrEqual(all_scores, t) chosen = Not(low) "))) == plain);
    CHECK(table_of(recognise(one_stage("same = Identity(all_scores) chosen = Greater(same, t) "))) == plain);
    // No comparison of scores: there is no such parameter.
    const auto none = recognise(one_stage(sizes + "chosen = Identity(wide) "));
    CHECK(table_of(none).count(parameter::score_thresh) == 0);
    CHECK(why_fixed(none, parameter::score_thresh) == "");
}

TEST_CASE("a threshold is known where the rows above it are picked as torch.export does")
{
    const std::string pairs = "p = NonZero(chosen) tr = Transpose<perm = [1, 0]>(p) c = Slice(tr, zero, one, one) ";
    const std::string expanded =
        pairs + "f = Squeeze(c, one) f_most = Max(f) f_size = Shape(f_most) at = Expand(f, f_size) ";
    for (const auto& pick : {pairs + "at = Squeeze(c, one) ", expanded}) {
        CAPTURE(pick);
        const auto table = table_of(recognise(one_stage(usual_choice, usual_k, usual_overlap, pick)));
        CHECK(table == table_of(recognise(one_stage())));
    }
}

TEST_CASE("a number of candidates is known through nodes that do nothing")
{
    const auto table =
        table_of(recognise(one_stage(usual_choice, "ks = Min(k, n) m = Concat<axis = 0>(ks) most = Reshape(m, one) ")));
    CHECK(table == table_of(recognise(one_stage())));
}

TEST_CASE("a threshold that is compared in another way, or more than once, is not torchvision's")
{
    CHECK(score_is_fixed("chosen = GreaterOrEqual(all_scores, t) ", "GreaterOrEqual 'chosen'"));
    CHECK(score_is_fixed("chosen = Less(all_scores, t) ", "Less 'chosen'"));
    CHECK(score_is_fixed("chosen = Less(t, all_scores) ", "Less 'chosen'"));
    CHECK(score_is_fixed("low = Less(all_scores, t) chosen = Not(low) ", "Less 'low'"));
    CHECK(score_is_fixed("chosen = Greater(all_scores, turned) ", "Greater 'chosen'"));
    CHECK(score_is_fixed("a_ = Greater(all_scores, t) b_ = Greater(all_scores, k_) chosen = And(a_, b_) "
                         "k_ = Constant<value = float {0.75}>() ",
                         "Greater 'b_' compares the same scores"));
    CHECK(score_is_fixed("a_ = Greater(all_scores, t) b_ = Not(a_) c_ = Not(b_) chosen = Or(a_, c_) ", "Or 'chosen'"));
    CHECK(score_is_fixed("chosen = Greater(all_scores, t) again = Greater(all_scores, t) "
                         "unused = Cast<to = 1>(again) ",
                         "Greater 'again' compares the same scores"));
}

TEST_CASE("a number of candidates is known by the least of it and the rows")
{
    const auto plain = table_of(recognise(one_stage()));
    CHECK(table_of(recognise(one_stage("chosen = Greater(all_scores, t) ", "most = Min(n, k) "))) == plain);
    CHECK(candidates_are_fixed("most = Identity(k) ", "folded with the number of rows into one number, 40"));
    CHECK(candidates_are_fixed("most = Identity(n) ", "not the least of a constant"));
    CHECK(candidates_are_fixed("most = Min(n, n) ", "0 constant operands"));
    CHECK(candidates_are_fixed("most = Max(n, k) ", "not the least of a constant"));
    CHECK(candidates_are_fixed("most = Min(n, k, one) ", "2 constant operands"));
    CHECK(candidates_are_fixed("most = Min(n, k) more = Add(most, one) ", "other nodes read the result of Min 'most'"));
}

TEST_CASE("an overlap that is computed is fixed")
{
    const auto found =
        recognise(one_stage("chosen = Greater(all_scores, t) ", "most = Min(n, k) ", "iou = Add(turned, t) "));
    CHECK(table_of(found).count(parameter::nms_thresh) == 0);
    CHECK(why_fixed(found, parameter::nms_thresh) == "NonMaxSuppression 'kept' reads a computed number");
}

TEST_CASE("places that hold different numbers are one fixed parameter")
{
    auto model = fixture_named("retinanet_tv029_b2_list_op11").model;
    auto& graph = *model.mutable_graph();
    auto& other = *graph.add_initializer();
    other.set_name("tests/threshold");
    other.set_data_type(onnx::TensorProto::FLOAT);
    other.add_float_data(0.75F);
    for (auto& node : *graph.mutable_node()) {
        if (node.output(0) == "/Greater_2_output_0") {
            node.set_input(1, other.name());
        }
    }
    const auto found = recognise(model);
    CHECK(table_of(found).count(parameter::score_thresh) == 0);
    CHECK(why_fixed(found, parameter::score_thresh) == "it is 0.65968 in one place and 0.75 in another");
    CHECK(table_of(found).count(parameter::nms_thresh) == 1);
}

TEST_CASE("a parameter that one class or image lacks is fixed")
{
    auto ssd = fixture_named("ssd300_tv014_b2_list_op11").model;
    for (auto& node : *ssd.mutable_graph()->mutable_node()) {
        if (node.output(0) == "/Greater_output_0") {
            node.set_op_type("GreaterOrEqual");
        }
    }
    CHECK(why_fixed(recognise(ssd), parameter::score_thresh).find("rows are chosen by GreaterOrEqual") == 0);
    auto retinanet = fixture_named("retinanet_tv029_b2_list_op11").model;
    auto& graph = *retinanet.mutable_graph();
    const int nodes = graph.node_size();
    for (int i = 0; i < nodes; ++i) {
        if (const auto name = graph.node(i).output(0); name == "/Greater_2_output_0" || name == "/Greater_3_output_0") {
            auto& relu = *graph.add_node(); // the rows are no longer chosen by what they hold
            relu.set_op_type("Relu");
            relu.add_input(graph.node(i).input(0));
            relu.add_output("tests/" + name);
            graph.mutable_node(i)->set_input(0, relu.output(0));
        }
    }
    const auto found = recognise(retinanet);
    CHECK(why_fixed(found, parameter::score_thresh) == "not all images have it");
    CHECK(table_of(found).count(parameter::topk_candidates) == 1);
}

TEST_CASE("what a wrapper suppresses or cuts once more is not what the model was made with")
{
    // The rows of a model, `b`, `l` and `s`, pass another NonMaxSuppression.
    const auto twice = [](const std::string& model_cut) {
        return parse_model(
            "<ir_version: 7, opset_import: [\"\" : 13]> g (float[n,4] all_boxes, int64[n] all_labels, float[n] "
            "all_scores) => (float[a,4] boxes, int64[a] labels, float[a] scores) { "
            "zero = Constant<value = int64[1] {0}>() one = Constant<value = int64[1] {1}>() both = Constant<value = "
            "int64[2] {0, 1}>() two = Constant<value = int64 {2}>() limit = Constant<value = int64[1] {7}>() "
            "few = Constant<value = int64[1] {5}>() t = Constant<value = float {0.25}>() every = Constant<value = "
            "int64[1] {9223372036854775807}>() iou = Constant<value = float[1] {0.5}>() iou2 = Constant<value = "
            "float[1] {0.75}>() chosen = Greater(all_scores, t) p = NonZero(chosen) tr = Transpose<perm = [1, 0]>(p) "
            "at = Squeeze(tr, one) hs = Gather(all_scores, at) hb = Gather(all_boxes, at) hl = Gather(all_labels, at) "
            "bs = Unsqueeze(hb, zero) ss = Unsqueeze(hs, both) kept = NonMaxSuppression(bs, ss, every, iou) "
            "column = Gather<axis = 1>(kept, two) keep = Squeeze(column, zero) " +
            model_cut +
            "b = Gather(hb, rows) l = Gather(hl, rows) s = Gather(hs, rows) "
            "bs2 = Unsqueeze(b, zero) ss2 = Unsqueeze(s, both) kept2 = NonMaxSuppression(bs2, ss2, every, iou2) "
            "column2 = Gather<axis = 1>(kept2, two) keep2 = Squeeze(column2, zero) rows2 = Slice(keep2, zero, few, "
            "zero) boxes = Gather(b, rows2) labels = Gather(l, rows2) scores = Gather(s, rows2) }");
    };
    for (const auto& [model_cut, why] : std::map<std::string, std::string>{
             {"rows = Slice(keep, zero, limit, zero) ", "rows that were cut before are cut again"},
             {"rows = Identity(keep) ", "rows pass more than one NonMaxSuppression"}}) {
        const auto found = recognise(twice(model_cut));
        CHECK(found.parameters.empty());
        for (const auto kind : {parameter::detections_per_img, parameter::score_thresh, parameter::nms_thresh}) {
            CHECK(why_fixed(found, kind) == why);
        }
    }
}

TEST_CASE("the parameters of an image that is not read are not set in part")
{
    const auto& each = fixture_named("ssd300_tv014_b2_list_op11");
    recognise_options first_image;
    first_image.fields = {field::boxes, field::scores, field::labels};
    first_image.batch = 1;
    const auto found = recognise(each.model, first_image);
    CHECK(found.batch == 1);
    CHECK(found.parameters.empty());
    CHECK(why_fixed(found, parameter::score_thresh).find("one more NonMaxSuppression than the images that are read") !=
          std::string::npos);
}
