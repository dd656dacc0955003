// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_TESTS_ONNX_TOOLS_ENGINES_ONE_IMAGE_EXPORTS_HPP
#define PADBATCH_TESTS_ONNX_TOOLS_ENGINES_ONE_IMAGE_EXPORTS_HPP

#include <tests/onnx_tools/engines/chosen_fixtures.hpp>

#include <doctest/doctest.h>

#include <onnx_tools/files/model_io.hpp>
#include <tests/support/runtime.hpp>

namespace padbatch::test {

/// Calls `test(f, model, level)` for each chosen export of one image, which can be made dynamic, with ONNX Runtime's
/// optimiser off and on. None with few options.
template <typename Test>
void for_each_one_image_export(const Test& test)
{
    for (const auto& f : chosen_fixtures()) {
        if (f.batch != 1 || few_options()) {
            continue;
        }
        CAPTURE(f.file.filename().string());
        const auto model = onnx_tools::load_model(f.file.string());
        for (const auto level : {ORT_DISABLE_ALL, ORT_ENABLE_ALL}) {
            CAPTURE(level);
            // Weights that are also inputs are not optimised in the export, but are inside the loop.
            if (level == ORT_DISABLE_ALL || model.graph().input_size() == 1) {
                test(f, model, level);
            }
        }
    }
}

} // namespace padbatch::test

#endif
