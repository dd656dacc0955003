// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/recognise/rearranged.hpp>

#include <onnx_tools/model/check.hpp>

#include <tests/support/parse_model.hpp>

#include <doctest/doctest.h>

#include <optional>
#include <string>

using namespace padbatch::onnx_tools;
using namespace padbatch::test;

namespace {

onnx::ModelProto joined_rows()
{
    return parse_model("<ir_version: 7, opset_import: [\"\" : 13]> g (float[n,6] x) => (float[n,6] rows) { "
                       "rows = Identity(x) }");
}

rearranged_outputs squeezed_rows()
{
    const auto model = parse_model("<ir_version: 7, opset_import: [\"\" : 13]> g (float[n,6] rows) => (float[n,4] b) { "
                                   "c = Constant<value = int64[4] {0, 1, 2, 3}>() b = Gather<axis = 1>(rows, c) }");
    rearranged_outputs to;
    to.nodes.assign(model.graph().node().begin(), model.graph().node().end());
    to.outputs.assign(model.graph().output().begin(), model.graph().output().end());
    return to;
}

} // namespace

TEST_CASE("a graph gets other outputs, and loses them again unless they are kept")
{
    auto model = joined_rows();
    const auto before = model.SerializeAsString();
    {
        const rearranging for_now(*model.mutable_graph(), squeezed_rows());
        CHECK(complaints(model).empty());
        CHECK(model.graph().output(0).name() == "b");
        CHECK(model.graph().output_size() == 1);
    }
    CHECK(model.SerializeAsString() == before);
    {
        const rearranging nothing(*model.mutable_graph(), std::nullopt);
    }
    CHECK(model.SerializeAsString() == before);
    {
        rearranging for_good(*model.mutable_graph(), squeezed_rows());
        for_good.keep();
    }
    CHECK(model.graph().output(0).name() == "b");
    CHECK(model.graph().node_size() == 3);
}

TEST_CASE("a copy that is only read has the other outputs, and the model stays as it is")
{
    const auto model = joined_rows();
    const auto copy = rearranged_copy(model, squeezed_rows());
    CHECK(complaints(copy).empty());
    CHECK(copy.graph().output(0).name() == "b");
    CHECK(model.graph().output(0).name() == "rows");
}
