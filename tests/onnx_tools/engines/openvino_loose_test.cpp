// SPDX-License-Identifier: Apache-2.0
// An export whose outputs have other shapes than torchvision's and an input that belongs to each image, padded for any
// number of images, in OpenVINO: what the export itself gives there, image by image.

#include <tests/onnx_tools/engines/loose_exports.hpp>
#include <tests/onnx_tools/engines/openvino_model.hpp>

#include <onnx_tools/files/model_io.hpp>
#include <onnx_tools/rewrite.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

using namespace padbatch::onnx_tools;
using namespace padbatch::test;

namespace {

std::map<std::string, tensor> run_in_openvino(openvino_model& model, const loose_export& e,
                                              const std::vector<unsigned>& scenes)
{
    model_input images;
    images.data.push_back(pixels_of(scenes));
    images.shapes.push_back({scenes.size(), 3, loose_height, loose_width});
    return model.run(images, more_inputs(e, scenes));
}

bool has_distinct_scores(const plain_image& image)
{
    const auto& scores = image.rows.at("scores");
    std::set<double> seen;
    for (std::size_t i = 0; i < padbatch::test::detail::elements_of(scores); ++i) {
        seen.insert(padbatch::test::detail::number_at(scores, i));
    }
    return !seen.empty() && static_cast<std::int64_t>(seen.size()) == scores.shape.front();
}

} // namespace

TEST_CASE("loose outputs in other shapes, with inputs of each image, in OpenVINO")
{
    for (const auto& e : loose_exports()) {
        if (e.file != "mmdeploy_op11" && e.file != "scaled_op11") {
            continue;
        }
        CAPTURE(e.file);
        auto model = load_model(e.path());
        openvino_model original(model.SerializeAsString());
        // OpenVINO makes a row up where there is none, and puts rows of equal scores in any order.
        std::vector<unsigned> scenes;
        std::vector<plain_image> images;
        for (unsigned seed = 1; seed <= 40 && scenes.size() < 3; ++seed) {
            auto image = rows_of_image(e, run_in_openvino(original, e, {seed}));
            if (has_distinct_scores(image)) {
                scenes.push_back(seed);
                images.push_back(std::move(image));
            }
        }
        REQUIRE(scenes.size() == 3);
        pad_options options;
        options.dynamic_batch = true;
        options.max_detections = 60;
        (void)rewrite(model, {{}, options});
        openvino_model padded(model.SerializeAsString());
        const auto got = run_in_openvino(padded, e, scenes);
        for (const auto& output : expected_of(e, images, options)) {
            CAPTURE(output.first);
            CHECK((got.at(output.first) == output.second));
        }
    }
}
