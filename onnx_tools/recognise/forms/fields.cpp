// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/recognise/forms/fields.hpp>

#include <onnx_tools/recognise/description.hpp>
#include <onnx_tools/recognise/graph_outputs.hpp>
#include <onnx_tools/recognise/readings.hpp>
#include <onnx_tools/recognise/refusal.hpp>
#include <onnx_tools/recognise/search.hpp>

namespace padbatch::onnx_tools {
namespace {

reading read(const graph_outputs& outputs, const recognise_options& options)
{
    auto [possible, incomplete] = search(outputs, options);
    if (possible.empty() && (options.batch || options.order)) {
        refuse_options(outputs, options, read(outputs, {}));
    }
    if (possible.empty() && incomplete.empty()) {
        refuse_unrecognised(outputs);
    }
    if (possible.empty()) {
        refuse_incomplete(outputs, incomplete.front());
    }
    if (possible.size() > 1 && possible[0].count() == possible[1].count()) {
        refuse_ambiguous(outputs, possible[0], possible[1]);
    }
    return possible.front();
}

} // namespace

detections recognise_fields(const onnx::ModelProto& model, const recognise_options& options)
{
    const graph_outputs outputs(model);
    if (outputs.size() == 0) {
        refuse_without_outputs();
    }
    return describe(outputs, options.fields ? read_as_told(outputs.all(), options) : read(outputs, options));
}

} // namespace padbatch::onnx_tools
