// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/model/check.hpp>
#include <onnx_tools/pad/fixed_batch.hpp>
#include <onnx_tools/plan/plan.hpp>
#include <onnx_tools/recognise/recognise.hpp>

#include <tests/onnx_tools/pad/expression.hpp>
#include <tests/onnx_tools/plan/plan_of.hpp>
#include <tests/support/parse_model.hpp>
#include <tests/support/small_detector.hpp>

#include <doctest/doctest.h>

#include <string>

using namespace padbatch::onnx_tools;
using namespace padbatch::test;

namespace {

onnx::ModelProto fixed(onnx::ModelProto model, const pad_plan& p)
{
    fresh_names fresh(model.graph());
    pad_fixed(*model.mutable_graph(), p, fresh, standard_opset(model));
    CHECK(complaints(model).empty());
    check_types(model);
    return model;
}

// How the nodes make an output of the small detector, whose rows are said to come in descending score, or are not.
std::string made(const std::string& output, const pad_options& options = {}, bool best_first = true)
{
    const auto model = small_detector();
    auto p = plan_of(model, options);
    p.source.best_first = best_first;
    return expression(fixed(model, p).graph(), output);
}

std::string rows_of(const std::string& scores)
{
    return "Gather<axis=0>(Shape(" + scores + "), [0])";
}

// The scores of image `i`, in a form that fails unless its fields have equally many rows.
std::string counted(const std::string& i)
{
    std::string columns;
    for (const char* name : {"b", "l", "s"}) {
        columns += std::string(columns.empty() ? "" : ", ") + "ConstantOfShape<FLOAT>(Concat<axis=0>(" +
                   rows_of(name + i) + ", [1]))";
    }
    return "Reshape(s" + i + ", " + rows_of("Concat<axis=1>(" + columns + ")") + ")";
}

pad_options of_batch()
{
    pad_options options;
    options.max_detections = largest_of_batch{};
    return options;
}

} // namespace

TEST_CASE("each image's rows are filled up to M and joined")
{
    const std::string missing0 = "Sub([7], " + rows_of("s0") + ")";
    const std::string missing1 = "Sub([7], " + rows_of("s1") + ")";
    CHECK(made("scores") == "Concat<axis=0>(Reshape(Concat<axis=0>(s0, ConstantOfShape<FLOAT>(" + missing0 +
                                ")), [1, 7]), Reshape(Concat<axis=0>(s1, ConstantOfShape<FLOAT>(" + missing1 +
                                ")), [1, 7]))");
    CHECK(made("labels").find("ConstantOfShape<INT64>(" + missing1 + ")") != std::string::npos);
    CHECK(made("boxes").find("ConstantOfShape<FLOAT>(Concat<axis=0>(" + missing0 + ", [4]))") != std::string::npos);
    CHECK(made("boxes").ends_with(", [1, 7, 4]))"));
}

TEST_CASE("counts are those of the rows that are left")
{
    CHECK(made("num_detections") ==
          "Reshape(Cast<to=INT32>(Concat<axis=0>(" + rows_of("s0") + ", " + rows_of("s1") + ")), [2, 1])");
    pad_options options = with_max(3);
    options.flat_counts = true;
    options.count_type = padbatch::element_type::int64;
    // Those of the scores; cutting would hide that another field has other rows.
    const auto kept = [](const std::string& i) { return rows_of("Slice(" + counted(i) + ", [0], [3], [0])"); };
    CHECK(made("num_detections", options) == "Cast<to=INT64>(Concat<axis=0>(" + kept("0") + ", " + kept("1") + "))");
    // Rows in an order that is not known are picked by their scores, as many as there are, or M.
    const auto best = made("num_detections", options, false);
    CHECK(best.find("Gather<axis=0>(" + counted("0") + ", TopK#1(" + counted("0") + ", Where(Less(" +
                    rows_of(counted("0")) + ", [3]), " + rows_of(counted("0")) + ", [3])))") != std::string::npos);
    options = {};
    options.layout = output_layout::mmdeploy; // has no counts
    CHECK(made("num_detections", options) == "num_detections");
    CHECK(made("dets", options).starts_with("Concat<axis=2>(Concat<axis=0>(Reshape("));
}

TEST_CASE("M is the largest count where it follows the batch")
{
    const std::string largest =
        "ReduceMax<keepdims=1>(Concat<axis=0>(" + rows_of(counted("0")) + ", " + rows_of(counted("1")) + "))";
    const auto scores = made("scores", of_batch());
    CHECK(scores.find("Sub(" + largest + ", " + rows_of(counted("1")) + ")") != std::string::npos);
    CHECK(scores.find("Relu") != std::string::npos); // OpenVINO does not load sizes that may be negative
    CHECK(scores.ends_with(", [1, -1]))"));
    CHECK(made("scores").find("Relu") == std::string::npos);
}

TEST_CASE("masks of different sizes are widened to the largest, first in height and then in width")
{
    std::string inputs;
    std::string outputs;
    std::string nodes;
    for (const std::string i : {"0", "1"}) {
        for (const std::string& type : {"float[a" + i + ",4] b", "int64[a" + i + "] l", "float[a" + i + "] s",
                                        "float[a" + i + ",1,h" + i + ",w" + i + "] m"}) {
            const auto comma = outputs.empty() ? "" : ", ";
            const auto name = type.back() + i;
            inputs += comma + type + i + "_in";
            outputs += comma + type + i;
            nodes += name + " = Identity(" + name + "_in)\n";
        }
    }
    const auto model = parse_model("<ir_version: 7, opset_import: [\"\" : 13]> g (" + inputs + ") => (" + outputs +
                                   ") {" + nodes + "}");
    recognise_options told;
    told.fields = {field::boxes, field::labels, field::scores, field::masks};
    auto p = plan(model, recognise(model, told), with_max(3));
    for (const bool widens : {true, false}) {
        CAPTURE(widens);
        p.widens_masks = widens;
        p.source.best_first = true;
        const auto after = fixed(model, p);
        const auto masks = expression(after.graph(), "masks");
        for (const std::string m : {"m0", "m1"}) {
            const auto cut = "Slice(" + m + ", [0], [3], [0])";
            CAPTURE(cut);
            // The largest height is that of all images, and what is missing in width has the height that is there then.
            CHECK(
                (masks.find("Sub(ReduceMax<keepdims=1>(Concat<axis=0>(Gather<axis=0>(Shape(Slice(m0, [0], [3], [0])), "
                            "[2]), Gather<axis=0>(Shape(Slice(m1, [0], [3], [0])), [2]))), Gather<axis=0>(Shape(" +
                            cut + "), [2]))") != std::string::npos) == widens);
            CHECK((masks.find("Concat<axis=3>(Concat<axis=2>(" + cut + ", ConstantOfShape<FLOAT>(") !=
                   std::string::npos) == widens);
        }
    }
}
