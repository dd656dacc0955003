// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/recognise/recognise.hpp>

#include <onnx_tools/error.hpp>
#include <onnx_tools/recognise/forms/fields.hpp>
#include <onnx_tools/recognise/forms/flat.hpp>
#include <onnx_tools/recognise/forms/nms.hpp>
#include <padbatch/contract.hpp>

namespace padbatch::onnx_tools {

detections recognise(const onnx::ModelProto& model, const recognise_options& options)
{
    for (const auto& entry : model.metadata_props()) {
        if (entry.key().rfind(contract::key_prefix, 0) == 0) {
            throw tool_error(failure::refused,
                             {"the model is already padded: its metadata says " + entry.key() + " = " + entry.value(),
                              "a model as it was exported",
                              "use the model as it is; or, for other options, pad the export that it was made from"});
        }
    }
    switch (options.from) {
    case export_kind::torchvision: return recognise_fields(model, options);
    case export_kind::flat: return recognise_flat(model, options);
    case export_kind::nms: return recognise_nms(model, options);
    }
    throw tool_error(failure::internal,
                     {"an unknown form of outputs", "a value of export_kind", "please report this bug"});
}

} // namespace padbatch::onnx_tools
