// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/plan/run_option.hpp>

#include <doctest/doctest.h>

using namespace padbatch::onnx_tools;

TEST_CASE("each option of a run has the name of its input")
{
    CHECK(name_of(run_option::min_score) == "min_score");
    CHECK(name_of(run_option::max_detections) == "max_detections");
    for (const auto option : all_run_options) {
        CHECK(run_option_from_name(name_of(option)) == option);
    }
    CHECK_FALSE(run_option_from_name("score"));
    CHECK_FALSE(run_option_from_name(""));
}
