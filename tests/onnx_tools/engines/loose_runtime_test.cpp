// SPDX-License-Identifier: Apache-2.0
// Exports whose outputs have other shapes than torchvision's: the padded model gives, byte for byte, what plain loops
// over the export's own outputs give, for a batch of one and for any number of images.

#include <tests/onnx_tools/engines/loose_exports.hpp>

#include <onnx_tools/files/model_io.hpp>
#include <onnx_tools/rewrite.hpp>
#include <tests/support/check_outputs.hpp>
#include <tests/support/runtime.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

using namespace padbatch::onnx_tools;
using namespace padbatch::test;

namespace {

constexpr unsigned loose_scenes = 6; // the first is black

struct loose_variant {
    std::string name;
    pad_options options;
};

std::vector<loose_variant> loose_variants(const loose_export& e, double score, bool any_batch)
{
    std::vector<loose_variant> all;
    const auto add = [&](const std::string& name, const auto& change) {
        pad_options options;
        options.dynamic_batch = any_batch;
        options.max_detections = 60;
        change(options);
        all.push_back({name, options});
    };
    add("more rows than there are", [](pad_options&) {});
    add("three rows", [](pad_options& o) { o.max_detections = 3; });
    add("higher scores", [&](pad_options& o) { o.min_score = score; });
    if (!any_batch || e.limit != 0) { // a Loop stacks what has one shape
        add("as many rows as the batch has", [](pad_options& o) { o.max_detections = largest_of_batch{}; });
    }
    if (e.limit != 0) {
        add("the limit of the model", [](pad_options& o) { o.max_detections = model_limit{}; });
        add("a limit that is set", [](pad_options& o) {
            o.max_detections = model_limit{};
            o.settings[parameter::detections_per_img] = std::int64_t{7};
        });
    }
    if (e.places.count("labels") != 0) {
        if (e.limit == 0) { // the limit comes before classes are chosen, which a loop over its results cannot tell
            add("one class", [](pad_options& o) { o.classes = class_choice{{1}, false}; });
        }
        add("as mmdeploy has it", [](pad_options& o) { o.layout = output_layout::mmdeploy; });
        add("as ultralytics has it", [](pad_options& o) {
            o.layout = output_layout::ultralytics;
            o.max_detections = 8;
        });
    }
    return all;
}

std::map<std::string, tensor> run_scenes(model_session& session, const loose_export& e,
                                         const std::vector<unsigned>& scenes)
{
    std::vector<std::vector<float>> images{pixels_of(scenes)};
    return session.run(images, {{static_cast<std::int64_t>(scenes.size()), 3, loose_height, loose_width}},
                       more_inputs(e, scenes));
}

// A score that some rows have, and others exceed.
double some_score(const std::vector<plain_image>& images)
{
    const auto most = std::max_element(images.begin(), images.end(), [](const plain_image& a, const plain_image& b) {
        return a.rows.at("scores").shape < b.rows.at("scores").shape;
    });
    const auto& scores = most->rows.at("scores");
    return padbatch::test::detail::number_at(scores, static_cast<std::size_t>(scores.shape.front()) / 2);
}

} // namespace

TEST_CASE("outputs of one image in other shapes are padded, for one image and for any number")
{
    for (const auto& e : loose_exports()) {
        CAPTURE(e.file);
        const auto model = load_model(e.path());
        model_session original(model.SerializeAsString(), ORT_ENABLE_ALL);
        std::vector<plain_image> known;
        std::int64_t rows = 0;
        for (unsigned seed = 0; seed < loose_scenes; ++seed) {
            known.push_back(rows_of_image(e, run_scenes(original, e, {seed})));
            rows += known.back().rows.at("scores").shape.front();
        }
        CHECK(known.front().rows.at("scores").shape.front() == 0);
        REQUIRE(rows > 8);
        for (const bool any_batch : {false, true}) {
            for (const auto& variant : loose_variants(e, some_score(known), any_batch)) {
                const auto& options = variant.options;
                CAPTURE(variant.name);
                CAPTURE(any_batch);
                auto padded = model;
                (void)rewrite(padded, {{}, options});
                model_session session(padded.SerializeAsString(), ORT_ENABLE_ALL);
                using scene_lists = std::vector<std::vector<unsigned>>;
                for (const auto& scenes :
                     any_batch ? scene_lists{{}, {3}, {0, 2}, {4, 0, 1, 2, 5}} : scene_lists{{0}, {1}, {5}}) {
                    std::vector<plain_image> images;
                    for (const unsigned seed : scenes) {
                        images.push_back(known.at(seed));
                    }
                    CAPTURE(scenes.size());
                    check_outputs(expected_of(e, images, options), session, run_scenes(session, e, scenes));
                }
            }
        }
    }
}

TEST_CASE("an input can be said to belong to each image, or to be shared")
{
    const auto e = loose_exports().at(4);
    REQUIRE(e.per_image == "scale_factor");
    const auto model = load_model(e.path());
    model_session original(model.SerializeAsString(), ORT_ENABLE_ALL);
    rewrite_options options;
    options.pad.dynamic_batch = true;
    options.pad.max_detections = 60;
    options.recognise.shared_inputs = {"scale_factor"};
    options.recognise.per_image_inputs = {"gain"};
    auto padded = model;
    (void)rewrite(padded, options);
    model_session session(padded.SerializeAsString(), ORT_ENABLE_ALL);
    const std::vector<unsigned> scenes{2, 4, 5};
    const std::vector<float> gains{0.25F, 1.5F, 2.0F};
    const auto scale = float_tensor({1, 2}, scale_of(3));
    std::vector<plain_image> images;
    for (std::size_t i = 0; i < scenes.size(); ++i) {
        std::vector<std::vector<float>> image{pixels_of({scenes[i]})};
        images.push_back(
            rows_of_image(e, original.run(image, {{1, 3, loose_height, loose_width}},
                                          {{"scale_factor", scale}, {"gain", float_tensor({1}, {gains[i]})}})));
    }
    std::vector<std::vector<float>> batch{pixels_of(scenes)};
    check_outputs(expected_of(e, images, options.pad), session,
                  session.run(batch, {{3, 3, loose_height, loose_width}},
                              {{"scale_factor", scale}, {"gain", float_tensor({3}, gains)}}));
}
