// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/recognise/graph_outputs.hpp>

#include <tests/support/check_failure.hpp>
#include <tests/support/parse_model.hpp>
#include <tests/support/small_detector.hpp>

#include <doctest/doctest.h>

#include <set>
#include <string>

using namespace padbatch::onnx_tools;
using namespace padbatch::test;
using padbatch::element_type;

namespace {

const std::string opset = "<ir_version: 7, opset_import: [\"\" : 13]> ";

} // namespace

TEST_CASE("outputs have the ranks that the file leaves out")
{
    const auto model = parse_model(opset + "g (float[n,4] x) => (float[] y, float[a,b] z, float[] u) "
                                           "{ y = Identity(x) z = Net(x) u = Net(x) }");
    const auto outputs = typed_outputs(model, graph_index(model.graph()));
    REQUIRE(outputs.size() == 3);
    CHECK(outputs[0].name == "y");
    CHECK(outputs[0].type.element == element_type::float32);
    CHECK(outputs[0].type.rank == 2);
    CHECK(outputs[0].type.shape.empty());
    CHECK(outputs[1].type.shape == std::vector<dimension>{{{}, "a"}, {{}, "b"}});
    CHECK_FALSE(outputs[2].type.rank);
}

TEST_CASE("an output that is listed twice is refused")
{
    auto model = small_detector();
    *model.mutable_graph()->add_output() = model.graph().output(4);
    check_failure(failure::refused, {"'l1'"}, [&] { (void)graph_outputs(model); });
}

TEST_CASE("each output knows the cut of its image")
{
    const auto model = small_detector();
    const graph_outputs outputs(model);
    REQUIRE(outputs.size() == 6);
    CHECK(outputs.any_cut());
    for (int i = 0; i < 6; ++i) {
        const auto* cut = outputs.index().producer(i < 3 ? "rows0" : "rows1");
        CHECK(outputs[i].bound.cut == cut);
        CHECK(outputs[i].nearest == cut);
        CHECK(outputs[i].cut == cut);
        CHECK(outputs.cuts_above(outputs[i].name) == std::set{cut});
        CHECK(outputs.text().find("'" + outputs[i].name + "'") != std::string::npos);
    }
}

TEST_CASE("rows that cannot be followed have the nearest cut, if it is that of another output's rows")
{
    const std::string nodes = "zero = Constant <value = int64[1] {0}> () seven = Constant <value = int64[1] {7}> () "
                              "rows = Slice(keep, zero, seven, zero) kept = Gather(all, rows) "
                              "b = Concat <axis = 1> (kept, kept) ";
    const auto cut_of_boxes = [&](const std::string& outputs, const std::string& more) {
        const auto model =
            parse_model(opset + "g (float[n,2] all, int64[k] keep) => (" + outputs + ") { " + nodes + more + "}");
        const graph_outputs found(model);
        CHECK(found[0].bound.cut == nullptr);
        CHECK(found[0].nearest == found.index().producer("rows"));
        CHECK(found.any_cut() == (found[0].cut != nullptr));
        return found[0].cut == found.index().producer("rows");
    };
    CHECK(cut_of_boxes("float[m,4] b, float[m] s", "s = Gather(all, rows)"));
    CHECK_FALSE(cut_of_boxes("float[m,4] b", ""));
    CHECK_FALSE(cut_of_boxes("float[m,4] b, float[m] s", "s = Net(kept)"));
}
