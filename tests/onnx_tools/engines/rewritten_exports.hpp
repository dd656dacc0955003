// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_TESTS_ONNX_TOOLS_ENGINES_REWRITTEN_EXPORTS_HPP
#define PADBATCH_TESTS_ONNX_TOOLS_ENGINES_REWRITTEN_EXPORTS_HPP

#include <tests/support/batch_input.hpp>
#include <tests/support/fixtures.hpp>

#include <doctest/doctest.h>

#include <onnx_tools/model/check.hpp>
#include <onnx_tools/model/graph.hpp>
#include <onnx_tools/model/prune.hpp>
#include <onnx_tools/pad/pad.hpp>
#include <onnx_tools/plan/options.hpp>
#include <onnx_tools/plan/plan.hpp>
#include <onnx_tools/recognise/recognise.hpp>
#include <onnx_tools/recognise/region_masks.hpp>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

// An export and what is made of it, so that an engine can run both.
namespace padbatch::test {

/// Options of the rewrite, with a name for messages.
struct variant {
    std::string name;
    onnx_tools::pad_options options;
};

/// The output, and the field of an image, that holds masks before they are pasted into the image.
inline const std::string region_masks_name = "region_masks_of_image_";

inline bool has_field(const fixture& f, const std::string& field)
{
    return std::find(f.fields.begin(), f.fields.end(), field) != f.fields.end();
}

/// The bytes of the model that the rewrite makes.
inline std::string rewritten(const onnx::ModelProto& model, const onnx_tools::pad_options& options)
{
    auto result = model;
    onnx_tools::pad(result, onnx_tools::plan(result, onnx_tools::recognise(result), options));
    REQUIRE(onnx_tools::complaints(result) == std::vector<std::string>());
    return result.SerializeAsString();
}

/// The export with its region masks as further outputs, and without the pasted ones where an engine cannot make them.
inline std::string with_region_masks(const fixture& f, onnx::ModelProto model, bool pasted)
{
    auto& graph = *model.mutable_graph();
    const auto masks = std::find(f.fields.begin(), f.fields.end(), "masks");
    if (masks == f.fields.end()) {
        return model.SerializeAsString();
    }
    const auto used = onnx_tools::values_in_use(graph);
    const auto slot = static_cast<std::size_t>(masks - f.fields.begin());
    for (std::size_t image = 0; image < f.batch; ++image) {
        const auto found = onnx_tools::find_region_masks(onnx_tools::graph_index(graph), f.output(image, slot));
        REQUIRE(found);
        REQUIRE(found->size == std::pair<std::int64_t, std::int64_t>(28, 28));
        auto& node = *graph.add_node();
        node.set_op_type("Identity");
        node.add_input(found->value);
        node.add_output(region_masks_name + std::to_string(image));
        auto& output = *graph.add_output();
        output.set_name(node.output(0));
        output.mutable_type()->mutable_tensor_type()->set_elem_type(onnx::TensorProto::FLOAT);
    }
    for (std::size_t image = 0; !pasted && image < f.batch; ++image) {
        auto& outputs = *graph.mutable_output();
        outputs.erase(std::find_if(outputs.begin(), outputs.end(),
                                   [&](const auto& output) { return output.name() == f.output(image, slot); }));
    }
    onnx_tools::remove_unused(graph, used);
    return model.SerializeAsString();
}

} // namespace padbatch::test

#endif
