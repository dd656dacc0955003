// SPDX-License-Identifier: Apache-2.0
// (The forms of lists are in forms/flat_test.cpp.)
#include <onnx_tools/recognise/flat_reading.hpp>

#include <onnx_tools/recognise/graph_outputs.hpp>

#include <tests/support/check_failure.hpp>
#include <tests/support/parse_model.hpp>

#include <doctest/doctest.h>

#include <string>

using namespace padbatch::onnx_tools;
using namespace padbatch::test;

namespace {

struct read_lists {
    explicit read_lists(const std::string& outputs, const std::string& made)
        : model(parse_model("<ir_version: 7, opset_import: [\"\" : 13, \"x\" : 1]> g (float[B,3,H,W] images) => (" +
                            outputs + ") { " + made + " }")),
          index(model.graph()), outputs_of_model(typed_outputs(model, index))
    {
    }

    [[nodiscard]] flat_reading read(const recognise_options& options) const
    {
        return read_flat(index, outputs_of_model, options);
    }

    onnx::ModelProto model;
    graph_index index;
    std::vector<typed_value> outputs_of_model;
};

} // namespace

TEST_CASE("lists that a user names are what the user says, and the rest is read by its types")
{
    const read_lists lists("float[n,4] b, double[n] s, float[n] c, int64[n] i, int64[B] k",
                           "b, s, f, i, k = x.Net(images) whole = Cast<to = 7>(f) c = Cast<to = 1>(whole)");
    recognise_options told;
    told.batch_index = "i";
    const auto found = lists.read(told);
    CHECK(found.rows->name == "b");
    CHECK(found.index->name == "i");
    CHECK(found.counts == nullptr);
    CHECK(found.evidence == "`batch_index` names 'i'");
    CHECK(found.labels->name == "c");
    CHECK(found.scores->name == "s");
    const read_lists counted("float[n,4] b, float[n] s, int64[n] c, int64[B] k", "b, s, c, k = x.Net(images)");
    told.batch_index.reset();
    told.count_output = "k";
    CHECK(counted.read(told).counts->name == "k");
    CHECK(counted.read(told).evidence == "`count_output` names 'k'");
    // An integer for each row may be its label.
    check_failure(failure::refused, {"no output holds"}, [&] { (void)lists.read(told); });
}

TEST_CASE("what is not certain among lists is refused")
{
    recognise_options told;
    told.batch_index = "i";
    for (const std::string lists : {"float[n,4] b, int64[n] c, int64[n] i", "float[n,4] b, float[n] s, int64[n] i",
                                    "float[n,4] b, float[n] s, float[n] t, int64[n] c, int64[n] i",
                                    "float[n,4] b, float[n,4] d, float[n] s, int64[n] c, int64[n] i",
                                    "float[n,4] b, float[n] s, int64[n] c, int64[n] d, int64[n] i"}) {
        CAPTURE(lists);
        std::string names;
        for (const char name : std::string("bdstci")) {
            names += lists.find(std::string("] ") + name) != std::string::npos
                         ? std::string(names.empty() ? "" : ", ") + name
                         : std::string();
        }
        check_failure(failure::refused, {"no output holds the rows"},
                      [&] { (void)read_lists(lists, names + " = x.Net(images)").read(told); });
    }
}
