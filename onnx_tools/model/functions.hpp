// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_ONNX_TOOLS_MODEL_FUNCTIONS_HPP
#define PADBATCH_ONNX_TOOLS_MODEL_FUNCTIONS_HPP

#include <onnx/onnx_pb.h>

#include <optional>

namespace padbatch::onnx_tools {

/// A model as it is read: where its graph calls the model's own functions, their nodes stand in place of the calls. The
/// values between these nodes get names that the model has not, so they cannot be used in the model itself.
///
/// A call stays, and its operator proves nothing, if the function is defined twice (ONNX 1.16 tells such functions
/// apart by a field that older releases do not read) or written for other versions of operators, calls itself, leaves
/// an attribute to a default that older releases do not read, or if the graph would grow beyond all reason.
class readable_model {
public:
    /// Copies nothing if `model` has no functions, and no large tensors otherwise. `model` must outlive this.
    explicit readable_model(const onnx::ModelProto& model);

    [[nodiscard]] const onnx::ModelProto& operator*() const noexcept { return m_inlined ? *m_inlined : m_model; }
    [[nodiscard]] const onnx::ModelProto* operator->() const noexcept { return &**this; }

private:
    const onnx::ModelProto& m_model;
    std::optional<onnx::ModelProto> m_inlined;
};

} // namespace padbatch::onnx_tools

#endif
