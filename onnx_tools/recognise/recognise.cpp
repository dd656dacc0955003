// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/recognise/recognise.hpp>

#include <onnx_tools/error.hpp>
#include <onnx_tools/model/functions.hpp>
#include <onnx_tools/model/wording.hpp>
#include <onnx_tools/recognise/forms/fields.hpp>
#include <onnx_tools/recognise/forms/flat.hpp>
#include <onnx_tools/recognise/forms/nms.hpp>
#include <padbatch/contract.hpp>

namespace padbatch::onnx_tools {

detections recognise(const onnx::ModelProto& model, const recognise_options& options)
{
    for (const auto& entry : model.metadata_props()) {
        if (entry.key().rfind(contract::key_prefix, 0) == 0) {
            throw tool_error(
                failure::refused,
                {"the model is already padded: its metadata says " + shown(entry.key()) + " = " + quoted(entry.value()),
                 "a model as it was exported",
                 "use the model as it is; or, for other options, pad the export that it was made from"});
        }
    }
    const readable_model readable(model);
    switch (options.from) {
    case export_kind::torchvision: return recognise_fields(*readable, options);
    case export_kind::flat: return recognise_flat(*readable, options);
    case export_kind::nms: return recognise_nms(*readable, options);
    }
    throw tool_error(failure::internal,
                     {"an unknown form of outputs", "a value of export_kind", "please report this bug"});
}

} // namespace padbatch::onnx_tools
