// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_ONNX_TOOLS_RECOGNISE_FORMS_RAW_HPP
#define PADBATCH_ONNX_TOOLS_RECOGNISE_FORMS_RAW_HPP

#include <onnx_tools/error.hpp>
#include <onnx_tools/recognise/detections.hpp>

#include <onnx/onnx_pb.h>

namespace padbatch::onnx_tools {

/// Where metadata or a node show a raw head, although it cannot be read: whatever other form the types allow, this is
/// why.
class shown_head_refused : public tool_error {
public:
    using tool_error::tool_error;
};

/// Finds a raw head: the boxes and class scores of every anchor or query, of which nothing is selected yet. Comes with
/// nodes that decode them and select detections, which are then rows of all images in one list.
///
/// Which head it is says `options.head`, or the metadata that Ultralytics' exporters write.
///
/// Throws `tool_error` with `failure::refused` when the outputs are no such head, or not beyond doubt, and with
/// `failure::usage` when `options` do not fit the head. The former is a `shown_head_refused` if it is known to be a
/// head without the user's word.
[[nodiscard]] detections recognise_raw(const onnx::ModelProto& model, const recognise_options& options);

} // namespace padbatch::onnx_tools

#endif
