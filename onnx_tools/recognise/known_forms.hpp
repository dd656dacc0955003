// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_ONNX_TOOLS_RECOGNISE_KNOWN_FORMS_HPP
#define PADBATCH_ONNX_TOOLS_RECOGNISE_KNOWN_FORMS_HPP

#include <onnx_tools/recognise/detections.hpp>
#include <onnx_tools/recognise/forms/fields.hpp>
#include <onnx_tools/recognise/forms/flat.hpp>
#include <onnx_tools/recognise/forms/nms.hpp>
#include <onnx_tools/recognise/forms/padded.hpp>
#include <onnx_tools/recognise/forms/raw.hpp>

#include <onnx/onnx_pb.h>

#include <array>

namespace padbatch::onnx_tools {

/// A form of outputs, and what recognises it. That throws `undecided` where the types of the outputs are those of the
/// form, but only the user can say which is which, and another `tool_error` where they are not. What it returns is
/// proven if there is evidence, and possible otherwise.
struct known_form {
    export_kind kind;
    detections (*recognise)(const onnx::ModelProto&, const recognise_options&);
};

inline constexpr std::array<known_form, 5> all_forms{{{export_kind::fields, recognise_fields},
                                                      {export_kind::flat, recognise_flat},
                                                      {export_kind::nms, recognise_nms},
                                                      {export_kind::padded, recognise_padded},
                                                      {export_kind::raw, recognise_raw}}};

} // namespace padbatch::onnx_tools

#endif
