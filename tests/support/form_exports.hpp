// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_TESTS_SUPPORT_FORM_EXPORTS_HPP
#define PADBATCH_TESTS_SUPPORT_FORM_EXPORTS_HPP

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

// What the outputs of the exports in tests/data/{loose,lists,other,padded} hold.
namespace padbatch::test {

inline constexpr int form_height = 64;
inline constexpr int form_width = 80;

/// What an output holds.
struct output_meaning {
    /// A letter for each column: x y X Y are corners, c d w h a center and a size, l the label, s the score, b the
    /// image. n is the number of rows of each image. ? has lost its meaning. S is what a NonMaxSuppression selects; P
    /// and Q are the boxes and scores that it selects from. Empty for what is no detection.
    std::string columns;
    /// A letter for each axis: B images, M rows of each image, n rows, k columns, 1, and - for others.
    std::string axes;
};

enum class output_form { loose, flat, nms, padded };

/// Which rows of a padded image are real.
enum class real_rows { all, before_score, before_label, counted };

struct form_export {
    std::string file; ///< below tests/data
    output_form form = output_form::loose;
    std::size_t batch = 1; ///< 0 for any number of images
    std::vector<output_meaning> outputs;
    real_rows real = real_rows::all;
    /// What must be said, since nodes cannot show it.
    std::string told = {};
    /// The letters of the boxes that are selected from.
    std::string selected = {};
    bool is_normalised = false;
    bool ends_at_minus_one = false; ///< the list ends at image -1
    std::int64_t limit = 0;         ///< that may be moved; rows then come best first
};

inline std::vector<form_export> form_exports()
{
    const auto loose = output_form::loose;
    const auto flat = output_form::flat;
    const auto nms = output_form::nms;
    const auto padded = output_form::padded;
    const output_meaning selection{"S", "nk"};
    const output_meaning boxes{"P", "B--"};
    const output_meaning scores{"Q", "B--"};
    const output_meaning seven{"bxyXYls", "nk"};
    const std::vector<output_meaning> six{{"xyXYsl", "BMk"}};
    std::vector<form_export> all{
        {"loose/mmdeploy_op11", loose, 1, {{"xyXYs", "1nk"}, {"l", "1n"}}},
        {"loose/otx_op13", loose, 1, {{"xyXYs", "nk"}, {"l", "n"}}},
        {"loose/joined_op12", loose, 1, {{"xyXYsl", "nk"}}},
        {"loose/float_labels_op16", loose, 1, {{"xyXY", "1nk"}, {"l", "1n"}, {"s", "1n"}}},
        {"loose/scaled_op11", loose, 1, {{"xyXY", "nk"}, {"s", "n"}}},
        {"loose/torchvision_joined_op13", loose, 1, {{"xyXYsl", "1nk"}}},
        {"lists/lists_pt113_any_op11", flat, 0, {{"b", "n"}, {"xyXY", "nk"}, {"s", "n"}, {"l", "n"}}},
        {"lists/counted_lists_pt113_any_op13", flat, 0, {{"xyXY", "nk"}, {"s", "n"}, {"l", "n"}, {"n", "B"}}},
        {"lists/super_gradients_pt113_any_op14", flat, 0, {{"bxyXYsl", "nk"}}},
        {"lists/paddle_pt113_any_op11", flat, 0, {{"lsxyXY", "nk"}, {"n", "B"}}},
        {"lists/paddle_rcnn_pt113_b1_op13", flat, 1, {{"lsxyXY", "nk"}, {"n", "B"}}},
        {"lists/detection_output_pt113_any_op12", flat, 0, {{"blsxyXY", "11nk"}}},
        {"lists/tiny_yolov3_pt113_b1_op11", nms, 1, {boxes, scores, {"S", "1nk"}}},
        {"other/flat_pt113_any_op11_index_int64", flat, 0, {{"xyXYsl", "nk"}, {"b", "n"}}},
        {"other/flat_pt113_any_op12_end2end", flat, 0, {seven}},
        {"other/flat_pt113_any_op13_index_int32", flat, 0, {{"b", "n"}, {"lsxyXY", "nk"}}},
        {"other/flat_pt113_b1_op11_end2end", flat, 1, {seven}},
        {"other/flat_pt215_any_op14_per_class", flat, 0, {seven}},
        {"other/flat_pt215_any_op17_by_score", flat, 0, {seven, {"", "B---"}}},
        {"other/flat_pt215_any_op18_index_float32", flat, 0, {{"xyXYls", "nk"}, {"b", "n"}}},
        {"other/flat_pt215_b2_op16_end2end", flat, 2, {seven}},
        {"other/nms_pt113_any_op11_cxcywh", nms, 0, {selection, boxes, scores}},
        {"other/nms_pt113_any_op13_yxyx", nms, 0, {boxes, scores, selection}},
        {"other/nms_pt215_any_op17_xyxy", nms, 0, {selection, boxes, scores}},
        {"other/nms_pt215_any_op18_indices_only", nms, 0, {selection}},
        {"padded/ultralytics_nms_b2_op12", padded, 2, six, real_rows::before_score},
        {"padded/yolov10_any_op13", padded, 0, six},
        {"padded/yolov10_b1_op11", padded, 1, six},
        {"padded/rtdetr_any_op16", padded, 0, {{"l", "BM"}, {"xyXY", "BMk"}, {"s", "BM"}}},
        {"padded/mmdeploy_any_op11", padded, 0, {{"xyXYs", "BMk"}, {"l", "BM"}}, real_rows::before_label},
        {"padded/counted_any_op17",
         padded,
         0,
         {{"n", "B1"}, {"xyXY", "BMk"}, {"s", "BM"}, {"l", "BM"}},
         real_rows::counted},
        {"padded/detr_any_op14", padded, 0, {{"s", "BM"}, {"l", "BM"}, {"cdwh", "BMk"}}},
    };
    for (auto& e : all) {
        const auto is = [&](const char* part) { return e.file.find(part) != std::string::npos; };
        e.ends_at_minus_one = is("detection_output");
        e.is_normalised = is("detection_output") || is("detr_any_op14");
        e.limit = is("torchvision_joined") ? 20 : 0;
        if (e.form == nms) {
            e.selected = is("cxcywh") ? "cdwh" : is("yxyx") || is("tiny") ? "yxYX" : "xyXY";
            e.told = e.selected == "yxYX" ? "--from nms --columns y1,x1,y2,x2" : "";
        }
        if (is("padded/detr_any")) {
            e.told = "--from padded --box-format cxcywh --normalized";
        }
    }
    return all;
}

} // namespace padbatch::test

#endif
