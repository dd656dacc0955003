// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/rewrite.hpp>

#include <onnx_tools/error.hpp>
#include <onnx_tools/model/check.hpp>
#include <onnx_tools/model/prune.hpp>
#include <onnx_tools/model/wording.hpp>
#include <onnx_tools/pad/pad.hpp>
#include <onnx_tools/plan/plan.hpp>
#include <onnx_tools/recognise/one_image.hpp>
#include <onnx_tools/recognise/rearranged.hpp>
#include <onnx_tools/recognise/recognise.hpp>

#include <algorithm>
#include <string>
#include <unordered_set>

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

// Whether `model` imports operators that ONNX Runtime's optimiser and its quantiser write, and no exporter does.
bool comes_from_onnxruntime(const onnx::ModelProto& model)
{
    return std::any_of(model.opset_import().begin(), model.opset_import().end(), [](const auto& opset) {
        return opset.domain().rfind("com.microsoft", 0) == 0 || opset.domain().rfind("com.ms.", 0) == 0;
    });
}

// What to do about a model that is not valid. It need not be the exporter's fault: many tools change or make models,
// and the names in the file tell some of them.
std::string remedy_for(const onnx::ModelProto& model)
{
    const auto& maker = model.producer_name();
    const auto before = [](const std::string& what) {
        return "this file was made by " + what + ": pad the model as it was before, and then do the same to the result";
    };
    if (maker == "onnx.quantize") {
        return before("ONNX Runtime's quantiser");
    }
    if (comes_from_onnxruntime(model)) {
        return before("ONNX Runtime, as it optimises or quantises models");
    }
    if (maker.empty() || maker == "pytorch") {
        return "export the model again; if another tool, such as onnxsim or onnxslim, has changed the export since, "
               "pad "
               "the export itself";
    }
    return "this file was made by " + quoted(maker) +
           ": convert the model again, with another version of that if need be";
}

} // namespace

detections examine(const onnx::ModelProto& model, const recognise_options& options)
{
    require_sound(model, failure::refused, "the model is not valid", remedy_for(model));
    return recognise(model, options);
}

pad_plan rewrite(onnx::ModelProto& model, const detections& found, const pad_options& options)
{
    const auto used = options.dynamic_batch ? as_fields_of_image(model, found) : found;
    const auto in_use = used.rearranged ? values_in_use(model.graph()) : std::unordered_set<std::string>();
    rearranging rearranged(*model.mutable_graph(), used.rearranged);
    auto p = plan(model, used, options);
    rearranged.keep();
    if (used.rearranged) { // such as a plugin, whose work ordinary nodes do now
        remove_unused(*model.mutable_graph(), in_use);
    }
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
