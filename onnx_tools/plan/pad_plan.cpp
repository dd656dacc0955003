// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/plan/pad_plan.hpp>

namespace padbatch::onnx_tools {

std::optional<double> threshold_of(const pad_plan& p) noexcept
{
    for (const auto& setting : p.settings) {
        if (setting.kind == parameter::score_thresh) {
            return setting.now;
        }
    }
    return p.source.threshold ? std::optional(p.source.threshold->score) : std::nullopt;
}

std::optional<std::size_t> place_of(const pad_plan& p, field kind) noexcept
{
    for (std::size_t i = 0; i < p.fields.size(); ++i) {
        if (p.fields[i].kind == kind) {
            return i;
        }
    }
    return std::nullopt;
}

} // namespace padbatch::onnx_tools
