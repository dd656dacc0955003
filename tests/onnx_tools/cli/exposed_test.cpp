// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/cli/exposed.hpp>

#include <onnx_tools/rewrite.hpp>
#include <tests/onnx_tools/cli/command.hpp>
#include <tests/onnx_tools/cli/command_errors.hpp>
#include <tests/support/check_failure.hpp>
#include <tests/support/fixture_models.hpp>
#include <tests/support/small_detector.hpp>
#include <tests/support/temporary_folder.hpp>

#include <doctest/doctest.h>

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

using namespace padbatch::onnx_tools;
using namespace padbatch::test;

namespace {

using strings = std::vector<std::string>;
using exposures = std::map<run_option, exposure>;

void check_expose_fails(const strings& exposed, const strings& per_image, const strings& words)
{
    check_failure(failure::usage, words, [&] { (void)cli::exposed_options(exposed, per_image); });
}

std::string lines_of_inputs(onnx::ModelProto model, const exposures& exposed, bool any_batch = false)
{
    rewrite_options options;
    options.pad.exposed = exposed;
    options.pad.dynamic_batch = any_batch;
    return cli::input_lines(rewrite(model, options));
}

} // namespace

TEST_CASE("what --expose and --expose-per-image say")
{
    CHECK(cli::exposed_options({}, {}).empty());
    CHECK(cli::exposed_options({"min_score", "max_detections=20"}, {}) ==
          exposures{{run_option::min_score, {}}, {run_option::max_detections, {20.0, false}}});
    CHECK(cli::exposed_options({"min_score=0.25"}, {"max_detections"}) ==
          exposures{{run_option::min_score, {0.25, false}}, {run_option::max_detections, {{}, true}}});
    CHECK(cli::exposed_options({"min_score=0", "max_detections=0"}, {}).size() == 2);
}

TEST_CASE("names and defaults that make no sense")
{
    check_expose_fails({"min-score"}, {}, {"nothing called 'min-score'", "did you mean --expose min_score?"});
    check_expose_fails({}, {"max_detection"}, {"did you mean --expose-per-image max_detections?"});
    check_expose_fails({"nms_thresh"}, {}, {"'nms_thresh'", "--expose min_score=0.5"});
    check_expose_fails({""}, {}, {"''"});
    check_expose_fails({"min_score,max_detections"}, {},
                       {"contains a comma", "--expose min_score --expose max_detections"});
    check_expose_fails({"min_score", "min_score=0.5"}, {}, {"min_score is exposed twice"});
    check_expose_fails({"min_score"}, {"min_score"}, {"min_score is exposed twice"});
    check_expose_fails({}, {"min_score=0.5"}, {"has a default", "write --expose-per-image min_score"});
    check_expose_fails({"min_score="}, {}, {"has nothing after the '='"});
    for (const std::string value : {"50", "-0.1", "nan", "half", "inf"}) {
        check_expose_fails({"min_score=" + value}, {}, {"'min_score=" + value + "'", "is not a score", "0.5"});
    }
    for (const std::string value : {"-1", "2.5", "ten", "2147483648", "1e2"}) {
        check_expose_fails({"max_detections=" + value}, {}, {"is not a number of rows", "max_detections=20"});
    }
}

TEST_CASE("inputs that a server can serve")
{
    triton_options triton{"models", "m", 8, false};
    const auto check_served = [&](const exposures& exposed, const strings& words) {
        check_failure(failure::usage, words, [&] { cli::require_servable(exposed, triton); });
        CHECK_NOTHROW(cli::require_servable(exposed, std::nullopt));
    };
    const exposures all{{run_option::min_score, {}}};
    check_served(all, {"--expose min_score", "--expose-per-image min_score together with --dynamic-batch",
                       "--max-batch-size 0"});
    CHECK_NOTHROW(cli::require_servable({{run_option::min_score, {{}, true}}}, triton));
    const exposures fallback{{run_option::max_detections, {5.0, false}}};
    check_served(fallback, {"--expose max_detections=5", "without a default"});
    triton.max_batch_size = 0; // as the messages say
    CHECK_NOTHROW(cli::require_servable(all, triton));
    check_served(fallback, {"--expose max_detections together with --max-batch-size 0"});
}

TEST_CASE("what the report says of inputs")
{
    CHECK(lines_of_inputs(small_detector(), {}).empty());
    CHECK(lines_of_inputs(small_detector(), {{run_option::min_score, {}}, {run_option::max_detections, {}}}) ==
          "input 'min_score', float32 [1]: rows with a lower score are dropped\n"
          "input 'max_detections', int32 [1]: how many rows are kept, the best, from 0 to 7\n");
    const auto& model = fixture_named("mask_rcnn_tv029_b1_tensor_op17").model;
    const auto each =
        lines_of_inputs(model, {{run_option::min_score, {{}, true}}, {run_option::max_detections, {{}, true}}}, true);
    CAPTURE(each);
    CHECK(each.find("'min_score', float32 [batch, 1]: rows with a lower score are dropped (for each image), where the "
                    "model cuts them; the model itself drops those below 0.37") != std::string::npos);
    CHECK(each.find("from 0 to 10; no others are computed") != std::string::npos);
    const auto fallback = lines_of_inputs(model, {{run_option::max_detections, {5.0, false}}});
    CAPTURE(fallback);
    CHECK(fallback.find("; 5 if it is left out (in ONNX Runtime; OpenVINO does not have the input)\n") !=
          std::string::npos);
}

TEST_CASE("the report on an input names the threshold that the model then has")
{
    auto model = fixture_named("mask_rcnn_tv029_b1_tensor_op17").model;
    rewrite_options options;
    options.pad.exposed = {{run_option::min_score, {}}};
    options.pad.settings[parameter::score_thresh] = 0.625;
    const auto lines = cli::input_lines(rewrite(model, options));
    CHECK(lines.find("; the model itself drops those below 0.625") != std::string::npos);
}

TEST_CASE("errors: --expose and --expose-per-image")
{
    const temporary_folder folder;
    std::filesystem::copy_file(two_images, folder.file("in.onnx"));
    check_errors(
        folder, 2,
        {
            with({"--expose", "score"}, {"nothing called 'score'", "min_score or max_detections"}),
            with({"--expose", "min_score", "--min-score", "0.5"},
                 {"--min-score 0.5 is given together with --expose min_score", "--expose min_score=0.5"}),
            with({"--expose-per-image", "min_score"}, {"without --dynamic-batch", "use --expose min_score"}),
            with({"--expose", "max_detections=101"}, {"--expose max_detections=101 is more than the 100 rows"}),
            {{"--expose", "min_score", "--triton-repository", "models", "--model-name", "m", "in.onnx"},
             {"--expose min_score is given together with --triton-repository", "--expose-per-image min_score"}},
        });
}
