// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/cli/tables.hpp>

#include <onnx_tools/rewrite.hpp>
#include <tests/support/fixture_models.hpp>
#include <tests/support/small_detector.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <string>
#include <vector>

using namespace padbatch::onnx_tools;
using namespace padbatch::test;

namespace {

std::string lines(const std::vector<cli::table_row>& rows)
{
    std::string text;
    for (const auto& row : rows) {
        text += row.name + "|" + row.type + "|" + row.shape + "|" + row.bytes + "\n";
    }
    return text;
}

std::string planned(onnx::ModelProto model, const pad_options& pad)
{
    const auto p = rewrite(model, {{}, pad});
    return lines(cli::planned_rows(model, p));
}

} // namespace

TEST_CASE("columns of a table are as wide as they must be, and lines end without blanks")
{
    CHECK(cli::table({}).empty());
    CHECK(cli::table({{"a", "int32", "[2]", "8 B"}, {"longer", "b", "", ""}}) == "  a       int32  [2]  8 B\n"
                                                                                 "  longer  b\n");
}

TEST_CASE("outputs are shown as the file declares them")
{
    const auto model = parse_model("<ir_version: 7, opset_import: [\"\" : 13]> g (float[n] x) => (float[n,?,4] a, "
                                   "int64[" +
                                   std::string(40, 's') + ",7] b, float[] c, string[2] d) { a, b, c, d = Net(x) }");
    CHECK(lines(cli::declared_rows(model.graph().output())) == "a|float32|[n, ?, 4]|\n"
                                                               "b|int64|[?, 7]|\n" // symbols of any length
                                                               "c|float32|any shape|\n"
                                                               "d|STRING|[2]|\n");
}

TEST_CASE("planned outputs have their bytes, and other outputs follow")
{
    CHECK(planned(small_detector(), {}) == "num_detections|int32|[2, 1]|8 B\n"
                                           "boxes|float32|[2, 7, 4]|224 B\n"
                                           "labels|int64|[2, 7]|112 B\n"
                                           "scores|float32|[2, 7]|56 B\n");
    pad_options pad;
    pad.max_detections = largest_of_batch{};
    pad.layout = output_layout::ultralytics; // no count
    CHECK(planned(small_detector(), pad) == "output0|float32|[2, max_detections, 6]|48 B x max_detections\n");
    // A size that is known for masks of the images' size, for all images or for each.
    pad = {};
    const auto& one = fixture_named("mask_rcnn_tv029_b1_tensor_op20").model;
    CHECK(planned(one, pad).find("|40 B x masks_height x masks_width = 200.0 KiB\n") != std::string::npos);
    pad.dynamic_batch = true;
    const auto any = planned(one, pad);
    CAPTURE(any);
    CHECK(any.find(" x batch x masks_height x masks_width = 200.0 KiB per image\n") != std::string::npos);
    CHECK(any.find("|160 B x batch\n") != std::string::npos); // the boxes, whose bytes say no more

    const auto& features = fixture_named("retinanet_tv029_b1_tensor_op18_features");
    for (const bool loop : {false, true}) {
        pad.dynamic_batch = loop;
        const auto rows = planned(features.model, pad);
        CAPTURE(rows);
        for (const auto& name : features.known.extra_outputs) {
            const auto at = rows.find("\n" + name + "|");
            CHECK(at != std::string::npos);
            CHECK(rows.find("\n" + name + "|", at + 1) == std::string::npos);
        }
    }
}

TEST_CASE("bytes are written in the unit that suits them")
{
    CHECK(cli::text_of_bytes(0) == "0 B");
    CHECK(cli::text_of_bytes(9'999) == "9999 B");
    CHECK(cli::text_of_bytes(10'240) == "10.0 KiB");
    CHECK(cli::text_of_bytes(999 * 1024) == "999.0 KiB");
    CHECK(cli::text_of_bytes(1000 * 1024) == "1.0 MiB");
    CHECK(cli::text_of_bytes(std::int64_t{3} << 29) == "1.5 GiB");
    CHECK(cli::text_of_bytes(std::int64_t{5} << 41) == "10.0 TiB");
    CHECK(cli::text_of_bytes(std::int64_t{1} << 62).find(" PiB") != std::string::npos);
}
