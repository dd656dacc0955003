// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/rewrite.hpp>

#include <onnx_tools/error.hpp>
#include <onnx_tools/model/check.hpp>
#include <onnx_tools/pad/pad.hpp>
#include <onnx_tools/plan/plan.hpp>
#include <onnx_tools/recognise/recognise.hpp>

#include <string>

namespace padbatch::onnx_tools {
namespace {

void require_sound(const onnx::ModelProto& model, failure kind, const std::string& what, const std::string& remedy)
{
    const auto found = complaints(model);
    if (!found.empty()) {
        throw tool_error(kind, {what + ": " + found.front() +
                                    (found.size() == 1 ? "" : " (and " + std::to_string(found.size() - 1) + " more)"),
                                "a graph in which every value that is read is produced, and names are unique", remedy});
    }
}

} // namespace

detections examine(const onnx::ModelProto& model, const recognise_options& options)
{
    require_sound(model, failure::refused, "the model is not valid", "export the model again");
    return recognise(model, options);
}

pad_plan rewrite(onnx::ModelProto& model, const detections& found, const pad_options& options)
{
    auto p = plan(model, found, options);
    pad(model, p);
    require_sound(model, failure::internal, "the padded model is not valid",
                  "this is a bug in padbatch: please report it, with the model");
    return p;
}

pad_plan rewrite(onnx::ModelProto& model, const rewrite_options& options)
{
    return rewrite(model, examine(model, options.recognise), options.pad);
}

} // namespace padbatch::onnx_tools
