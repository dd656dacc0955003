// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_ONNX_TOOLS_RECOGNISE_POSSIBLE_FORMS_HPP
#define PADBATCH_ONNX_TOOLS_RECOGNISE_POSSIBLE_FORMS_HPP

#include <onnx_tools/recognise/detections.hpp>

#include <onnx/onnx_pb.h>

#include <exception>
#include <vector>

/// What a user may say about outputs whose form nothing proves.
namespace padbatch::onnx_tools {

/// Throws a refusal that names, for each form that the types of the outputs allow, the options with which they are
/// read; all of them have been tried. If they allow none, throws `why_not`, the reason why they are not fields, if
/// there is one.
[[noreturn]] void refuse_unproven_forms(const onnx::ModelProto& model, const recognise_options& options,
                                        const std::exception_ptr& why_not);

/// The forms that the types of the outputs allow, other than `told`.
[[nodiscard]] std::vector<export_kind> forms_besides(const onnx::ModelProto& model, export_kind told);

} // namespace padbatch::onnx_tools

#endif
