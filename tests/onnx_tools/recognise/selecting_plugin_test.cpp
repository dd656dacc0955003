// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/recognise/selecting_plugin.hpp>

#include <onnx_tools/recognise/recognise.hpp>
#include <tests/support/check_failure.hpp>
#include <tests/support/head_models.hpp>
#include <tests/support/parse_model.hpp>

#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

using namespace padbatch::onnx_tools;
using namespace padbatch::test;

TEST_CASE("a plugin is read as its inputs and attributes say, or refused")
{
    const auto model = [](const std::string& b, const std::string& s, const std::string& call) {
        return parse_model("<ir_version: 7, opset_import: [\"\" : 13, \"TRT\" : 1]> g (float[B,3,64,64] images, "
                           "float[m] i, float[m] j) "
                           "=> (int32[B,1] n, float[B,9,4] boxes, float[B,9] scores, int32[B,9] labels) <" +
                           b + " b, " + s + " s> { b = Head(i) s = Head(j) " + call + " }");
    };
    const std::string usual = "n, boxes, scores, labels = TRT.EfficientNMS_TRT<max_output_boxes = 9>(b, s)";
    const auto found = recognise(model("float[B,50,4]", "float[B,50,3]", usual), {});
    CHECK(found.form == export_kind::raw);
    CHECK(found.selection.most == 9);
    CHECK(found.selection.nms == suppression::class_by_class);
    CHECK(recognise(model("float16[B,50,4]", "float16[B,50,3]", usual), {}).selection.most == 9);
    for (const auto& types : std::vector<std::pair<std::string, std::string>>{{"float[B,50,1,4]", "float[B,50,3]"},
                                                                              {"float[B,50,4]", "float[B,50,3,1]"},
                                                                              {"float[B,50,5]", "float[B,50,3]"}}) {
        check_failure(failure::refused, {"[B, A, 4]"},
                      [&] { (void)recognise(model(types.first, types.second, usual), {}); });
    }
    const auto open = model("float[B,50,4]", "float[B,50,C]", usual);
    check_failure(failure::refused, {"`num_classes` N"}, [&] { (void)recognise(open, {}); });
    recognise_options classes;
    classes.head.class_count = 3;
    CHECK(recognise(open, classes).form == export_kind::raw);
    classes.head.class_count = 4;
    const auto three = model("float[B,50,4]", "float[B,50,3]", usual);
    check_failure(failure::refused, {"3 classes"}, [&] { (void)recognise(three, classes); });
    recognise_options strides;
    strides.head.strides = {8};
    check_failure(failure::usage, {"leave the other options out"}, [&] { (void)recognise(three, strides); });
    for (const auto& wrong : std::vector<std::pair<std::string, std::string>>{
             {"n, boxes, scores, labels = TRT.EfficientNMS_TRT(b, s, b)", "by anchors"},
             {"n, boxes, scores, labels = TRT.EfficientNMS_ONNX_TRT(b, s)", "4 outputs"},
             {"n, boxes, scores, l = TRT.EfficientNMS_TRT(b, s) labels = Identity(l)", "no other engine"}}) {
        CAPTURE(wrong.first);
        check_failure(failure::refused, {wrong.second},
                      [&] { (void)recognise(model("float[B,50,4]", "float[B,50,3]", wrong.first), {}); });
    }
}
