// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/recognise/forms/fields.hpp>

#include <onnx_tools/error.hpp>
#include <onnx_tools/recognise/description.hpp>
#include <onnx_tools/recognise/forms/flat.hpp>
#include <onnx_tools/recognise/forms/nms.hpp>
#include <onnx_tools/recognise/graph_outputs.hpp>
#include <onnx_tools/recognise/readings.hpp>
#include <onnx_tools/recognise/refusal.hpp>
#include <onnx_tools/recognise/search.hpp>

#include <string>
#include <vector>

namespace padbatch::onnx_tools {
namespace {

// The other forms that the outputs have.
std::vector<std::string> other_forms(const onnx::ModelProto& model)
{
    const auto fits = [&](const auto& recognise_form) {
        try {
            (void)recognise_form(model, recognise_options());
            return true;
        } catch (const tool_error&) {
            return false;
        }
    };
    std::vector<std::string> forms;
    if (fits(recognise_flat)) {
        forms.emplace_back("flat");
    }
    if (fits(recognise_nms)) {
        forms.emplace_back("nms");
    }
    return forms;
}

reading read(const onnx::ModelProto& model, const graph_outputs& outputs, const recognise_options& options)
{
    auto [possible, incomplete] = search(outputs, options);
    if (possible.empty() && (options.batch || options.order)) {
        refuse_options(outputs, options, read(model, outputs, {}));
    }
    if (possible.empty() && !incomplete) {
        refuse_unrecognised(outputs, other_forms(model));
    }
    if (possible.empty()) {
        refuse_incomplete(outputs, *incomplete);
    }
    if (possible.size() > 1 && possible[0].count() == possible[1].count()) {
        refuse_ambiguous(outputs, possible[0], possible[1]);
    }
    return possible.front();
}

// The user may know what the graph does not show, but not against what it shows.
void require_own_rows(const graph_outputs& outputs, const reading& r)
{
    for (int image = 0; image < r.images; ++image) {
        for (int slot = 0; slot < static_cast<int>(r.fields.size()); ++slot) {
            if (is_misplaced(outputs, r, image, slot)) {
                refuse_misplaced(outputs, r, image, slot);
            }
        }
    }
}

} // namespace

detections recognise_fields(const onnx::ModelProto& model, const recognise_options& options)
{
    const graph_outputs outputs(model);
    if (outputs.size() == 0) {
        refuse_without_outputs();
    }
    const auto found = options.fields ? read_as_told(outputs.all(), options) : read(model, outputs, options);
    require_own_rows(outputs, found);
    return describe(outputs, found);
}

} // namespace padbatch::onnx_tools
