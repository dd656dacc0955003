// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/recognise/forms/loose.hpp>

#include <onnx_tools/recognise/recognise.hpp>
#include <tests/support/check_failure.hpp>
#include <tests/support/parse_model.hpp>

#include <doctest/doctest.h>

#include <map>
#include <optional>
#include <string>
#include <vector>

using namespace padbatch::onnx_tools;
using namespace padbatch::test;

namespace {

using strings = std::vector<std::string>;

// A detector of one image with boxes `b` [n, 4], labels `l` int64 [n] and scores `s` [n], and the same as columns: `lc`
// (a float) and `sc`, [n, 1]. `nodes` and `outputs` say what it gives.
onnx::ModelProto loose_model(const std::string& outputs, const std::string& nodes,
                             const std::string& inputs = "float[1,3,8,8] images")
{
    return parse_model("<ir_version: 8, opset_import: [\"\" : 13]> g (" + inputs + ") => (" + outputs + R"() {
        all_shape = Constant<value = int64[3] {1, 48, 4}>()
        all_boxes = Reshape(images, all_shape)
        best = ReduceMax<axes = [2]>(all_boxes)
        by_class = Transpose<perm = [0, 2, 1]>(best)
        most = Constant<value = int64[1] {5}>()
        selected = NonMaxSuppression(all_boxes, by_class, most)
        i1 = Constant<value = int64 {1}>()
        i2 = Constant<value = int64 {2}>()
        front = Constant<value = int64[1] {0}>()
        back = Constant<value = int64[1] {1}>()
        row = Gather<axis = 1>(selected, i2)
        l = Gather<axis = 1>(selected, i1)
        list = Squeeze(all_boxes, front)
        any = Constant<value = int64[1] {-1}>()
        score_list = Reshape(best, any)
        b = Gather<axis = 0>(list, row)
        s = Gather<axis = 0>(score_list, row)
        lu = Unsqueeze(l, back)
        lc = Cast<to = 1>(lu)
        sc = Unsqueeze(s, back)
        )" + nodes + "}");
}

// The value of each field.
std::map<std::string, std::string> values_of(const detections& found)
{
    std::map<std::string, std::string> values;
    for (const auto& f : found.fields) {
        REQUIRE(f.values.size() == 1);
        values[std::string(name_of(f.kind))] = f.values.front();
    }
    return values;
}

const std::map<std::string, std::string> inner{{"boxes", "b"}, {"labels", "l"}, {"scores", "s"}};

recognise_options from_fields(std::optional<std::vector<flat_column>> columns = std::nullopt)
{
    recognise_options options;
    options.from = export_kind::fields;
    options.columns = std::move(columns);
    return options;
}

void check_loose_fails(failure kind, const strings& words, const onnx::ModelProto& model,
                       const recognise_options& options = {})
{
    check_failure(kind, words, [&] { (void)recognise(model, options); });
}

const std::vector<flat_column> score_then_label{flat_column::x1, flat_column::y1,    flat_column::x2,
                                                flat_column::y2, flat_column::score, flat_column::label};

} // namespace

TEST_CASE("what nodes joined, converted or gave a leading 1 is taken from in front of these")
{
    const auto check = [](const std::string& outputs, const std::string& nodes) {
        CAPTURE(outputs);
        const auto found = recognise(loose_model(outputs, nodes), {});
        CHECK(values_of(found) == inner);
        CHECK(found.evidence.find("NonMaxSuppression") != std::string::npos);
        REQUIRE(found.rearranged);
        CHECK(found.rearranged->nodes.empty());
        CHECK(find_field(found, field::labels)->element == padbatch::element_type::int64);
    };
    check("float[1,n,4] x, int64[1,n] y, float[1,n] z",
          "x = Unsqueeze(b, front) y = Unsqueeze(l, front) z = Unsqueeze(s, front)");
    check("float[n,5] boxes, int64[n] y", "boxes = Concat<axis = 1>(b, sc) y = Identity(l)");
    check("float[1,n,5] dets, int64[1,n] labels",
          "d = Concat<axis = -1>(b, sc) dets = Unsqueeze(d, front) labels = Unsqueeze(l, front)");
    check("float[n,6] x", "x = Concat<axis = 1>(b, sc, lc)");
    check("float[n,6] x", "x = Concat<axis = 1>(b, lc, sc)");
    check("float[n,6] x", "x = Concat<axis = 1>(lc, sc, b)"); // as Paddle orders them
    check("float[n,5] x, int64[n] y", "x = Concat<axis = 1>(sc, b) y = Identity(l)");
    check("float[n,5] x, float[n] y", "x = Concat<axis = 1>(lc, b) y = Identity(s)");
    check("float[n,6] x", "d = Concat<axis = 1>(b, sc) x = Concat<axis = 1>(lc, d)");
    check("float[1,n,6] x", "d = Concat<axis = 1>(b, sc, lc) x = Unsqueeze(d, front)");
    check("float[1,n,6] x", "bf = Unsqueeze(b, front) sf = Unsqueeze(sc, front) lf = Unsqueeze(lc, front) "
                            "x = Concat<axis = 2>(bf, sf, lf)");
    check("float[n,4] x, int64[n,1] y, float[n,1] z", "x = Identity(b) y = Identity(lu) z = Identity(sc)");
}

TEST_CASE("labels that are floats keep their type where they have an output of their own")
{
    for (const bool labels_first : {false, true}) {
        CAPTURE(labels_first);
        const auto found = recognise(
            loose_model("float[n,4] x, float[n] y, float[n] z",
                        std::string("x = Identity(b) ") + (labels_first ? "y = Cast<to = 1>(l) z = Identity(s)"
                                                                        : "y = Identity(s) z = Cast<to = 1>(l)")),
            {});
        CHECK(values_of(found)["labels"] == (labels_first ? "y" : "z"));
        CHECK(find_field(found, field::labels)->element == padbatch::element_type::float32);
    }
}

TEST_CASE("boxes and scores alone, and outputs that are none of these")
{
    const auto alone = recognise(loose_model("float[1,n,4] x, float[1,n] y, int64[2] image_size",
                                             "x = Unsqueeze(b, front) y = Unsqueeze(s, front) "
                                             "image_size = Constant<value = int64[2] {8, 8}>()"),
                                 {});
    CHECK(values_of(alone) == std::map<std::string, std::string>{{"boxes", "b"}, {"scores", "s"}});
    CHECK(alone.other_outputs == strings{"image_size"});
    const auto five = recognise(loose_model("float[n,5] x", "x = Concat<axis = 1>(b, sc)"), {});
    CHECK(values_of(five) == std::map<std::string, std::string>{{"boxes", "b"}, {"scores", "s"}});
    check_loose_fails(failure::refused, {"nothing shows that the last column", "`columns` x1,y1,x2,y2,score"},
                      loose_model("float[n,5] x", "y = Concat<axis = 1>(b, sc) x = Sub(y, y)"));
    // Something with a row for each detection is left over, or nothing tells two fields apart.
    check_loose_fails(failure::refused, {"not recognised"},
                      loose_model("float[1,n,4] x, float[1,n] y, float[1,n,7] more",
                                  "x = Unsqueeze(b, front) y = Unsqueeze(s, front) m = Concat<axis = 1>(b, sc, sc, sc) "
                                  "more = Unsqueeze(m, front)"));
    check_loose_fails(
        failure::refused, {"'y'", "'z'", "`from` fields `fields` boxes,scores,labels"},
        loose_model("float[n,4] x, float[n] y, float[n] z", "x = Identity(b) y = Identity(s) z = Neg(s)"));
    check_loose_fails(failure::refused, {"'labels'", "bears the name of labels"},
                      loose_model("float[1,n,4] x, float[1,n] labels, int64[1,n] scores",
                                  "x = Unsqueeze(b, front) labels = Unsqueeze(s, front) scores = Unsqueeze(l, front)"));
}

TEST_CASE("columns are picked where nothing shows what they were joined from")
{
    // Joined first, and then picked.
    const auto picked = recognise(loose_model("float[n,6] x", "bl = Squeeze(best, front) "
                                                              "al = ArgMax<axis = 1>(list) af = Cast<to = 1>(al) "
                                                              "all = Concat<axis = 1>(list, bl, af) "
                                                              "x = Gather<axis = 0>(all, row)"),
                                  {});
    REQUIRE(picked.rearranged);
    CHECK(picked.rearranged->nodes.size() >= 4);
    CHECK(find_field(picked, field::labels)->element == padbatch::element_type::int64);
    const auto& sources = picked.rearranged->sources;
    CHECK(sources.at(find_field(picked, field::scores)->values.front()) == "column 4 of 'x'");
    CHECK(sources.at(find_field(picked, field::boxes)->values.front()) == "the columns 0, 1, 2, 3 of 'x'");

    // Which is the label only the user knows.
    const auto unclear = loose_model("float[n,6] x", "sc2 = Neg(sc) x = Concat<axis = 1>(b, sc, sc2)");
    check_loose_fails(failure::refused, {"'x'", "`columns` x1,y1,x2,y2,score,label", "x1,y1,x2,y2,label,score"},
                      unclear);
    check_loose_fails(failure::refused, {"'x'", "`columns` x1,y1,x2,y2,score,label"}, unclear, from_fields());
    recognise_options columns;
    columns.columns = score_then_label;
    const auto told = recognise(unclear, columns);
    CHECK(values_of(told)["boxes"] == "b");
    CHECK(values_of(told)["scores"] == "s");
    CHECK(find_field(told, field::labels)->element == padbatch::element_type::int64);

    // A wider part does not show which of its columns was an integer.
    check_loose_fails(failure::refused, {"nothing shows which of the last two columns"},
                      loose_model("float[n,6] x", "two = Concat<axis = 1>(lc, sc) half = Softplus(two) "
                                                  "x = Concat<axis = 1>(b, half)"));
    // Where all of them were, none is the score.
    check_loose_fails(failure::refused, {"the nodes show that they are something else", "'x'"},
                      loose_model("float[n,6] x", "two = Concat<axis = 1>(lu, lu) tf = Cast<to = 1>(two) "
                                                  "part = Identity(tf) half = Mul(part, part) "
                                                  "x = Concat<axis = 1>(b, half)"));
}

TEST_CASE("columns that are named must be those that the nodes show, and fit an output")
{
    const auto model = loose_model("float[n,6] x", "x = Concat<axis = 1>(b, lc, sc)");
    check_loose_fails(failure::refused, {"another column"}, model, from_fields(score_then_label));
    check_loose_fails(failure::usage, {"not the columns of one image's rows"}, model,
                      from_fields(std::vector<flat_column>{flat_column::x1, flat_column::y1, flat_column::x2,
                                                           flat_column::y2, flat_column::batch, flat_column::score}));
    check_loose_fails(failure::usage, {"no outputs of one image fit"}, model,
                      from_fields(std::vector<flat_column>{flat_column::x1, flat_column::y1, flat_column::x2,
                                                           flat_column::y2, flat_column::score}));
    // Boxes by their center.
    const std::vector<flat_column> center{flat_column::cx, flat_column::cy,    flat_column::w,
                                          flat_column::h,  flat_column::label, flat_column::score};
    const auto found = recognise(model, from_fields(center));
    REQUIRE(found.rearranged);
    CHECK(values_of(found)["scores"] == "s");
    CHECK(values_of(found)["boxes"] != "b");
    // y before x.
    const auto apart = loose_model("float[1,n,4] x, int64[1,n] y, float[1,n] z",
                                   "x = Unsqueeze(b, front) y = Unsqueeze(l, front) z = Unsqueeze(s, front)");
    const auto yx = recognise(apart, from_fields(std::vector<flat_column>{flat_column::y1, flat_column::x1,
                                                                          flat_column::y2, flat_column::x2}));
    CHECK(values_of(yx)["labels"] == "l");
    CHECK(yx.rearranged->nodes.back().op_type() == "Gather");
}

TEST_CASE("rows that may be padding are refused until the user says what they are")
{
    const auto padded = loose_model("float[1,n,6] x", "d = Concat<axis = 1>(b, sc, lc) "
                                                      "none = Constant<value = float[1,6] {0., 0., 0., 0., 0., 0.}>() "
                                                      "e = Concat<axis = 0>(d, none) x = Unsqueeze(e, front)");
    check_loose_fails(failure::refused, {"`from` fields", "`from` padded"}, padded);
    CHECK(recognise(padded, from_fields(score_then_label)).batch == 1);
    const auto fixed = loose_model("float[1,48,4] x, float[1,48] y", "x = Identity(all_boxes) y = Squeeze(best, any)");
    check_loose_fails(failure::refused, {"'x'", "`from` fields if"}, fixed);
    CHECK(recognise(fixed, from_fields()).fields.size() == 2);
    // Rows of a list whose images nobody counts.
    const auto list = loose_model("float[n,6] x", "x = Concat<axis = 1>(b, sc, lc)", "float[batch,3,8,8] images");
    check_loose_fails(failure::refused, {"of one image", "`from` fields"}, list);
    CHECK(values_of(recognise(list, from_fields())) == inner);
    // The user names the outputs.
    recognise_options named;
    named.fields = {field::boxes, field::scores};
    CHECK(recognise(fixed, named).fields.size() == 2);
}
