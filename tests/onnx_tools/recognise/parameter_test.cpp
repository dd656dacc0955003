// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/recognise/parameter.hpp>

#include <doctest/doctest.h>

#include <set>
#include <string>

using namespace padbatch::onnx_tools;

TEST_CASE("a parameter has torchvision's name, and its own name names it")
{
    std::set<std::string> names;
    for (const auto kind : all_parameters) {
        CHECK(names.insert(std::string(name_of(kind))).second);
        CHECK(parameter_from_name(name_of(kind)) == kind);
    }
    CHECK(names.size() == 8);
    CHECK(names.count("") == 0);
}

TEST_CASE("constructors' arguments name parameters too")
{
    CHECK(parameter_from_name("box_score_thresh") == parameter::score_thresh);
    CHECK(parameter_from_name("box_nms_thresh") == parameter::nms_thresh);
    CHECK(parameter_from_name("box_detections_per_img") == parameter::detections_per_img);
    CHECK(parameter_from_name("rpn_pre_nms_top_n_test") == parameter::rpn_pre_nms_top_n);
    CHECK(parameter_from_name("rpn_post_nms_top_n_test") == parameter::rpn_post_nms_top_n);
    CHECK(!parameter_from_name("rpn_post_nms_top_n_train"));
    CHECK(!parameter_from_name(""));
    CHECK(!parameter_from_name("Score_thresh"));
}

TEST_CASE("counts are told from thresholds")
{
    for (const auto kind : all_parameters) {
        CHECK(is_count(kind) == (name_of(kind).find("thresh") == std::string_view::npos));
    }
}
