// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/plan/run_option.hpp>

#include <algorithm>

namespace padbatch::onnx_tools {

std::string_view name_of(run_option option) noexcept
{
    return option == run_option::min_score ? "min_score" : "max_detections";
}

std::optional<run_option> run_option_from_name(std::string_view name) noexcept
{
    const auto* const found = std::find_if(all_run_options.begin(), all_run_options.end(),
                                           [&](run_option option) { return name_of(option) == name; });
    return found == all_run_options.end() ? std::nullopt : std::optional(*found);
}

} // namespace padbatch::onnx_tools
