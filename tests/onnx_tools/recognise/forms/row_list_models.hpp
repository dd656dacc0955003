// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_TESTS_ONNX_TOOLS_RECOGNISE_FORMS_ROW_LIST_MODELS_HPP
#define PADBATCH_TESTS_ONNX_TOOLS_RECOGNISE_FORMS_ROW_LIST_MODELS_HPP

#include <onnx_tools/recognise/recognise.hpp>

#include <tests/support/check_failure.hpp>
#include <tests/support/parse_model.hpp>

#include <string>
#include <utility>
#include <vector>

// Models that have the rows of all images in one list, and what recognition makes of them.
namespace padbatch::test {

using namespace onnx_tools;

using strings = std::vector<std::string>;
using column_list = std::vector<flat_column>;

inline constexpr auto selection = export_kind::nms;

inline const std::string images = "float[B,3,H,W] images";

// A model with these outputs, made by an unknown operator.
inline onnx::ModelProto net(const std::vector<std::pair<std::string, std::string>>& outputs,
                            const std::string& inputs = images)
{
    std::string declared;
    std::string made;
    for (const auto& [name, type] : outputs) {
        declared += (declared.empty() ? "" : ", ") + type + " " + name;
        made += (made.empty() ? "" : ", ") + name;
    }
    return parse_model("<ir_version: 7, opset_import: [\"\" : 13, \"x\" : 1]> g (" + inputs + ") => (" + declared +
                       ") { " + made + " = x.Net(images) }");
}

// A model with a NonMaxSuppression; `most` is its max_output_boxes_per_class.
inline onnx::ModelProto nms(const std::string& outputs, const std::string& more = "",
                            const std::string& attributes = "", const std::string& most = "7",
                            const std::string& scores = "float[B,3,160] q")
{
    return parse_model("<ir_version: 7, opset_import: [\"\" : 13, \"x\" : 1]> g (" + images + ", float[B,160,4] p, " +
                       scores + ") => (" + outputs + ") { most = Constant<value = int64[1] {" + most +
                       "}>() iou = Constant<value = float[1] {0.5}>() least = Constant<value = float[1] {0.25}>() " +
                       "picked = NonMaxSuppression" + attributes + "(p, q, most, iou, least) " + more + " }");
}

inline detections read(const onnx::ModelProto& model, export_kind from, const column_list& columns = {})
{
    recognise_options options;
    options.from = from;
    if (!columns.empty()) {
        options.columns = columns;
    }
    return recognise(model, options);
}

inline void check_refused(const strings& words, const onnx::ModelProto& model, export_kind from,
                          const column_list& columns = {}, failure kind = failure::refused)
{
    check_failure(kind, words, [&] { (void)read(model, from, columns); });
}

} // namespace padbatch::test

#endif
