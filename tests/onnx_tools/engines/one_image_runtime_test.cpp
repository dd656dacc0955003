// SPDX-License-Identifier: Apache-2.0
// Exports of one image whose rows are in a list, or padded already, become models of any number of images. What they
// give for each image is what the export gives for it when it is padded alone, byte for byte.

#include <doctest/doctest.h>

#include <onnx_tools/files/model_io.hpp>
#include <onnx_tools/rewrite.hpp>
#include <tests/support/check_failure.hpp>
#include <tests/support/parse_model.hpp>
#include <tests/support/plain_flat.hpp>
#include <tests/support/runtime.hpp>
#include <tests/support/scenes.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

using namespace padbatch;
using namespace padbatch::onnx_tools;
using namespace padbatch::test;

namespace {

constexpr int image_height = 64;
constexpr int image_width = 80;
constexpr std::size_t scenes_known = 6; // the first two have few rows or none

using named_outputs = std::map<std::string, tensor>;

struct one_image_export {
    std::string file;
    recognise_options said;
    std::int64_t most = 12;
    bool pixels = false;
};

std::vector<one_image_export> one_image_exports()
{
    recognise_options flat;
    flat.from = export_kind::flat;
    recognise_options selection;
    selection.from = export_kind::nms;
    selection.boxes = box_format::yxyx;
    recognise_options fractions;
    fractions.from = export_kind::padded;
    fractions.boxes = box_format::cxcywh;
    fractions.normalised = true;
    return {{"other/flat_pt113_b1_op11_end2end", {}, 12, true},
            {"lists/lists_pt113_any_op11", {}, 12, true},
            {"lists/counted_lists_pt113_any_op13", {}, 12, true},
            {"lists/super_gradients_pt113_any_op14", {}, 12, true},
            {"lists/detection_output_pt113_any_op12", flat},
            {"lists/paddle_pt113_any_op11", {}},
            {"lists/paddle_rcnn_pt113_b1_op13", {}},
            {"lists/tiny_yolov3_pt113_b1_op11", selection, 12, true},
            {"padded/yolov10_b1_op11", {}, 20},
            {"padded/mmdeploy_any_op11", {}, 10},
            {"padded/rtdetr_any_op16", {}, 16},
            {"padded/counted_any_op17", {}, 10},
            {"padded/detr_any_op14", fractions, 160, true}};
}

// The export as one of one image.
onnx::ModelProto load_for_one_image(const std::string& file)
{
    auto model = load_model((std::filesystem::path(PADBATCH_TESTS_DATA) / (file + ".onnx")).string());
    for (auto& input : *model.mutable_graph()->mutable_input()) {
        auto& shape = *input.mutable_type()->mutable_tensor_type()->mutable_shape();
        if (shape.dim_size() > 1) {
            shape.mutable_dim(0)->set_dim_value(1);
        }
    }
    return model;
}

named_outputs run_images(model_session& session, const std::vector<std::size_t>& scenes)
{
    std::vector<std::vector<float>> inputs(1);
    std::vector<float> sizes;
    const auto images = static_cast<std::int64_t>(scenes.size());
    for (const auto seed : scenes) {
        const auto pixels = scene(static_cast<unsigned>(seed), image_height, image_width);
        inputs.front().insert(inputs.front().end(), pixels.begin(), pixels.end());
        sizes.insert(sizes.end(), {static_cast<float>(1 + seed), static_cast<float>(2 + seed)});
    }
    std::vector<std::vector<std::int64_t>> shapes{{images, 3, image_height, image_width}};
    if (session.inputs().size() > 1) {
        inputs.push_back(sizes);
        shapes.push_back({images, 2});
    }
    return session.run(inputs, shapes);
}

std::string rewritten_for(onnx::ModelProto model, const recognise_options& said, const pad_options& pad)
{
    (void)rewrite(model, {said, pad});
    return model.SerializeAsString();
}

// The outputs of images, one after the other, with the first `rows` of each.
tensor stacked(const std::vector<const tensor*>& images, const tensor& like, std::int64_t rows)
{
    tensor all{like.type, like.shape, {}};
    all.shape.front() = static_cast<std::int64_t>(images.size());
    const bool padded = rows >= 0 && like.shape.size() > 1 && like.shape[1] > 1;
    for (const auto* image : images) {
        const auto most =
            padded ? image->bytes.size() / static_cast<std::size_t>(like.shape[1]) * static_cast<std::size_t>(rows)
                   : image->bytes.size();
        all.bytes.insert(all.bytes.end(), image->bytes.begin(),
                         image->bytes.begin() + static_cast<std::ptrdiff_t>(most));
    }
    if (padded) {
        all.shape[1] = rows;
    }
    return all;
}

// A model of any number of images gives what a model of one gives for each; `of_batch` says whether it cuts to the
// largest count.
void check_image_by_image(model_session& one, model_session& any, bool of_batch)
{
    std::vector<named_outputs> known;
    for (std::size_t seed = 0; seed < scenes_known; ++seed) {
        known.push_back(run_images(one, {seed}));
    }
    REQUIRE(any.outputs() == one.outputs());
    const std::vector<std::vector<std::size_t>> batches{{}, {4}, {0, 1}, {5, 0, 3}, {1, 2, 3, 4}, {2, 0, 5, 1, 4}};
    for (const auto& scenes : batches) {
        CAPTURE(scenes.size());
        const auto outputs = run_images(any, scenes);
        std::int64_t largest = of_batch ? 0 : -1;
        for (const auto seed : scenes) {
            if (of_batch) {
                REQUIRE(known[seed].count("num_detections") == 1);
                largest = std::max(largest, static_cast<std::int64_t>(padbatch::test::detail::number_at(
                                                known[seed].at("num_detections"), 0)));
            }
        }
        for (const auto& name : one.outputs()) {
            CAPTURE(name);
            std::vector<const tensor*> images;
            for (const auto seed : scenes) {
                images.push_back(&known[seed].at(name));
            }
            const auto expected = stacked(images, known.front().at(name), largest);
            const auto& got = outputs.at(name);
            CHECK(got.type == expected.type);
            CHECK(got.shape == expected.shape);
            CHECK((got.bytes == expected.bytes));
        }
    }
}

std::vector<flat_variant> chosen_variants(const one_image_export& e)
{
    std::vector<flat_variant> all;
    const auto add = [&](const std::string& name, const auto& change) {
        pad_options pad;
        pad.max_detections = e.most;
        change(pad);
        all.push_back({name, pad});
    };
    add("all rows", [](pad_options&) {});
    add("three rows, padded with others, classes", [](pad_options& o) {
        o.max_detections = 3;
        o.classes = class_choice{{0, 2}, false};
        o.pad_values = {{field::boxes, -1.5}, {field::labels, -1}};
    });
    add("scores, ultralytics", [](pad_options& o) {
        o.min_score = 0.4;
        o.layout = output_layout::ultralytics;
    });
    if (e.pixels) {
        add("tf-od", [](pad_options& o) { o.layout = output_layout::tf_od; });
    }
    return all;
}

} // namespace

TEST_CASE("a list of one image's rows, or its padded rows, run for any number of images")
{
    for (const auto& e : one_image_exports()) {
        CAPTURE(e.file);
        const auto model = load_for_one_image(e.file);
        for (auto& variant : chosen_variants(e)) {
            CAPTURE(variant.name);
            model_session one(rewritten_for(model, e.said, variant.options), ORT_ENABLE_ALL);
            variant.options.dynamic_batch = true;
            model_session any(rewritten_for(model, e.said, variant.options), ORT_ENABLE_ALL);
            check_image_by_image(one, any, false);
        }
    }
}

TEST_CASE("a Loop over padded rows cuts to the largest count, where the model shows how many an image can have")
{
    for (const std::string file : {"padded/yolov10_b1_op11", "padded/counted_any_op17"}) {
        CAPTURE(file);
        const auto model = load_for_one_image(file);
        pad_options pad;
        pad.min_score = 0.4;
        model_session one(rewritten_for(model, {}, pad), ORT_ENABLE_ALL);
        pad.dynamic_batch = true;
        pad.max_detections = largest_of_batch{};
        model_session any(rewritten_for(model, {}, pad), ORT_ENABLE_ALL);
        check_image_by_image(one, any, true);
    }
}

namespace {

// A model of one image whose rows, [n, 7] with an image each, are an input that all images share.
onnx::ModelProto list_of_images(const std::string& type, int number, int opset)
{
    return parse_model("<ir_version: 7, opset_import: [\"\" : " + std::to_string(opset) +
                       "]> g (float[1,3,4,8] images, float[n,7] list) => (" + type +
                       "[n,7] rows) { rows = Cast<to = " + std::to_string(number) + ">(list) }");
}

recognise_options told_columns(const std::vector<flat_column>& columns)
{
    recognise_options said;
    said.from = export_kind::flat;
    said.columns = columns;
    return said;
}

pad_options of_any_batch(std::int64_t rows)
{
    pad_options pad;
    pad.max_detections = rows;
    pad.dynamic_batch = true;
    return pad;
}

} // namespace

TEST_CASE("rows of other images than the one that a model takes are dropped, and equal scores stay in order")
{
    std::vector<flat_row> rows;
    std::vector<float> list;
    for (int i = 0; i < 9; ++i) {
        const flat_row row{i == 2   ? 1.0
                           : i == 5 ? -1.0
                                    : 0.0,
                           {1.0 * i, 2, 3, 4},
                           1.0 * i,
                           i < 6 ? 0.5 : 0.25 * (i - 5)};
        rows.push_back(row);
        for (const double value : {row.image, row.label, row.score, row.corners[0], 2.0, 3.0, 4.0}) {
            list.push_back(static_cast<float>(value));
        }
    }
    using enum flat_column;
    const auto said = told_columns({batch, label, score, x1, y1, x2, y2});
    const std::vector<std::pair<std::string, int>> types{
        {"float", onnx_number::float32}, {"float16", onnx_number::float16}, {"double", onnx_number::float64}};
    int opset = 11;
    for (const auto& [type, number] : types) {
        CAPTURE(opset);
        for (const std::int64_t most : {4, 12}) {
            model_session session(rewritten_for(list_of_images(type, number, opset), said, of_any_batch(most)),
                                  ORT_ENABLE_ALL);
            for (const std::size_t images : {0U, 1U, 3U}) {
                std::vector<flat_row> expected;
                for (std::size_t image = 0; image < images; ++image) {
                    for (auto row : rows) {
                        if (row.image == 0) {
                            row.image = static_cast<double>(image);
                            expected.push_back(row);
                        }
                    }
                }
                std::vector<std::vector<float>> inputs{std::vector<float>(images * 96), list};
                auto pad = of_any_batch(most);
                pad.dynamic_batch = false;
                check_outputs(plain_flat_outputs(expected, images, number, number, 4, 8, pad, most), session,
                              session.run(inputs, {{static_cast<std::int64_t>(images), 3, 4, 8}, {9, 7}}));
            }
        }
        opset += 3;
    }
}

TEST_CASE("a model that reads the first image's scale for all, whatever it declares, runs image by image")
{
    const std::string file = "lists/paddle_rcnn_pt113_b1_op13";
    auto pad = of_any_batch(12);
    pad.dynamic_batch = false;
    model_session one(rewritten_for(load_for_one_image(file), {}, pad), ORT_ENABLE_ALL);
    auto open = load_for_one_image(file);
    for (auto& input : *open.mutable_graph()->mutable_input()) {
        input.mutable_type()->mutable_tensor_type()->mutable_shape()->mutable_dim(0)->clear_dim_value();
    }
    check_failure(failure::refused, {"for all images", "add `dynamic_batch`"},
                  [&] { (void)rewritten_for(open, {}, pad); });
    pad.dynamic_batch = true;
    check_failure(failure::refused, {"`per_image_input` scale_factor"}, [&] { (void)rewritten_for(open, {}, pad); });
    recognise_options said;
    said.per_image_inputs = {"scale_factor"};
    model_session any(rewritten_for(open, said, pad), ORT_ENABLE_ALL);
    check_image_by_image(one, any, false);
}

TEST_CASE("padded rows of one image that end at a score of 0 run for any number of images")
{
    // Rows of two images: the first ends at its second row.
    const std::vector<float> rows{1, 2, 3, 4, 0.75F, 5, 1, 2, 3, 4, 0,    -1, 5, 6, 7, 8, 0.5F, 7,
                                  1, 2, 3, 4, 0.25F, 8, 5, 6, 7, 8, 0.5F, 9,  1, 2, 3, 4, 0.5F, 9};
    const std::vector<flat_row> expected{
        {0, {1, 2, 3, 4}, 5, 0.75}, {1, {5, 6, 7, 8}, 9, 0.5}, {1, {1, 2, 3, 4}, 9, 0.5}, {1, {1, 2, 3, 4}, 8, 0.25}};
    const auto model = parse_model("<ir_version: 7, opset_import: [\"\" : 13]> g (float[1,3,4,8] images, float[1,3,6] "
                                   "list) => (float[1,3,6] rows) { rows = Identity(list) }");
    recognise_options said;
    said.from = export_kind::padded;
    using enum flat_column;
    said.columns = {x1, y1, x2, y2, score, label};
    auto pad = of_any_batch(3);
    pad.max_detections = model_limit{};
    said.per_image_inputs = {"list"};
    model_session session(rewritten_for(model, said, pad), ORT_ENABLE_ALL);
    std::vector<std::vector<float>> inputs{std::vector<float>(192), rows};
    pad.dynamic_batch = false;
    check_outputs(plain_flat_outputs(expected, 2, onnx_number::float32, onnx_number::float32, 4, 8, pad, 3), session,
                  session.run(inputs, {{2, 3, 4, 8}, {2, 3, 6}}));
}

TEST_CASE("lists of one image that are longer than its boxes fail when the Loop runs")
{
    const auto model = parse_model(
        "<ir_version: 7, opset_import: [\"\" : 13]> g (float[1,3,4,8] images, float[n,4] b, float[m] s, int64[n] l, "
        "float[k] c) => (float[n,4] boxes, float[m] scores, int64[n] labels, int32[k] counts) { boxes = Identity(b) "
        "scores = Identity(s) labels = Identity(l) counts = Cast<to = 6>(c) }");
    recognise_options said;
    said.from = export_kind::flat;
    said.count_output = "counts";
    model_session session(rewritten_for(model, said, of_any_batch(3)), ORT_ENABLE_ALL, "", ORT_LOGGING_LEVEL_FATAL);
    const auto run = [&](std::size_t scores, std::size_t labels, float count) {
        std::vector<std::vector<float>> inputs{std::vector<float>(192),
                                               std::vector<float>(8),
                                               std::vector<float>(scores, 0.5F),
                                               std::vector<float>(labels, 3),
                                               {count}};
        return session.run(
            inputs,
            {{2, 3, 4, 8}, {2, 4}, {static_cast<std::int64_t>(scores)}, {static_cast<std::int64_t>(labels)}, {1}});
    };
    CHECK_NOTHROW(run(2, 2, 2));
    CHECK_THROWS_AS(run(3, 2, 2), Ort::Exception);
    CHECK_THROWS_AS(run(2, 1, 2), Ort::Exception);
    CHECK_THROWS_AS(run(2, 2, 1), Ort::Exception);
}

TEST_CASE("inputs that do not have an entry for each image fail when the model runs")
{
    const auto model = load_for_one_image("lists/paddle_rcnn_pt113_b1_op13");
    for (const bool exposed : {false, true}) {
        auto pad = of_any_batch(12);
        if (exposed) {
            pad.exposed[run_option::max_detections].per_image = true;
        }
        for (const auto level : {ORT_DISABLE_ALL, ORT_ENABLE_ALL}) {
            model_session session(rewritten_for(model, {}, pad), level, "", ORT_LOGGING_LEVEL_FATAL);
            const auto run = [&](std::int64_t images, std::int64_t scales, std::int64_t choices) {
                std::vector<std::vector<float>> inputs{
                    std::vector<float>(static_cast<std::size_t>(images) * 3 * image_height * image_width),
                    std::vector<float>(static_cast<std::size_t>(scales) * 2, 1.0F)};
                std::map<std::string, tensor> named;
                if (exposed) {
                    named["max_detections"] = {
                        onnx_number::int32,
                        {choices, 1},
                        std::vector<char>(static_cast<std::size_t>(choices) * sizeof(std::int32_t))};
                }
                return session.run(inputs, {{images, 3, image_height, image_width}, {scales, 2}}, named);
            };
            CHECK_NOTHROW(run(2, 2, 2));
            CHECK_NOTHROW(run(0, 0, 0));
            CHECK_THROWS_AS(run(2, 3, 2), Ort::Exception);
            CHECK_THROWS_AS(run(2, 1, 2), Ort::Exception);
            CHECK_THROWS_AS(run(0, 1, 0), Ort::Exception);
            if (exposed) {
                CHECK_THROWS_AS(run(2, 2, 3), Ort::Exception);
                CHECK_THROWS_AS(run(2, 2, 1), Ort::Exception);
            }
        }
    }
}
