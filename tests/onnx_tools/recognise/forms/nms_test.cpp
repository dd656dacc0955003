// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/recognise/forms/nms.hpp>

#include <onnx_tools/plan/plan.hpp>
#include <onnx_tools/recognise/recognise.hpp>

#include <tests/onnx_tools/recognise/forms/row_list_models.hpp>

#include <doctest/doctest.h>

#include <stdexcept>
#include <string>
#include <vector>

using namespace padbatch::onnx_tools;
using namespace padbatch::test;
using padbatch::element_type;
using enum padbatch::onnx_tools::flat_column;

TEST_CASE("a selection is what a NonMaxSuppression makes, of what it reads")
{
    const auto check = [](const onnx::ModelProto& model, const strings& others) {
        const auto found = read(model, selection);
        REQUIRE(found.flat);
        CHECK(found.flat->rows == "picked");
        CHECK(found.flat->boxes == "p");
        CHECK(found.flat->scores == "q");
        CHECK(found.flat->batch_input == "images");
        CHECK(found.flat->columns == column_list{x1, y1, x2, y2});
        CHECK(found.other_outputs == others);
        REQUIRE(found.limit);
        CHECK(found.limit->rows == 21);
        REQUIRE(found.threshold);
        CHECK(found.threshold->score == 0.25);
    };
    check(nms("int64[n,3] picked"), {});
    check(nms("int32[n,3] a, int64[n,3] b", "a = Cast<to = 6>(c) c = Identity(picked) b = Identity(picked)"), {});
    check(nms("float[B,160,4] a, float[B,3,160] b, float[B,8] f, int64[n,3] picked",
              "a = Identity(p) b = Identity(q) f = x.Net(images)"),
          {"f"});
    CHECK(read(nms("int64[n,3] picked", "", "<center_point_box = 1>"), selection).flat->columns ==
          column_list{cx, cy, w, h});
    const column_list given{y1, x1, y2, x2};
    CHECK(read(nms("int64[n,3] picked"), selection, given).flat->columns == given);
}

TEST_CASE("what a selection keeps per class limits its rows, if the classes are known")
{
    const auto limit = [](const std::string& most, const std::string& scores) {
        return read(nms("int64[n,3] picked", "", "", most, scores), selection).limit;
    };
    CHECK(limit("159", "float[B,3,160] q")->rows == 477);
    CHECK(limit("1000", "float[B,3,k] q")->rows == 3000);
    CHECK_FALSE(limit("160", "float[B,3,160] q")); // no more than there are boxes
    CHECK_FALSE(limit("7", "float[B,C,160] q"));
    CHECK_FALSE(limit("0", "float[B,3,160] q"));
    CHECK_FALSE(limit("9223372036854775807", "float[B,3,k] q"));
    const auto unknown = nms("int64[n,3] picked", "", "", "7", "float[B,C,160] q");
    check_failure(failure::refused, {"`max_detections` N", "`max_detections` batch"},
                  [&] { (void)plan(unknown, read(unknown, selection)); });
}

TEST_CASE("a selection without its node is read by the types of the outputs")
{
    const auto found =
        read(net({{"s", "float[B,3,k]"}, {"b", "double[B,k,4]"}, {"i", "int64[n,3]"}, {"f", "float[B,9]"}}), selection);
    CHECK(found.flat->rows == "i");
    CHECK(found.flat->boxes == "b");
    CHECK(found.flat->scores == "s");
    CHECK(found.fields[0].element == element_type::float64);
    CHECK(found.fields[2].element == element_type::float32);
    CHECK(found.other_outputs == strings{"f"});
    CHECK_FALSE(found.limit);
    check_refused({"'i' (int64 [n, 3])", "`from` flat"}, net({{"i", "int64[n,3]"}}), selection);
    check_refused({"cannot be told apart"},
                  net({{"i", "int64[n,3]"}, {"b", "float[B,k,4]"}, {"s", "float[B,3,k]"}, {"t", "float[B,3,k]"}}),
                  selection);
}

TEST_CASE("a selection may have other integers and a dimension in front, as in the model zoo")
{
    const std::string made =
        "axis = Constant<value = int64[1] {0}>() narrow = Cast<to = 6>(picked) out = Unsqueeze(narrow, "
        "axis) turned = Transpose<perm = [0, 2, 1]>(q) half = Cast<to = 10>(p)";
    const auto found = recognise(nms("float16[B,160,4] half, float[B,160,3] turned, int32[1,n,3] out", made));
    CHECK(found.form == selection);
    CHECK(found.flat->rows == "picked");
    CHECK(found.other_outputs.empty()); // the same boxes and scores
    CHECK_FALSE(found.rearranged);
    CHECK_FALSE(found.evidence.empty());
    // A part of it is another thing.
    check_refused(
        {"cannot be told apart"},
        nms("int64[n] images_of", "one = Constant<value = int64 {0}>() images_of = Gather<axis = 1>(picked, one)"),
        selection);
    check_refused({"cannot be told apart"}, nms("float[n,3] out", "out = Cast<to = 1>(picked)"), selection);
    for (const std::string type : {"int32[n,3]", "int32[1,n,3]", "int64[1,n,3]"}) {
        CAPTURE(type);
        const auto by_type = read(net({{"s", "float[B,3,k]"}, {"b", "float[B,k,4]"}, {"i", type}}), selection);
        REQUIRE(by_type.rearranged);
        CHECK(by_type.rearranged->outputs.front().name() == by_type.flat->rows);
        CHECK(by_type.rearranged->sources.at(by_type.flat->rows) == "'i'");
        CHECK(by_type.other_outputs.empty());
        CHECK(by_type.evidence.empty());
    }
    check_refused({"cannot be told apart"}, net({{"s", "float[B,3,k]"}, {"b", "float[B,k,4]"}, {"i", "int64[2,n,3]"}}),
                  selection);
}

TEST_CASE("a selection of nothing is refused")
{
    const auto node_of = [](onnx::ModelProto& model) {
        for (auto& node : *model.mutable_graph()->mutable_node()) {
            if (node.op_type() == "NonMaxSuppression") {
                return &node;
            }
        }
        throw std::runtime_error("no such node");
    };
    const strings words{"NonMaxSuppression", "does not read both boxes and scores"};
    for (const int inputs : {1, 0}) {
        auto model = nms("int64[n,3] picked");
        auto& read = *node_of(model)->mutable_input();
        read.DeleteSubrange(inputs, read.size() - inputs);
        check_refused(words, model, selection);
    }
    for (const int absent : {0, 1}) {
        auto model = nms("int64[n,3] picked");
        node_of(model)->set_input(absent, "");
        check_refused(words, model, selection);
    }
    auto model = nms("int64[n,3] picked"); // the others may be absent
    auto& read_by_node = *node_of(model)->mutable_input();
    read_by_node.DeleteSubrange(2, read_by_node.size() - 2);
    CHECK_FALSE(read(model, selection).limit);
}

TEST_CASE("selections that are not beyond doubt are refused")
{
    check_refused({"2 NonMaxSuppression nodes"},
                  nms("int64[n,3] picked, int64[m,3] second", "second = NonMaxSuppression(p, q, most)"), selection);
    // Boxes that were shifted by class for the node are not the boxes that a user wants.
    check_refused({"'all' (float32 [B, 160, 4])", "selects from other boxes, 'p'", "`from` flat"},
                  nms("int64[n,3] picked, float[B,160,4] all", "all = x.Net(images)"), selection);
}
