// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/plan/output_names.hpp>
#include <onnx_tools/plan/plan.hpp>

#include <tests/onnx_tools/plan/plan_of.hpp>
#include <tests/support/check_failure.hpp>
#include <tests/support/fixture_models.hpp>
#include <tests/support/small_detector.hpp>

#include <doctest/doctest.h>

#include <string>

using namespace padbatch::onnx_tools;
using namespace padbatch::test;

TEST_CASE("names of padded outputs are unused, distinct and plain text")
{
    const auto model = small_detector();
    check_plan_fails(failure::refused, {"input called 'keep0'", "`rename` boxes=NAME"}, model,
                     with_name(field::boxes, "keep0"));
    check_plan_fails(failure::refused, {"input called 'all_boxes'", "`rename` num_detections=NAME"}, model,
                     with_count_name("all_boxes"));
    check_plan_fails(failure::usage, {"two outputs", "'scores'"}, model, with_name(field::boxes, "scores"));
    check_plan_fails(failure::usage, {"two outputs", "'labels'"}, model, with_count_name("labels"));
    check_plan_fails(failure::usage, {"`rename` boxes=", "not give a usable name"}, model, with_name(field::boxes, ""));
    check_plan_fails(failure::usage, {"`rename` scores=a,b", "comma"}, model, with_name(field::scores, "a,b"));
    check_plan_fails(failure::usage, {"does not give a usable name"}, model, with_count_name(","));

    auto swapped = with_name(field::boxes, "scores");
    swapped.names[field::scores] = "boxes";
    CHECK(plan_of(model, swapped).outputs[0].name == "scores");
    // A loose output or an inner value may have the name: it is renamed.
    CHECK(plan_of(model, with_name(field::boxes, "b1")).outputs[0].name == "b1");
    CHECK(plan_of(model, with_name(field::boxes, "rows0")).outputs[0].name == "rows0");

    for (const auto& [known, extra] : fixture_models()) {
        if (!known.extra_outputs.empty()) {
            check_plan_fails(failure::refused,
                             {"another output called '" + known.extra_outputs[0] + "'", "`rename` labels="}, extra,
                             with_name(field::labels, known.extra_outputs[0]));
            return;
        }
    }
    FAIL("no fixture has another output");
}

TEST_CASE("names that cannot be written down in the metadata are not usable")
{
    const auto model = small_detector();
    auto p = plan_of(model);
    const auto check_outcome = [&](const std::string& name, bool usable) {
        CAPTURE(name);
        p.outputs[1].name = name;
        if (usable) {
            CHECK_NOTHROW(require_free_names(model.graph(), p));
        } else {
            check_failure(failure::usage, {"labels"}, [&] { require_free_names(model.graph(), p); });
        }
    };
    check_outcome("Klassen \xc3\xa4", true);
    check_outcome("a=b", true);
    check_outcome("a\nb", false);
    check_outcome("a\x7f", false);
    check_outcome("\xc3", false); // a part of a character
    check_outcome(",labels", false);
    check_outcome("num_detections", false); // the count's
    p.count.reset();
    check_outcome("num_detections", true);
}

TEST_CASE("an output of several fields is named by its first")
{
    const auto model = small_detector();
    auto p = plan_of(model);
    p.outputs.resize(1);
    p.outputs[0].fields = {2, 0}; // scores and boxes
    p.outputs[0].name = "keep1";
    check_failure(failure::refused, {"keep1", "scores="}, [&] { require_free_names(model.graph(), p); });
}
