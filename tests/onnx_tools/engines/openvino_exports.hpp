// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_TESTS_ONNX_TOOLS_ENGINES_OPENVINO_EXPORTS_HPP
#define PADBATCH_TESTS_ONNX_TOOLS_ENGINES_OPENVINO_EXPORTS_HPP

#include <tests/onnx_tools/engines/openvino_model.hpp>
#include <tests/onnx_tools/engines/rewritten_exports.hpp>

#include <doctest/doctest.h>

#include <tests/support/fixtures.hpp>
#include <tests/support/plain_outputs.hpp>
#include <tests/support/scenes.hpp>

#include <algorithm>
#include <map>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

// What OpenVINO itself returns for an export, image by image.
namespace padbatch::test {

/// The images of one batch, and the number of rows that each is known to have; 0 if it is not known.
struct scene_batch {
    std::vector<unsigned> scenes;
    std::vector<std::int64_t> counts;
};

/// Batches of scenes with rows in every image, or in as many as possible. For an image without rows, OpenVINO returns
/// one row of whatever was in memory, so only images with rows can be compared.
inline std::vector<scene_batch> batches_with_rows(const fixture& f)
{
    std::vector<scene_batch> batches;
    scene_batch
        mixed; // the first scene with rows for each place in the batch: an image's rows do not depend on the others
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
    auto batch = make_batch_input(f, scenes);
    model_input input{std::move(batch.data), {}};
    for (const auto& shape : batch.shapes) {
        input.shapes.emplace_back(shape.begin(), shape.end());
    }
    return input;
}

/// The outputs of an export for one image of its batch.
struct loose_image {
    plain_image detections;
    std::map<std::string, tensor> others; ///< for the whole batch
};

/// Runs the export on one batch. Requires the known number of rows.
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
