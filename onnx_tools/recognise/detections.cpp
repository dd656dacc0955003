// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/recognise/detections.hpp>

namespace padbatch::onnx_tools {

std::string_view name_of(export_kind form) noexcept
{
    switch (form) {
    case export_kind::automatic: return "auto";
    case export_kind::fields: return "fields";
    case export_kind::flat: return "flat";
    case export_kind::nms: return "nms";
    case export_kind::padded: return "padded";
    case export_kind::raw: return "raw";
    }
    return "";
}

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
