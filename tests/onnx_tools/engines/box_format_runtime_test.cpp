// SPDX-License-Identifier: Apache-2.0
// Boxes of every format that a user can name, in every form of outputs, become corners in pixels; and a layout that
// divides them gives fractions back.

#include <doctest/doctest.h>

#include <onnx_tools/recognise/box_format.hpp>
#include <onnx_tools/rewrite.hpp>
#include <tests/support/parse_model.hpp>
#include <tests/support/plain_flat.hpp>
#include <tests/support/runtime.hpp>

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

using namespace padbatch;
using namespace padbatch::onnx_tools;
using namespace padbatch::test;

namespace {

// A graph that passes on what a test makes up.
struct passed_form {
    std::string name;
    std::string graph; // IMAGES stands for the shape of the images, but for their number
    recognise_options said;
    bool one_image = false;
    // The other inputs, for these boxes of `images` images, two of each.
    std::vector<std::vector<float>> (*inputs)(const std::vector<float>& boxes, std::int64_t images) = nullptr;
    std::vector<std::vector<std::int64_t>> (*shapes)(std::int64_t images) = nullptr;
};

// Two rows of each image, the better one first: labels 5, 6, scores 0.75, 0.5.
std::vector<float> labels_of(std::int64_t images)
{
    std::vector<float> labels;
    for (std::int64_t image = 0; image < images; ++image) {
        labels.insert(labels.end(), {5, 6});
    }
    return labels;
}

std::vector<float> scores_of(std::int64_t images)
{
    std::vector<float> scores;
    for (std::int64_t image = 0; image < images; ++image) {
        scores.insert(scores.end(), {0.75F, 0.5F});
    }
    return scores;
}

std::vector<float> images_of(std::int64_t images)
{
    std::vector<float> whose;
    for (std::int64_t image = 0; image < images; ++image) {
        whose.insert(whose.end(), {static_cast<float>(image), static_cast<float>(image)});
    }
    return whose;
}

std::vector<std::vector<float>> three_lists(const std::vector<float>& boxes, std::int64_t images)
{
    return {boxes, scores_of(images), labels_of(images)};
}

// label, box, score
std::vector<std::vector<float>> one_list(const std::vector<float>& boxes, std::int64_t images)
{
    std::vector<float> rows;
    for (std::size_t i = 0; i < static_cast<std::size_t>(2 * images); ++i) {
        rows.insert(rows.end(), {static_cast<float>(5 + i % 2), boxes[4 * i], boxes[4 * i + 1], boxes[4 * i + 2],
                                 boxes[4 * i + 3], i % 2 == 0 ? 0.75F : 0.5F});
    }
    return {rows};
}

std::vector<std::vector<std::int64_t>> shapes_of_one(std::int64_t images)
{
    return {{2 * images, 6}};
}

std::vector<std::vector<std::int64_t>> shapes_of_three(std::int64_t images)
{
    return {{2 * images, 4}, {2 * images}, {2 * images}};
}

std::vector<std::vector<float>> four_lists(const std::vector<float>& boxes, std::int64_t images)
{
    return {boxes, scores_of(images), labels_of(images), images_of(images)};
}

std::vector<std::vector<std::int64_t>> shapes_of_four(std::int64_t images)
{
    return {{2 * images, 4}, {2 * images}, {2 * images}, {2 * images}};
}

std::vector<std::vector<float>> lists_and_counts(const std::vector<float>& boxes, std::int64_t images)
{
    return {boxes, scores_of(images), labels_of(images), std::vector<float>(static_cast<std::size_t>(images), 2)};
}

std::vector<std::vector<std::int64_t>> shapes_with_counts(std::int64_t images)
{
    return {{2 * images, 4}, {2 * images}, {2 * images}, {images}};
}

// image, label, score, box
std::vector<std::vector<float>> detection_output(const std::vector<float>& boxes, std::int64_t images)
{
    std::vector<float> rows;
    for (std::size_t i = 0; i < static_cast<std::size_t>(2 * images); ++i) {
        rows.insert(rows.end(), {static_cast<float>(i / 2), static_cast<float>(5 + i % 2), i % 2 == 0 ? 0.75F : 0.5F,
                                 boxes[4 * i], boxes[4 * i + 1], boxes[4 * i + 2], boxes[4 * i + 3]});
    }
    rows.insert(rows.end(), {-1, 0, 0, 0, 0, 0, 0});
    return {rows};
}

std::vector<std::vector<std::int64_t>> shapes_of_detection_output(std::int64_t images)
{
    return {{2 * images + 1, 7}};
}

// Each image has two boxes and seven classes; box 0 is of class 5, and box 1 of class 6.
std::vector<std::vector<float>> selection(const std::vector<float>& boxes, std::int64_t images)
{
    std::vector<float> selected;
    std::vector<float> scores;
    for (std::int64_t image = 0; image < images; ++image) {
        const auto i = static_cast<float>(image);
        selected.insert(selected.end(), {i, 5, 0, i, 6, 1});
        std::vector<float> own(14);
        own[10] = 0.75F;
        own[13] = 0.5F;
        scores.insert(scores.end(), own.begin(), own.end());
    }
    return {boxes, scores, selected};
}

std::vector<std::vector<std::int64_t>> shapes_of_selection(std::int64_t images)
{
    return {{images, 2, 4}, {images, 7, 2}, {2 * images, 3}};
}

std::vector<passed_form> all_passed_forms()
{
    const auto from = [](export_kind kind) {
        recognise_options said;
        said.from = kind;
        return said;
    };
    auto index = from(export_kind::flat);
    index.batch_index = "whose";
    auto counts = from(export_kind::flat);
    counts.count_output = "counts";
    auto told = from(export_kind::fields);
    told.columns = {flat_column::label, flat_column::x1, flat_column::y1,
                    flat_column::x2,    flat_column::y2, flat_column::score};
    const std::string three = "float[n,4] b, float[n] s, int64[n] l";
    const std::string lists = "boxes = Identity(b) scores = Identity(s) labels = Identity(l) ";
    const std::string joined = "sc = Unsqueeze(s, one) lf = Cast<to = 1>(l) lc = Unsqueeze(lf, one) ";
    const std::string one = "one = Constant<value = int64[1] {1}>() zero = Constant<value = int64[1] {0}>() ";
    return {
        {"fields", three + ") => (float[n,4] boxes, int64[n] labels, float[n] scores) { " + lists,
         from(export_kind::fields), true, three_lists, shapes_of_three},
        {"boxes and scores joined, with a 1 in front",
         three + ") => (float[1,n,5] dets, int64[1,n] labels) { " + one + joined +
             "j = Concat<axis = 1>(b, sc) dets = Unsqueeze(j, zero) labels = Unsqueeze(l, zero) ",
         from(export_kind::fields), true, three_lists, shapes_of_three},
        {"all joined", three + ") => (float[n,6] dets) { " + one + joined + "dets = Concat<axis = 1>(b, sc, lc) ",
         from(export_kind::fields), true, three_lists, shapes_of_three},
        {"joined in an order that is told", "float[n,6] d) => (float[n,6] dets) { dets = Identity(d) ", told, true,
         one_list, shapes_of_one},
        {"lists",
         three + ", int64[n] i) => (float[n,4] boxes, float[n] scores, int64[n] labels, int64[n] whose) { " + lists +
             "whose = Identity(i) ",
         index, false, four_lists, shapes_of_four},
        {"rows with columns",
         three + ", int64[n] i) => (float[n,6] rows, int64[n] whose) { " + one + joined +
             "rows = Concat<axis = 1>(b, sc, lc) whose = Identity(i) ",
         index, false, four_lists, shapes_of_four},
        {"lists with counts",
         three + ", int64[c] i) => (float[n,4] boxes, float[n] scores, int64[n] labels, int64[c] counts) { " + lists +
             "counts = Identity(i) ",
         counts, false, lists_and_counts, shapes_with_counts},
        {"DetectionOutput",
         "float[n,7] d) => (float[1,1,n,7] out) { axes = Constant<value = int64[2] {0, 1}>() out = Unsqueeze(d, axes) ",
         from(export_kind::flat), false, detection_output, shapes_of_detection_output},
        {"selection",
         "float[B,k,4] b, float[B,7,k] s, int64[n,3] i) => (float[B,k,4] boxes, float[B,7,k] scores, int64[n,3] "
         "selected) { boxes = Identity(b) scores = Identity(s) selected = Identity(i) ",
         from(export_kind::nms), false, selection, shapes_of_selection}};
}

onnx::ModelProto model_of(const passed_form& form, bool one_image, const std::string& images)
{
    return parse_model("<ir_version: 7, opset_import: [\"\" : 13]> g (float[" + std::string(one_image ? "1" : "B") +
                       "," + images + "] images, " + form.graph + "}");
}

// Exact in binary: of images of 8 x 4 pixels, in the order of the formats.
const std::array<std::array<float, 4>, 4> of_format{
    {{0.25F, 0.5F, 0.75F, 1.0F}, {0.25F, 0.5F, 0.5F, 0.5F}, {0.5F, 0.75F, 0.5F, 0.5F}, {0.5F, 0.25F, 1.0F, 0.75F}}};
const std::array<box_format, 4> formats{box_format::xyxy, box_format::xywh, box_format::cxcywh, box_format::yxyx};

// The second box of each image is the first, moved by 1 in each place where a format has it; and each image's are
// scaled by a power of 2.
std::vector<float> made_boxes(std::size_t format, std::int64_t images)
{
    std::vector<float> boxes;
    for (std::int64_t image = 0; image < images; ++image) {
        const auto scale = static_cast<float>(1 << image);
        for (const float moved : {0.0F, 1.0F}) {
            for (std::size_t i = 0; i < 4; ++i) {
                const bool place =
                    i < 2 || formats.at(format) == box_format::xyxy || formats.at(format) == box_format::yxyx;
                boxes.push_back(scale * (of_format.at(format).at(i) + (place ? moved : 0)));
            }
        }
    }
    return boxes;
}

std::vector<flat_row> expected_rows(std::int64_t images, bool fractions)
{
    std::vector<flat_row> rows;
    const double across = fractions ? 8 : 1;
    const double down = fractions ? 4 : 1;
    for (std::int64_t image = 0; image < images; ++image) {
        const double scale = 1 << image;
        for (const double moved : {0.0, 1.0}) {
            rows.push_back({static_cast<double>(image),
                            {scale * across * (0.25 + moved), scale * down * (0.5 + moved),
                             scale * across * (0.75 + moved), scale * down * (1 + moved)},
                            5 + moved,
                            0.75 - moved / 4});
        }
    }
    return rows;
}

pad_options three_rows(output_layout layout)
{
    pad_options pad;
    pad.max_detections = std::int64_t{3};
    pad.layout = layout;
    return pad;
}

} // namespace

TEST_CASE("boxes of every format become corners in pixels, whatever the form of the outputs")
{
    for (const auto& form : all_passed_forms()) {
        CAPTURE(form.name);
        for (std::size_t format = 0; format < formats.size(); ++format) {
            CAPTURE(name_of(formats.at(format)));
            for (const bool fractions : {false, true}) {
                for (const bool last : {false, true}) {
                    for (const auto layout : {output_layout::torchvision, output_layout::tf_od}) {
                        if ((last && !fractions) || (layout == output_layout::tf_od && !fractions)) {
                            continue; // channels do not matter, or nothing shows that these are pixels
                        }
                        auto said = form.said;
                        said.boxes = formats.at(format);
                        said.normalised = fractions;
                        const std::int64_t images = form.one_image ? 1 : 3;
                        auto model = model_of(form, form.one_image, last ? "4,8,3" : "3,4,8");
                        const auto pad = three_rows(layout);
                        (void)rewrite(model, {said, pad});
                        model_session session(model.SerializeAsString(), ORT_ENABLE_ALL);
                        auto inputs = form.inputs(made_boxes(format, images), images);
                        auto shapes = form.shapes(images);
                        inputs.insert(inputs.begin(), std::vector<float>(static_cast<std::size_t>(images) * 96));
                        shapes.insert(shapes.begin(), last ? std::vector<std::int64_t>{images, 4, 8, 3}
                                                           : std::vector<std::int64_t>{images, 3, 4, 8});
                        check_outputs(plain_flat_outputs(expected_rows(images, fractions),
                                                         static_cast<std::size_t>(images), onnx_number::float32,
                                                         onnx_number::float32, 4, 8, pad, 3),
                                      session, session.run(inputs, shapes));
                    }
                }
            }
        }
    }
}

TEST_CASE("boxes of every format become corners in a Loop over images too")
{
    for (const auto& form : all_passed_forms()) {
        if (form.name == "selection") {
            continue; // each image has boxes of its own here, but the selection is shared
        }
        CAPTURE(form.name);
        for (std::size_t format = 0; format < formats.size(); ++format) {
            auto said = form.said;
            said.boxes = formats.at(format);
            said.normalised = true;
            said.shared_inputs = {form.graph.find("] d)") != std::string::npos ? "d" : "b"};
            auto model = model_of(form, true, "3,4,8");
            auto pad = three_rows(output_layout::tf_od);
            pad.dynamic_batch = true;
            (void)rewrite(model, {said, pad});
            model_session session(model.SerializeAsString(), ORT_ENABLE_ALL);
            auto inputs = form.inputs(made_boxes(format, 1), 1);
            auto shapes = form.shapes(1);
            std::vector<flat_row> rows;
            for (int image = 0; image < 2; ++image) {
                for (auto row : expected_rows(1, true)) {
                    row.image = image;
                    rows.push_back(row);
                }
            }
            inputs.insert(inputs.begin(), std::vector<float>(192));
            shapes.insert(shapes.begin(), {2, 3, 4, 8});
            check_outputs(plain_flat_outputs(rows, 2, onnx_number::float32, onnx_number::float32, 4, 8,
                                             three_rows(output_layout::tf_od), 3),
                          session, session.run(inputs, shapes));
        }
    }
}

TEST_CASE("fractions that belong to images of several sizes are multiplied by the size of their own")
{
    auto model = parse_model(
        "<ir_version: 7, opset_import: [\"\" : 13]> g (float[3,4,8] first, float[3,H,W] second, float[n,4] b, float[n] "
        "s, float[m,4] c, float[m] t) => (float[n,4] boxes_0, float[n] scores_0, float[m,4] boxes_1, float[m] "
        "scores_1) { boxes_0 = Identity(b) scores_0 = Identity(s) boxes_1 = Identity(c) scores_1 = Identity(t) }");
    recognise_options said;
    said.normalised = true;
    pad_options pad;
    pad.max_detections = std::int64_t{1};
    (void)rewrite(model, {said, pad});
    model_session session(model.SerializeAsString(), ORT_ENABLE_ALL);
    const std::vector<float> box{0.25F, 0.5F, 0.75F, 1.0F};
    std::vector<std::vector<float>> inputs{
        std::vector<float>(96), std::vector<float>(3UL * 16 * 4), box, {0.5F}, box, {0.5F}};
    const auto outputs = session.run(inputs, {{3, 4, 8}, {3, 16, 4}, {1, 4}, {1}, {1, 4}, {1}});
    const auto& boxes = outputs.at("boxes");
    const std::vector<double> expected{2, 2, 6, 4, 1, 8, 3, 16};
    for (std::size_t i = 0; i < expected.size(); ++i) {
        CHECK(padbatch::test::detail::number_at(boxes, i) == expected[i]);
    }
}

TEST_CASE("a layout that divides gives back the fractions that boxes were, but for the rounding of two operations")
{
    // Sizes that are no powers of 2. Each operation rounds by 2^-24 of its result at most.
    const std::vector<float> box{0.1F, 0.7F, 0.3F, 0.9F};
    for (const auto& form : all_passed_forms()) {
        if (form.name != "fields" && form.name != "lists") {
            continue;
        }
        auto said = form.said;
        said.normalised = true;
        auto model = model_of(form, form.one_image, "3,7,13");
        (void)rewrite(model, {said, three_rows(output_layout::tf_od)});
        model_session session(model.SerializeAsString(), ORT_ENABLE_ALL);
        std::vector<float> boxes = box;
        boxes.insert(boxes.end(), box.begin(), box.end());
        auto inputs = form.inputs(boxes, 1);
        auto shapes = form.shapes(1);
        inputs.insert(inputs.begin(), std::vector<float>(273));
        shapes.insert(shapes.begin(), {1, 3, 7, 13});
        const auto outputs = session.run(inputs, shapes);
        for (std::size_t i = 0; i < 4; ++i) {
            const double fraction = box[i % 2 == 0 ? i + 1 : i - 1]; // y comes first
            const double got = padbatch::test::detail::number_at(outputs.at("detection_boxes"), i);
            CHECK(std::abs(got - fraction) <= fraction * std::ldexp(1.0, -23));
        }
    }
}
