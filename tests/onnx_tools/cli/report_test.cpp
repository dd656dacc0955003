// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/cli/report.hpp>

#include <onnx_tools/rewrite.hpp>
#include <tests/onnx_tools/cli/command.hpp>
#include <tests/support/fixture_models.hpp>
#include <tests/support/small_detector.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <string>

using namespace padbatch::onnx_tools;
using padbatch::test::fixture_named;
using padbatch::test::has;
using padbatch::test::small_detector;

namespace {

std::string warnings(onnx::ModelProto model, std::int64_t rows, bool dynamic_batch = false)
{
    pad_options pad;
    pad.max_detections = rows;
    pad.dynamic_batch = dynamic_batch;
    return cli::size_warnings(rewrite(model, {{}, pad}));
}

} // namespace

TEST_CASE("a headline names the family, the images and the order of the outputs")
{
    detections d;
    d.family = "FCOS";
    d.batch = 1;
    CHECK(cli::headline(d) == "FCOS, 1 image");
    d.batch = 3;
    CHECK(has(cli::headline(d), "FCOS, 3 images"));
    CHECK(has(cli::headline(d), "image by image"));
    d.order = output_order::by_field;
    CHECK(has(cli::headline(d), "field by field"));
    d.flat.emplace();
    CHECK(has(cli::headline(d), "FCOS"));
    CHECK_FALSE(has(cli::headline(d), "images,"));
    d.family.clear();
    CHECK(has(cli::headline(d), "unknown family"));
}

TEST_CASE("a report has the outputs before and after")
{
    auto model = small_detector();
    const auto before = cli::declared_rows(model.graph().output());
    const auto p = rewrite(model);
    const auto text = cli::before_and_after("a.onnx", before, p, cli::planned_rows(model, p));
    CHECK(text.rfind("a.onnx: ", 0) == 0);
    CHECK(has(text, cli::headline(p.source) + "\n"));
    const auto old = text.find("\nbefore\n  b0  float32  [m0, 4]\n");
    CHECK(old < text.find("\nafter\n  num_detections  int32    [2, 1]"));
    CHECK(old != std::string::npos);
}

TEST_CASE("outputs over 2 GiB are warned of, and no smaller ones")
{
    const std::int64_t rows = (std::int64_t{1} << 31) / (2 * 8); // labels of two images, just 2 GiB
    const auto warnings_of_labels = [](const std::string& text) { return has(text, "'labels'"); };
    CHECK_FALSE(warnings_of_labels(warnings(small_detector(), rows)));
    CHECK(warnings_of_labels(warnings(small_detector(), rows + 1)));
    CHECK(warnings(small_detector(), 100).empty());
    const auto text = warnings(small_detector(), rows + 1);
    CHECK(has(text, "'boxes'"));
    CHECK_FALSE(has(text, "'scores'"));
    CHECK(has(text, "4.0 GiB"));
    CHECK(has(text, "--max-detections"));
    CHECK(std::count(text.begin(), text.end(), '\n') == 4);
}

TEST_CASE("a warning says which size its bytes are those of")
{
    const auto& one = fixture_named("mask_rcnn_tv029_b1_tensor_op20").model;
    const auto fixed = warnings(one, 1'000'000);
    CHECK(has(fixed, "'masks'"));
    CHECK(has(fixed, "inputs"));
    CHECK_FALSE(has(fixed, "per image"));
    const auto any = warnings(one, 1'000'000, true);
    CHECK(has(any, "per image"));
    CHECK(has(any, "inputs"));
    CHECK_FALSE(has(warnings(small_detector(), 1'000'000'000), "inputs"));
}

TEST_CASE("a limit that stays is told of where M is above it")
{
    const auto warning = [](onnx::ModelProto model, std::int64_t rows) {
        pad_options pad;
        pad.max_detections = rows;
        return cli::limit_warning(rewrite(model, {{}, pad}));
    };
    CHECK(warning(small_detector(), 9) ==
          "warning: the model gives at most 7 rows of each image, and that stays (the rows are not known to come best "
          "first): the rows from 7 on are always padding\n");
    CHECK(warning(small_detector(), 7) == "");
    CHECK(warning(small_detector(), 3) == "");
    const auto& known = fixture_named("ssd300_tv014_b2_list_op11");
    CHECK(warning(known.model, known.known.limit + 1) == "");
}
