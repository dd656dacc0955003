// SPDX-License-Identifier: Apache-2.0
// Runs an export, and models made from it whose callers choose the lowest score and the number of rows in each run. One
// session gets many choices, and its outputs must be the bytes that plain loops make of the export's.

#include <tests/onnx_tools/engines/chosen_fixtures.hpp>
#include <tests/onnx_tools/engines/one_image_exports.hpp>
#include <tests/support/batch_input.hpp>

#include <doctest/doctest.h>

#include <onnx_tools/files/model_io.hpp>
#include <onnx_tools/rewrite.hpp>
#include <tests/support/check_outputs.hpp>
#include <tests/support/chosen_rows.hpp>
#include <tests/support/plain_outputs.hpp>
#include <tests/support/runtime.hpp>
#include <tests/support/scenes.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

using namespace padbatch::onnx_tools;
using namespace padbatch::test;

namespace {

using plain_images = std::vector<plain_image>;

// The rows that the export gives for its batch of scenes, and its further outputs.
struct export_result {
    plain_images images;
    std::map<std::string, tensor> all;
};

export_result run_of(const fixture& f, model_session& session, const std::vector<unsigned>& scenes)
{
    auto input = make_batch_input(f, scenes);
    export_result result{plain_images(f.batch), session.run(input.data, input.shapes)};
    for (std::size_t i = 0; i < f.batch; ++i) {
        for (std::size_t slot = 0; slot < f.fields.size(); ++slot) {
            result.images[i].rows[f.fields[slot]] = result.all.at(f.output(i, slot));
        }
    }
    return result;
}

// Choices that reach every case: nothing dropped, equal scores, one row, none, more than there can be.
std::vector<run_choice> choices_for(const fixture& f, const plain_images& images)
{
    std::vector<float> scores;
    for (const auto& image : images) {
        const auto& t = image.rows.at("scores");
        for (std::size_t i = 0; i < padbatch::test::detail::elements_of(t); ++i) {
            scores.push_back(static_cast<float>(padbatch::test::detail::number_at(t, i)));
        }
    }
    std::sort(scores.begin(), scores.end());
    const float middle = scores.empty() ? 0.5F : scores[scores.size() / 2];
    const auto most = static_cast<std::int32_t>(f.limit);
    return {{0, most},
            {-1, most + 5},
            {middle, most},
            {std::nextafter(middle, 2.0F), most},
            {std::nextafter(middle, 0.0F), std::numeric_limits<std::int32_t>::max()},
            {std::numeric_limits<float>::quiet_NaN(), most},
            {1, most},
            {0, 1},
            {middle, 2},
            {0, 0},
            {middle, -3},
            {std::numeric_limits<float>::denorm_min(), std::numeric_limits<std::int32_t>::min()}};
}

plain_images chosen(const fixture& f, const plain_images& images, const std::vector<run_choice>& choices)
{
    plain_images left;
    for (std::size_t i = 0; i < images.size(); ++i) {
        left.push_back(chosen_rows(images[i], f.fields, choices[choices.size() == 1 ? 0 : i]));
    }
    return left;
}

rewrite_options exposing(bool per_image)
{
    rewrite_options options;
    for (const auto option : all_run_options) {
        options.pad.exposed[option] = {std::nullopt, per_image};
    }
    return options;
}

std::string bytes_with(onnx::ModelProto model, const rewrite_options& options)
{
    (void)rewrite(model, options);
    return model.SerializeAsString();
}

// One number for all images of a fixed batch.
void check_fixed_choices(const fixture& f, const onnx::ModelProto& model, const rewrite_options& options,
                         GraphOptimizationLevel level, const std::vector<unsigned>& scenes, const export_result& known)
{
    model_session session(bytes_with(model, options), level);
    for (const auto& choice : choices_for(f, known.images)) {
        CAPTURE(choice.min_score);
        CAPTURE(choice.max_detections);
        auto input = make_batch_input(f, scenes);
        const auto got = session.run(input.data, input.shapes, choosing({choice}, false));
        auto expected = plain_outputs(f.fields, chosen(f, known.images, {choice}), options.pad, f.limit);
        if (options.recognise.fields) { // the others stay as they are
            const auto kept = options.recognise.fields->size() + 1;
            expected.resize(std::min(expected.size(), kept));
            for (const auto& output : expected) {
                CAPTURE(output.first);
                CHECK((got.at(output.first) == output.second));
            }
            continue;
        }
        for (const auto& extra : f.extra_outputs) {
            expected.emplace_back(extra, known.all.at(extra));
        }
        check_outputs(expected, session, got);
    }
}

// Any number of images: each with a choice of its own, or one for all.
void check_dynamic_choices(const fixture& f, const onnx::ModelProto& model, bool per_image,
                           GraphOptimizationLevel level, const std::vector<unsigned>& scenes, const plain_images& known)
{
    auto options = exposing(per_image);
    options.pad.dynamic_batch = true;
    if (!per_image) {
        options.pad.max_detections = largest_of_batch{};
    }
    model_session session(bytes_with(model, options), level);
    CHECK(session.inputs().size() == 3);
    const auto [height, width] = f.image_sizes.front();
    const auto all = choices_for(f, known);
    for (const std::size_t n : {0U, 1U, 4U, 7U}) {
        CAPTURE(n);
        std::vector<std::vector<float>> data(1);
        plain_images batch;
        std::vector<run_choice> choices;
        for (std::size_t i = 0; i < n; ++i) {
            const std::size_t which = (i * 2 + n) % known.size();
            const auto pixels = scene(scenes[which], height, width);
            data.front().insert(data.front().end(), pixels.begin(), pixels.end());
            batch.push_back(known[which]);
            choices.push_back(all[(i + n) % all.size()]);
        }
        if (!per_image) {
            choices = {all[n % all.size()]};
        }
        const auto got =
            session.run(data, {{static_cast<std::int64_t>(n), 3, height, width}}, choosing(choices, per_image));
        if (n == 0) {
            CHECK(got.at("boxes").shape == std::vector<std::int64_t>{0, per_image ? f.limit : 0, 4});
            CHECK(got.at("num_detections").shape == std::vector<std::int64_t>{0, 1});
            continue;
        }
        for (const auto& output : plain_outputs(f.fields, chosen(f, batch, choices), options.pad, f.limit)) {
            CAPTURE(output.first);
            CHECK((got.at(output.first) == output.second));
        }
    }
}

} // namespace

TEST_CASE("callers choose scores and rows in each run, for a fixed batch")
{
    for (const auto& f : chosen_fixtures()) {
        if (few_options()) {
            continue;
        }
        CAPTURE(f.file.filename().string());
        const auto model = load_model(f.file.string());
        const auto& scenes = f.runs.at(f.runs.size() - 2).scenes;
        for (const auto level : {ORT_DISABLE_ALL, ORT_ENABLE_ALL}) {
            CAPTURE(level);
            model_session original(read_bytes(f.file), level);
            const auto known = run_of(f, original, scenes);
            auto options = exposing(false);
            check_fixed_choices(f, model, options, level, scenes, known);
            if (level == ORT_ENABLE_ALL) { // which does not depend on the options
                continue;
            }
            options.pad.max_detections = largest_of_batch{};
            check_fixed_choices(f, model, options, level, scenes, known);
            // What is not a field still depends on the cuts, so that rows are chosen at the end.
            if (f.fields.size() > 3) {
                options.recognise.fields = {field::boxes, field::labels, field::scores};
                options.recognise.batch = f.batch;
                options.recognise.order = f.by_field ? output_order::by_field : output_order::by_image;
                if (f.batch == 1 || f.by_field) {
                    check_fixed_choices(f, model, options, level, scenes, known);
                }
            }
        }
    }
}

TEST_CASE("callers choose scores and rows in each run, for each image of any batch or for all of them")
{
    for_each_one_image_export([](const fixture& f, const onnx::ModelProto& model, GraphOptimizationLevel level) {
        model_session original(read_bytes(f.file), level);
        const std::vector<unsigned> scenes{1, 0, 2, 3, 4, 5};
        plain_images known;
        for (const auto seed : scenes) {
            known.push_back(run_of(f, original, {seed}).images.front());
        }
        check_dynamic_choices(f, model, level == ORT_DISABLE_ALL, level, scenes, known);
    });
}
