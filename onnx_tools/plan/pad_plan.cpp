// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/plan/pad_plan.hpp>

#include <algorithm>

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

const planned_input* find_input(const pad_plan& p, run_option option) noexcept
{
    const auto found =
        std::find_if(p.inputs.begin(), p.inputs.end(), [&](const auto& input) { return input.option == option; });
    return found == p.inputs.end() ? nullptr : &*found;
}

bool drops_rows(const pad_plan& p) noexcept
{
    const bool by_score = p.score_above || find_input(p, run_option::min_score) != nullptr;
    return (by_score && !p.scores_at_cuts) || (p.classes && !p.classes_at_cuts);
}

bool cuts_rows_at_end(const pad_plan& p) noexcept
{
    return p.cuts_rows || (find_input(p, run_option::max_detections) != nullptr && p.source.cuts.empty());
}

std::optional<std::int64_t> most_rows(const pad_plan& p) noexcept
{
    return p.max_detections ? p.max_detections : limit_of(p);
}

} // namespace padbatch::onnx_tools
