// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/plan/layout.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

using namespace padbatch::onnx_tools;
using padbatch::element_type;
using enum padbatch::onnx_tools::field;

namespace {

const std::vector<output_layout> all_layouts{output_layout::torchvision, output_layout::efficientnms,
                                             output_layout::yolov7,      output_layout::mmdeploy,
                                             output_layout::tf_od,       output_layout::ultralytics};

// `count, output (field + field), ...`
std::string summary(output_layout layout)
{
    const auto& rules = rules_of(layout);
    std::string text(rules.count_name);
    for (const auto& output : rules.outputs) {
        text += (text.empty() ? "" : ", ") + std::string(output.name) + " (" + list_of(output.fields, " + ") + ")";
    }
    return text;
}

} // namespace

TEST_CASE("each layout is found by its name, and no other name is one")
{
    std::vector<std::string> names;
    for (const auto layout : all_layouts) {
        const auto& rules = rules_of(layout);
        CAPTURE(rules.name);
        CHECK(rules.layout == layout);
        CHECK(layout_from_name(rules.name) == layout);
        names.emplace_back(rules.name);
    }
    CHECK(all_layout_names() == names);
    CHECK(std::set<std::string>(names.begin(), names.end()).size() == all_layouts.size());
    for (const auto* wrong : {"", "Torchvision", "torchvision ", "yolo", "tf_od"}) {
        CAPTURE(wrong);
        CHECK_FALSE(layout_from_name(wrong));
    }
}

TEST_CASE("names and order of outputs are those that programs look for")
{
    CHECK(summary(output_layout::torchvision) == "num_detections");
    CHECK(summary(output_layout::efficientnms) == "num_detections, detection_boxes (boxes), detection_scores (scores), "
                                                  "detection_classes (labels), detection_masks (masks)");
    CHECK(summary(output_layout::yolov7) == "num_dets, det_boxes (boxes), det_scores (scores), det_classes (labels)");
    CHECK(summary(output_layout::mmdeploy) == "dets (boxes + scores), labels (labels), masks (masks)");
    CHECK(summary(output_layout::tf_od) == "num_detections, detection_boxes (boxes), detection_classes (labels), "
                                           "detection_scores (scores), detection_masks (masks)");
    CHECK(summary(output_layout::ultralytics) == "output0 (boxes + scores + labels)");
}

TEST_CASE("types and shapes of outputs are those that programs read")
{
    for (const auto layout : all_layouts) {
        const auto& rules = rules_of(layout);
        CAPTURE(rules.name);
        const bool tf_od = layout == output_layout::tf_od;
        CHECK(rules.count_type == (tf_od ? element_type::float32 : element_type::int32));
        CHECK(rules.flat_counts == tf_od);
        CHECK(rules.normalises_boxes == tf_od);
        CHECK(rules.label_padding == (layout == output_layout::mmdeploy ? -1 : 0));
        CHECK(rules.squeezes_masks ==
              (tf_od || layout == output_layout::efficientnms || layout == output_layout::mmdeploy));
    }
    CHECK_FALSE(rules_of(output_layout::torchvision).label_type); // the model's own
    CHECK(rules_of(output_layout::efficientnms).label_type == element_type::int32);
    CHECK(rules_of(output_layout::yolov7).label_type == element_type::int32);
    CHECK(rules_of(output_layout::mmdeploy).label_type == element_type::int64);
    CHECK(rules_of(output_layout::tf_od).label_type == element_type::float32);
    CHECK_FALSE(rules_of(output_layout::ultralytics).label_type); // that of the boxes
}

TEST_CASE("a layout has a field once, and no two outputs of one name")
{
    for (const auto layout : all_layouts) {
        const auto& rules = rules_of(layout);
        CAPTURE(rules.name);
        std::set<std::string_view> names{rules.count_name};
        std::set<field> fields;
        for (const auto& output : rules.outputs) {
            CHECK(names.insert(output.name).second);
            REQUIRE_FALSE(output.fields.empty());
            for (const auto kind : output.fields) {
                CHECK(fields.insert(kind).second);
            }
        }
        for (const auto kind : {boxes, scores, labels}) {
            CHECK(fields.count(kind) == (layout == output_layout::torchvision ? 0 : 1));
        }
    }
}
