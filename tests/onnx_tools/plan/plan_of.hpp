// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_TESTS_ONNX_TOOLS_PLAN_PLAN_OF_HPP
#define PADBATCH_TESTS_ONNX_TOOLS_PLAN_PLAN_OF_HPP

#include <onnx_tools/plan/options.hpp>
#include <onnx_tools/plan/plan.hpp>
#include <onnx_tools/recognise/recognise.hpp>

#include <tests/support/check_failure.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace padbatch::test {

/// The plan for a model whose outputs are recognised without help.
inline onnx_tools::pad_plan plan_of(const onnx::ModelProto& model, const onnx_tools::pad_options& options = {})
{
    return onnx_tools::plan(model, onnx_tools::recognise(model), options);
}

inline onnx_tools::pad_options with_max(std::int64_t max)
{
    onnx_tools::pad_options options;
    options.max_detections = max;
    return options;
}

inline onnx_tools::pad_options with_name(onnx_tools::field kind, const std::string& name)
{
    onnx_tools::pad_options options;
    options.names[kind] = name;
    return options;
}

inline onnx_tools::pad_options with_count_name(const std::string& name)
{
    onnx_tools::pad_options options;
    options.count_name = name;
    return options;
}

inline onnx_tools::pad_options with_value(onnx_tools::field kind, const onnx_tools::number& value)
{
    onnx_tools::pad_options options;
    options.pad_values[kind] = value;
    return options;
}

/// The plan fails with this kind, and its message contains all of `words`.
inline void check_plan_fails(onnx_tools::failure kind, const std::vector<std::string>& words,
                             const onnx::ModelProto& model, const onnx_tools::pad_options& options)
{
    check_failure(kind, words, [&] { (void)plan_of(model, options); });
}

} // namespace padbatch::test

#endif
