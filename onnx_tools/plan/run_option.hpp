// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_ONNX_TOOLS_PLAN_RUN_OPTION_HPP
#define PADBATCH_ONNX_TOOLS_PLAN_RUN_OPTION_HPP

#include <array>
#include <optional>
#include <string_view>

namespace padbatch::onnx_tools {

/// What can be left to the callers of a padded model, run by run.
enum class run_option {
    min_score,      ///< float32: rows with a lower score are dropped; 0 or less keeps all, and NaN none
    max_detections, ///< int32: the rows that are kept of an image; below 0 counts as 0, and above M as M
};

/// All of them.
inline constexpr std::array all_run_options{run_option::min_score, run_option::max_detections};

/// The name of the option, which is that of the input too.
[[nodiscard]] std::string_view name_of(run_option option) noexcept;
[[nodiscard]] std::optional<run_option> run_option_from_name(std::string_view name) noexcept;

/// How a model takes it: as an input, `[1]`, or `[batch, 1]` with a value for each image.
struct exposure {
    /// What a run without a value gets. ONNX Runtime alone knows such inputs.
    std::optional<double> fallback;
    /// Only in a model of any number of images (`dynamic_batch`), and without `fallback`.
    bool per_image = false;

    bool operator==(const exposure&) const = default;
};

} // namespace padbatch::onnx_tools

#endif
