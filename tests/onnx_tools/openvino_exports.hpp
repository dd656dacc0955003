#ifndef PADBATCH_TESTS_ONNX_TOOLS_OPENVINO_EXPORTS_HPP
#define PADBATCH_TESTS_ONNX_TOOLS_OPENVINO_EXPORTS_HPP

#include <tests/onnx_tools/openvino_model.hpp>

#include <doctest/doctest.h>

#include <onnx_tools/masks.hpp>
#include <onnx_tools/prune.hpp>
#include <tests/support/fixtures.hpp>
#include <tests/support/plain_outputs.hpp>
#include <tests/support/scenes.hpp>

#include <algorithm>
#include <map>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

// What OpenVINO itself gives for an export, image by image.
namespace padbatch::test {

/// The output, and the field of an image, that holds masks before they are pasted into the image.
inline const std::string region_masks_name = "region_masks_of_image_";

/// The images of one batch, and the rows that each is known to have: 0 where nothing is known.
struct scene_batch {
    std::vector<unsigned> scenes;
    std::vector<std::int64_t> counts;
};

inline bool has_field(const fixture& f, const std::string& field)
{
    return std::find(f.fields.begin(), f.fields.end(), field) != f.fields.end();
}

/// Batches of scenes with rows in every image, or else in as many as possible. For an image without any, OpenVINO gives
/// one row of whatever was in the memory, so only images with rows can be compared.
inline std::vector<scene_batch> batches_with_rows(const fixture& f)
{
    std::vector<scene_batch> batches;
    scene_batch
        mixed; // the first scene with rows of each place in the batch: an image's rows do not depend on the others
    mixed.scenes.resize(f.batch);
    mixed.counts.resize(f.batch);
    for (const auto& run : f.runs) {
        const auto& counts = run.counts.value();
        if (std::count(counts.begin(), counts.end(), 0) == 0) {
            batches.push_back({run.scenes, counts});
        }
        for (std::size_t i = 0; i < f.batch; ++i) {
            if (mixed.counts[i] == 0 && counts[i] != 0) {
                mixed.scenes[i] = run.scenes[i];
                mixed.counts[i] = counts[i];
            }
        }
    }
    return batches.empty() ? std::vector<scene_batch>{mixed} : batches;
}

inline model_input make_input(const fixture& f, const std::vector<unsigned>& scenes)
{
    model_input input;
    for (std::size_t i = 0; i < f.batch; ++i) {
        const auto [height, width] = f.image_sizes[i];
        auto pixels = scene(scenes[i], height, width);
        if (f.list_input || i == 0) {
            input.data.push_back(std::move(pixels));
            input.shapes.push_back({3, static_cast<std::size_t>(height), static_cast<std::size_t>(width)});
        } else {
            input.data.front().insert(input.data.front().end(), pixels.begin(), pixels.end());
        }
    }
    if (!f.list_input) {
        input.shapes.front().insert(input.shapes.front().begin(), f.batch);
    }
    return input;
}

/// The export with its region masks as further outputs, and without the pasted ones where OpenVINO cannot make them.
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

/// The outputs of an export for one image of its batch.
struct loose_image {
    plain_image detections;
    std::map<std::string, tensor> others; ///< for the whole batch
};

/// Runs the export on one batch. Demands the known number of rows.
inline std::vector<loose_image> run_export(const fixture& f, openvino_model& model, const scene_batch& batch)
{
    auto input = make_input(f, batch.scenes);
    const auto loose = model.run(input);
    std::vector<loose_image> images(f.batch);
    for (std::size_t i = 0; i < f.batch; ++i) {
        auto& image = images[i].detections;
        std::tie(image.height, image.width) = f.image_sizes[i];
        auto& rows = image.rows;
        for (std::size_t slot = 0; slot < f.fields.size(); ++slot) {
            if (const auto found = loose.find(f.output(i, slot)); found != loose.end()) {
                rows[f.fields[slot]] = found->second;
            }
        }
        if (batch.counts[i] != 0) {
            CHECK(rows.at("scores").shape.at(0) == batch.counts[i]);
        }
        if (const auto found = loose.find(region_masks_name + std::to_string(i)); found != loose.end()) {
            rows[region_masks_name] = found->second;
        }
        for (const auto& extra : f.extra_outputs) {
            images[i].others[extra] = loose.at(extra);
        }
    }
    return images;
}

} // namespace padbatch::test

#endif
