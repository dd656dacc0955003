// SPDX-License-Identifier: Apache-2.0
// Runs an export one image at a time (or with its own batch), and the models that were made from it with every option,
// and requires the outputs that plain loops make of the export's: names, order, types, extents and bytes. The runtime
// computes the same values in both, and everything after that only copies, compares, converts or divides, so no
// tolerance is needed.

#include <tests/onnx_tools/engines/chosen_fixtures.hpp>
#include <tests/onnx_tools/engines/one_image_exports.hpp>
#include <tests/onnx_tools/engines/rewritten_exports.hpp>

#include <doctest/doctest.h>

#include <onnx_tools/files/model_io.hpp>
#include <onnx_tools/plan/options.hpp>
#include <tests/support/check_outputs.hpp>
#include <tests/support/plain_outputs.hpp>
#include <tests/support/runtime.hpp>
#include <tests/support/scenes.hpp>
#include <tests/support/with_limit.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <map>
#include <tuple>

using namespace padbatch;
using namespace padbatch::onnx_tools;
using namespace padbatch::test;

namespace {

// Runs the export on its batch of scenes.
std::vector<plain_image> run_export(const fixture& f, model_session& session, const std::vector<unsigned>& scenes)
{
    auto input = make_batch_input(f, scenes);
    std::vector<plain_image> images(f.batch);
    auto loose = session.run(input.data, input.shapes);
    for (std::size_t i = 0; i < f.batch; ++i) {
        std::tie(images[i].height, images[i].width) = f.image_sizes[i];
        for (std::size_t slot = 0; slot < f.fields.size(); ++slot) {
            images[i].rows[f.fields[slot]] = loose.at(f.output(i, slot));
        }
        if (const auto found = loose.find(region_masks_name + std::to_string(i)); found != loose.end()) {
            auto masks = found->second;
            if (images[i].rows.at("masks").type != masks.type) { // a wrapper converted the pasted masks
                masks = padbatch::test::detail::converted(masks, images[i].rows.at("masks").type);
            }
            images[i].rows[region_masks_name] = std::move(masks);
        }
        for (const auto& extra : f.extra_outputs) {
            images[i].rows[extra] = loose.at(extra);
        }
    }
    return images;
}

// A score that some row has, while others have less.
double middle_score(const std::vector<plain_image>& images)
{
    std::vector<double> scores;
    for (const auto& image : images) {
        const auto& t = image.rows.at("scores");
        for (std::size_t i = 0; i < padbatch::test::detail::elements_of(t); ++i) {
            scores.push_back(padbatch::test::detail::number_at(t, i));
        }
    }
    if (scores.empty()) {
        return 0.5;
    }
    std::sort(scores.begin(), scores.end());
    return scores[scores.size() / 2];
}

template <typename Change>
variant make(const std::string& name, const Change& change)
{
    variant v{name, {}};
    change(v.options);
    return v;
}

// The rows of an image that `chosen` keeps, the first `most` of them.
plain_image of_classes(const fixture& f, plain_image image, const class_choice& chosen, std::int64_t most)
{
    const auto labels = image.rows.at("labels");
    std::vector<std::size_t> kept;
    for (std::size_t i = 0; i < padbatch::test::detail::elements_of(labels); ++i) {
        const auto label = static_cast<std::int64_t>(padbatch::test::detail::number_at(labels, i));
        const bool named = std::find(chosen.labels.begin(), chosen.labels.end(), label) != chosen.labels.end();
        if (named != chosen.dropped && kept.size() < static_cast<std::size_t>(most)) {
            kept.push_back(i);
        }
    }
    for (auto& [name, rows] : image.rows) {
        if (name != region_masks_name && !has_field(f, name)) {
            continue; // another output of the model
        }
        const auto all = rows.bytes;
        const auto size = all.size() / std::max<std::size_t>(static_cast<std::size_t>(rows.shape.front()), 1);
        rows.shape.front() = static_cast<std::int64_t>(kept.size());
        rows.bytes.clear();
        for (const auto i : kept) {
            rows.bytes.insert(rows.bytes.end(), all.begin() + static_cast<std::ptrdiff_t>(i * size),
                              all.begin() + static_cast<std::ptrdiff_t>((i + 1) * size));
        }
    }
    return image;
}

// A label that some rows have, and others not, if there are any.
std::int64_t usual_label(const std::vector<plain_image>& images)
{
    std::map<std::int64_t, int> counts;
    for (const auto& image : images) {
        const auto& labels = image.rows.at("labels");
        for (std::size_t i = 0; i < padbatch::test::detail::elements_of(labels); ++i) {
            ++counts[static_cast<std::int64_t>(padbatch::test::detail::number_at(labels, i))];
        }
    }
    const auto most = std::max_element(counts.begin(), counts.end(),
                                       [](const auto& a, const auto& b) { return a.second < b.second; });
    return most == counts.end() ? 1 : most->first;
}

std::int64_t more_rows(const fixture& f)
{
    return f.limit + 7;
}

bool has_more_rows(const variant& v, const fixture& f)
{
    return v.options.max_detections == decltype(v.options.max_detections)(more_rows(f));
}

std::vector<variant> variants_of(const fixture& f, double score)
{
    std::vector<variant> all;
    const auto add = [&](const std::string& name, const auto& change) { all.push_back(make(name, change)); };
    add("as it is", [](pad_options&) {});
    add("batch", [](pad_options& o) { o.max_detections = largest_of_batch{}; });
    add("one row", [](pad_options& o) { o.max_detections = 1; });
    add("more rows", [&](pad_options& o) { o.max_detections = more_rows(f); });
    add("scores", [&](pad_options& o) { o.min_score = score; });
    add("scores, batch", [&](pad_options& o) {
        o.min_score = score;
        o.max_detections = largest_of_batch{};
        o.flat_counts = true;
        o.count_type = element_type::int64;
    });
    add("scores, two rows", [&](pad_options& o) {
        o.min_score = score;
        o.max_detections = 2;
        o.count_type = element_type::float32;
        o.flat_counts = true;
    });
    if (has_field(f, "labels")) {
        for (const auto layout : {output_layout::efficientnms, output_layout::yolov7, output_layout::mmdeploy,
                                  output_layout::tf_od, output_layout::ultralytics}) {
            add("layout " + std::string(rules_of(layout).name), [&](pad_options& o) { o.layout = layout; });
        }
        add("joined, batch, padded with -1", [](pad_options& o) {
            o.layout = output_layout::ultralytics;
            o.max_detections = largest_of_batch{};
            o.pad_values = {{field::boxes, -1}, {field::scores, -2}, {field::labels, -3}};
        });
        add("normalised, batch, scores", [&](pad_options& o) {
            o.layout = output_layout::tf_od;
            o.max_detections = largest_of_batch{};
            o.min_score = score;
            o.count_type = element_type::int32;
            o.label_type = element_type::int64;
            o.pad_values = {{field::boxes, -1}};
        });
        add("narrow labels", [](pad_options& o) { o.label_type = element_type::int32; });
        add("float labels", [](pad_options& o) { o.label_type = element_type::float32; });
    }
    if (has_field(f, "masks")) {
        add("no masks", [](pad_options& o) { o.masks = mask_choice::none; });
        add("region masks", [](pad_options& o) { o.masks = mask_choice::roi; });
        add("region masks, squeezed, batch, scores", [&](pad_options& o) {
            o.masks = mask_choice::roi;
            o.squeeze_masks = true;
            o.max_detections = largest_of_batch{};
            o.min_score = score;
            o.pad_values = {{field::masks, -1}};
        });
        add("byte masks", [](pad_options& o) { o.mask_type = element_type::uint8; });
        add("bool masks", [](pad_options& o) {
            o.mask_type = element_type::boolean;
            o.mask_threshold = 0.3;
            o.squeeze_masks = true;
            o.pad_values = {{field::masks, 1}};
        });
        add("float masks, one row", [](pad_options& o) {
            o.mask_type = element_type::float32;
            o.max_detections = 1;
        });
        add("region masks, layout", [](pad_options& o) {
            o.masks = mask_choice::roi;
            o.layout = output_layout::mmdeploy;
        });
        add("byte masks, layout, batch", [](pad_options& o) {
            o.mask_type = element_type::uint8;
            o.mask_threshold = 0.6;
            o.layout = output_layout::tf_od;
            o.max_detections = largest_of_batch{};
        });
    }
    return all;
}

// The images with the masks that the variant is about.
std::vector<plain_image> chosen_masks(std::vector<plain_image> images, const pad_options& options)
{
    for (auto& image : images) {
        if (options.masks == mask_choice::roi) {
            image.rows["masks"] = image.rows.at(region_masks_name);
        }
        image.rows.erase(region_masks_name);
    }
    return images;
}

// A batch of one-image results, with the outputs that are not detections stacked.
std::vector<named_tensor> expected_of(const fixture& f, const std::vector<plain_image>& images,
                                      const pad_options& options)
{
    auto outputs = plain_outputs(f.fields, chosen_masks(images, options), options, f.limit);
    for (const auto& extra : f.extra_outputs) {
        tensor stacked = images.front().rows.at(extra);
        stacked.bytes.clear();
        stacked.shape.at(0) = static_cast<std::int64_t>(images.size()); // 1 in each export
        for (const auto& image : images) {
            const auto& one = image.rows.at(extra).bytes;
            stacked.bytes.insert(stacked.bytes.end(), one.begin(), one.end());
        }
        outputs.emplace_back(extra, std::move(stacked));
    }
    return outputs;
}

// Extents that only an image could tell are 0.
void check_without_images(const onnx::ModelProto& model, model_session& session, const std::vector<std::int64_t>& shape)
{
    std::vector<std::vector<float>> nothing(1);
    const auto got = session.run(nothing, {shape});
    for (const auto& output : model.graph().output()) {
        CAPTURE(output.name());
        std::vector<std::int64_t> expected;
        for (const auto& extent : declared_type(output).shape) {
            expected.push_back(extent.size.value_or(0));
        }
        CHECK(expected.front() == 0);
        CHECK(got.at(output.name()).shape == expected);
        CHECK(got.at(output.name()).bytes.empty());
    }
}

void check_dynamic(const fixture& f, const variant& v, const onnx::ModelProto& model,
                   const std::vector<plain_image>& images, const std::vector<unsigned>& scenes,
                   GraphOptimizationLevel level)
{
    auto options = v.options;
    options.dynamic_batch = true;
    const auto bytes = rewritten(model, options);
    onnx::ModelProto result;
    REQUIRE(result.ParseFromString(bytes));
    model_session session(bytes, level);
    REQUIRE(session.input_shapes().size() == 1);
    CHECK(session.input_shapes().front().front() == -1);
    const auto [height, width] = f.image_sizes.front();
    check_without_images(result, session, {0, 3, height, width});
    for (const std::size_t n : {1U, 2U, 3U, 5U, 7U}) {
        CAPTURE(n);
        std::vector<std::vector<float>> data(1);
        std::vector<plain_image> batch;
        for (std::size_t i = 0; i < n; ++i) {
            const std::size_t which = (i * 2 + n) % images.size();
            const auto pixels = scene(scenes[which], height, width);
            data.front().insert(data.front().end(), pixels.begin(), pixels.end());
            batch.push_back(images[which]);
        }
        const auto got = session.run(data, {{static_cast<std::int64_t>(n), 3, height, width}});
        check_outputs(expected_of(f, batch, options), session, got);
    }
}

} // namespace

TEST_CASE("an export of one image, made dynamic, gives the bytes of its images one by one, with every option")
{
    for_each_one_image_export([](const fixture& f, const onnx::ModelProto& model, GraphOptimizationLevel level) {
        model_session original(with_region_masks(f, model, true), level);
        const std::vector<unsigned> scenes{1, 0, 2, 3, 0, 4, 5};
        std::vector<plain_image> images;
        for (const auto seed : scenes) {
            images.push_back(run_export(f, original, {seed}).front());
        }
        auto variants = variants_of(f, middle_score(images));
        if (level != ORT_DISABLE_ALL) {
            variants.resize(2); // how the model is optimised does not depend on the options
        }
        model_session higher(with_region_masks(f, with_limit(model, f.limit, more_rows(f)), true), level);
        std::vector<plain_image> more;
        for (const auto seed : scenes) {
            more.push_back(run_export(f, higher, {seed}).front());
        }
        for (const auto& v : variants) {
            CAPTURE(v.name);
            check_dynamic(f, v, model, has_more_rows(v, f) ? more : images, scenes, level);
        }
    });
}

TEST_CASE("an export of any batch gives the bytes of its outputs with every option")
{
    for (const auto& f : chosen_fixtures()) {
        if (few_options()) {
            continue;
        }
        CAPTURE(f.file.filename().string());
        const auto model = load_model(f.file.string());
        model_session original(with_region_masks(f, model, true), ORT_DISABLE_ALL);
        const auto& scenes = f.runs.at(f.runs.size() - 2).scenes;
        const auto of_export = run_export(f, original, scenes);
        model_session higher(with_region_masks(f, with_limit(model, f.limit, more_rows(f)), true), ORT_DISABLE_ALL);
        const auto with_more = run_export(f, higher, scenes);
        for (const auto& v : variants_of(f, middle_score(of_export))) {
            CAPTURE(v.name);
            const auto& images = has_more_rows(v, f) ? with_more : of_export;
            model_session session(rewritten(model, v.options), ORT_DISABLE_ALL);
            auto input = make_batch_input(f, scenes);
            auto expected = plain_outputs(f.fields, chosen_masks(images, v.options), v.options, f.limit);
            for (const auto& extra : f.extra_outputs) {
                expected.emplace_back(extra, images.front().rows.at(extra));
            }
            check_outputs(expected, session, session.run(input.data, input.shapes));
        }
    }
}

TEST_CASE("rows are chosen by their labels in front of the limit, and the best of them are kept")
{
    constexpr std::int64_t unreachable = 1000000;
    for (const auto& f : chosen_fixtures()) {
        if (few_options() || !has_field(f, "labels")) {
            continue;
        }
        CAPTURE(f.file.filename().string());
        const auto model = load_model(f.file.string());
        model_session original(with_region_masks(f, with_limit(model, f.limit, unreachable), true), ORT_DISABLE_ALL);
        const auto& scenes = f.runs.at(f.runs.size() - 2).scenes;
        const auto all = run_export(f, original, scenes);
        const auto label = usual_label(all);
        std::vector<variant> variants{make("kept", [&](pad_options& o) { o.classes = {{label, 77}, false}; }),
                                      make("dropped", [&](pad_options& o) {
                                          o.classes = {{label}, true};
                                          o.max_detections = 2;
                                      })};
        variants.push_back(make("kept, scores, batch", [&](pad_options& o) {
            o.classes = {{label}, false};
            o.min_score = middle_score(all);
            o.max_detections = largest_of_batch{};
        }));
        for (const auto& v : variants) {
            CAPTURE(v.name);
            const auto* most = std::get_if<std::int64_t>(&v.options.max_detections);
            std::vector<plain_image> chosen;
            for (const auto& image : all) {
                chosen.push_back(of_classes(f, image, *v.options.classes, most != nullptr ? *most : f.limit));
            }
            model_session session(rewritten(model, v.options), ORT_DISABLE_ALL);
            auto input = make_batch_input(f, scenes);
            auto expected = plain_outputs(f.fields, chosen_masks(chosen, v.options), v.options, f.limit);
            for (const auto& extra : f.extra_outputs) {
                expected.emplace_back(extra, all.front().rows.at(extra));
            }
            check_outputs(expected, session, session.run(input.data, input.shapes));
            if (f.batch == 1) {
                check_dynamic(f, v, model, chosen, scenes, ORT_DISABLE_ALL);
            }
        }
    }
}
