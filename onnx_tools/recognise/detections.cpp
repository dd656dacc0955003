// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/recognise/detections.hpp>

namespace padbatch::onnx_tools {

const recognised_field* find_field(const detections& source, field kind) noexcept
{
    for (const auto& f : source.fields) {
        if (f.kind == kind) {
            return &f;
        }
    }
    return nullptr;
}

} // namespace padbatch::onnx_tools
