// SPDX-License-Identifier: Apache-2.0
// Runs exports that pad their rows themselves, and the models that were made from them, and requires the bytes that
// plain loops make of the exports' outputs: the real rows of each image, sorted, cut, padded.

#include <doctest/doctest.h>

#include <onnx_tools/files/model_io.hpp>
#include <onnx_tools/model/check.hpp>
#include <onnx_tools/plan/options.hpp>
#include <onnx_tools/recognise/recognise.hpp>
#include <onnx_tools/rewrite.hpp>
#include <tests/support/parse_model.hpp>
#include <tests/support/plain_flat.hpp>
#include <tests/support/runtime.hpp>
#include <tests/support/scenes.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <iterator>
#include <limits>
#include <map>
#include <string>
#include <utility>
#include <vector>

using namespace padbatch;
using namespace padbatch::onnx_tools;
using namespace padbatch::test;

namespace {

constexpr int height_of_images = 64;
constexpr int width_of_images = 80;
constexpr int of_floats = onnx_number::float32;

using outputs_by_name = std::map<std::string, tensor>;

double number_in(const tensor& t, std::size_t i)
{
    return padbatch::test::detail::number_at(t, i);
}

// What a user has to say, how many rows an image has, and which rows of the outputs are real.
struct padded_export {
    std::string file;
    recognise_options said;
    std::int64_t most = 0;
    std::function<std::vector<flat_row>(const outputs_by_name&, std::size_t image)> rows;
    bool all_real = false;
    int labels = onnx_number::int64;
    std::size_t only_batch = 0; // 0: any
    bool pixels = false;
};

// Rows x1, y1, x2, y2, score, label of [B, M, 6].
std::vector<flat_row> rows_of_six(const tensor& t, std::size_t image)
{
    std::vector<flat_row> rows;
    const auto most = static_cast<std::size_t>(t.shape.at(1));
    for (std::size_t r = 0; r < most; ++r) {
        const auto at = [&](std::size_t c) { return number_in(t, (image * most + r) * 6 + c); };
        rows.push_back({static_cast<double>(image), {at(0), at(1), at(2), at(3)}, at(5), at(4)});
    }
    return rows;
}

// The same of [B, M, width], whose first columns are the box, and of [B, M] with scores and labels.
std::vector<flat_row> rows_of_parts(const tensor& boxes, const std::function<double(std::size_t)>& score,
                                    const tensor& labels, std::size_t image)
{
    std::vector<flat_row> rows;
    const auto most = static_cast<std::size_t>(boxes.shape.at(1));
    const auto width = static_cast<std::size_t>(boxes.shape.at(2));
    for (std::size_t r = 0; r < most; ++r) {
        const auto i = image * most + r;
        const auto at = [&](std::size_t c) { return number_in(boxes, i * width + c); };
        rows.push_back({static_cast<double>(image), {at(0), at(1), at(2), at(3)}, number_in(labels, i), score(i)});
    }
    return rows;
}

std::vector<flat_row> before_end(std::vector<flat_row> rows, const std::function<bool(const flat_row&)>& is_end)
{
    std::vector<flat_row> real;
    for (const auto& row : rows) {
        if (is_end(row)) {
            break;
        }
        real.push_back(row);
    }
    return real;
}

std::vector<flat_row> of_ultralytics(const outputs_by_name& outputs, std::size_t image)
{
    return before_end(rows_of_six(outputs.at("output0"), image), [](const flat_row& row) { return row.score == 0; });
}

std::vector<flat_row> of_yolov10(const outputs_by_name& outputs, std::size_t image)
{
    return rows_of_six(outputs.at("output0"), image);
}

std::vector<flat_row> of_mmdeploy(const outputs_by_name& outputs, std::size_t image)
{
    const auto& dets = outputs.at("dets");
    return before_end(rows_of_parts(
                          dets, [&](std::size_t i) { return number_in(dets, i * 5 + 4); }, outputs.at("labels"), image),
                      [](const flat_row& row) { return row.label == -1; });
}

std::vector<flat_row> of_rtdetr(const outputs_by_name& outputs, std::size_t image)
{
    const auto& scores = outputs.at("scores");
    return rows_of_parts(
        outputs.at("boxes"), [&](std::size_t i) { return number_in(scores, i); }, outputs.at("labels"), image);
}

std::vector<flat_row> of_counted(const outputs_by_name& outputs, std::size_t image)
{
    const auto& scores = outputs.at("det_scores");
    auto rows = rows_of_parts(
        outputs.at("det_boxes"), [&](std::size_t i) { return number_in(scores, i); }, outputs.at("det_classes"), image);
    rows.resize(static_cast<std::size_t>(number_in(outputs.at("num_dets"), image)));
    return rows;
}

// Centers and sizes in fractions of the image.
std::vector<flat_row> of_detr(const outputs_by_name& outputs, std::size_t image)
{
    const auto& scores = outputs.at("scores");
    auto rows = rows_of_parts(
        outputs.at("pred_boxes"), [&](std::size_t i) { return number_in(scores, i); }, outputs.at("pred_labels"),
        image);
    for (auto& row : rows) {
        row.corners = corners_of(row.corners[0], row.corners[1], row.corners[2], row.corners[3], of_floats);
        for (std::size_t c = 0; c < 4; ++c) {
            row.corners.at(c) = padbatch::test::detail::rounded(
                of_floats, row.corners.at(c) * (c % 2 == 0 ? width_of_images : height_of_images));
        }
    }
    return rows;
}

std::vector<padded_export> all_padded_exports()
{
    recognise_options fractions;
    fractions.from = export_kind::padded;
    fractions.boxes = box_format::cxcywh;
    fractions.normalised = true;
    return {{"ultralytics_nms_b2_op12", {}, 12, of_ultralytics, false, onnx_number::int64, 2, true},
            {"yolov10_any_op13", {}, 20, of_yolov10, true},
            {"yolov10_b1_op11", {}, 20, of_yolov10, true, onnx_number::int64, 1},
            {"rtdetr_any_op16", {}, 16, of_rtdetr, true},
            {"mmdeploy_any_op11", {}, 10, of_mmdeploy},
            {"counted_any_op17", {}, 10, of_counted, false, onnx_number::int32},
            {"detr_any_op14", fractions, 160, of_detr, true, onnx_number::int64, 0, true}};
}

onnx::ModelProto load_padded(const padded_export& e)
{
    return load_model((std::filesystem::path(PADBATCH_TESTS_DATA) / "padded" / (e.file + ".onnx")).string());
}

struct padded_run {
    std::vector<std::vector<float>> inputs;
    std::vector<std::vector<std::int64_t>> shapes;
    std::size_t batch = 0;
    std::vector<flat_row> rows;
};

std::vector<padded_run> run_padded(const padded_export& e, const onnx::ModelProto& model, GraphOptimizationLevel level)
{
    model_session session(model.SerializeAsString(), level);
    const std::vector<std::vector<unsigned>> batches =
        e.only_batch == 1   ? std::vector<std::vector<unsigned>>{{1}, {0}}
        : e.only_batch == 2 ? std::vector<std::vector<unsigned>>{{1, 0}, {2, 3}}
                            : std::vector<std::vector<unsigned>>{{}, {1}, {0}, {2, 0}, {3, 4, 5}, {0, 6, 7, 0, 8}};
    std::vector<padded_run> runs;
    for (const auto& seeds : batches) {
        padded_run run;
        run.batch = seeds.size();
        run.inputs.emplace_back();
        std::vector<float> sizes;
        for (const unsigned seed : seeds) {
            const auto pixels = scene(seed, height_of_images, width_of_images);
            run.inputs.front().insert(run.inputs.front().end(), pixels.begin(), pixels.end());
            sizes.insert(sizes.end(), {2.0F * width_of_images, 3.0F * height_of_images});
        }
        const auto images = static_cast<std::int64_t>(run.batch);
        run.shapes = {{images, 3, height_of_images, width_of_images}};
        if (session.input_shapes().size() == 2) {
            run.inputs.push_back(sizes);
            run.shapes.push_back({images, 2});
        }
        const auto outputs = session.run(run.inputs, run.shapes);
        for (std::size_t image = 0; image < run.batch; ++image) {
            const auto rows = e.rows(outputs, image);
            run.rows.insert(run.rows.end(), rows.begin(), rows.end());
        }
        runs.push_back(std::move(run));
    }
    return runs;
}

// A handful of all options; the list of rows that they are applied to is tested with every one.
std::vector<flat_variant> some_variants(const padded_export& e, double score)
{
    std::vector<flat_variant> all{{"as it is", {}}};
    for (auto& variant : flat_variants(e.most, score)) {
        const bool wanted = variant.name == "more rows" || variant.name == "three rows, padded with others" ||
                            variant.name == "batch" || variant.name == "scores, batch" ||
                            variant.name == "layout efficientnms" || variant.name == "layout mmdeploy" ||
                            (variant.name == "layout tf-od" && e.pixels);
        if (wanted) {
            all.push_back(std::move(variant));
        }
    }
    pad_options few;
    few.max_detections = 4;
    few.classes = class_choice{{0, 2}, false};
    few.names[field::boxes] = "output0";
    few.count_name = "output1";
    all.push_back({"classes, renamed", few});
    return all;
}

// A score that some row has, while others have less. The images have few rows and many.
double middle_score_of(const padded_export& e, const std::vector<padded_run>& runs)
{
    std::vector<double> scores;
    std::size_t fullest = 0;
    std::size_t emptiest = std::numeric_limits<std::size_t>::max();
    for (const auto& run : runs) {
        std::vector<std::size_t> counts(run.batch);
        for (const auto& row : run.rows) {
            scores.push_back(row.score);
            ++counts.at(static_cast<std::size_t>(row.image));
        }
        for (const auto count : counts) {
            fullest = std::max(fullest, count);
            emptiest = std::min(emptiest, count);
        }
    }
    CHECK(fullest == static_cast<std::size_t>(e.most));
    CHECK(emptiest == (e.all_real ? fullest : 0));
    REQUIRE(!scores.empty());
    std::sort(scores.begin(), scores.end());
    return scores[scores.size() / 2];
}

std::string rewritten_bytes(onnx::ModelProto model, const recognise_options& said, const pad_options& options)
{
    (void)rewrite(model, {said, options});
    return model.SerializeAsString();
}

} // namespace

TEST_CASE("rows that are padded already are padded again, with the options of any rows")
{
    for (const auto& e : all_padded_exports()) {
        CAPTURE(e.file);
        const auto model = load_padded(e);
        for (const auto level : {ORT_DISABLE_ALL, ORT_ENABLE_ALL}) {
            CAPTURE(static_cast<int>(level));
            auto runs = run_padded(e, model, level);
            for (const auto& variant : some_variants(e, middle_score_of(e, runs))) {
                if (level == ORT_DISABLE_ALL || variant.name == "as it is") {
                    CAPTURE(variant.name);
                    model_session session(rewritten_bytes(model, e.said, variant.options), level);
                    for (auto& run : runs) {
                        CAPTURE(run.batch);
                        auto rows = run.rows;
                        if (variant.options.classes) {
                            rows.clear();
                            std::copy_if(run.rows.begin(), run.rows.end(), std::back_inserter(rows),
                                         [](const flat_row& row) { return row.label == 0 || row.label == 2; });
                        }
                        auto expected = plain_flat_outputs(rows, run.batch, of_floats, of_floats, height_of_images,
                                                           width_of_images, variant.options, e.most, e.labels);
                        if (variant.options.count_name) {
                            expected[0].first = *variant.options.count_name;
                            expected[1].first = variant.options.names.at(field::boxes);
                        }
                        check_outputs(expected, session, session.run(run.inputs, run.shapes));
                    }
                }
            }
        }
    }
}

namespace {

// A model that passes on rows made up by a test, [B, M, 6] and perhaps counts, which nothing is known of.
onnx::ModelProto passed_on(const std::string& type, int to, const std::string& more_inputs = "",
                           const std::string& more_outputs = "", const std::string& more_nodes = "", int opset = 13)
{
    return parse_model("<ir_version: 7, opset_import: [\"\" : " + std::to_string(opset) +
                       "]> g (float[B,3,4,8] images, float[B,M,6] list" + more_inputs + ") => (" + type +
                       "[B,M,6] rows" + more_outputs + ") { rows = Cast<to = " + std::to_string(to) + ">(list) " +
                       more_nodes + " }");
}

recognise_options told(const std::vector<flat_column>& columns)
{
    recognise_options said;
    said.from = export_kind::padded;
    said.columns = columns;
    return said;
}

pad_options pad_to(std::int64_t rows)
{
    pad_options options;
    options.max_detections = rows;
    return options;
}

const std::vector<flat_column> score_then_label{flat_column::x1, flat_column::y1,    flat_column::x2,
                                                flat_column::y2, flat_column::score, flat_column::label};

} // namespace

TEST_CASE("padded rows of every type, in every opset, end at the first score that is not above 0")
{
    // The second image has equal scores, a NaN, and rows behind the end; the third is full; the last has none.
    const double nan = std::numeric_limits<double>::quiet_NaN();
    const std::vector<std::vector<double>> scores{
        {0.5, 0.25, 0, 0.75}, {0.5, 0.5, nan, 0.5}, {1, 0.5, 0.5, 0.125}, {-1, 0.5, 0.5, 0.5}};
    std::vector<float> list;
    std::vector<flat_row> rows;
    for (std::size_t image = 0; image < scores.size(); ++image) {
        bool ended = false;
        for (std::size_t r = 0; r < 4; ++r) {
            const auto n = static_cast<double>(image * 4 + r);
            const flat_row row{static_cast<double>(image), {n, n + 1, n + 2, n + 3}, n, scores[image][r]};
            ended = ended || !(row.score > 0);
            for (const double value : {n, n + 1, n + 2, n + 3, row.score, n}) {
                list.push_back(static_cast<float>(value));
            }
            if (!ended) {
                rows.push_back(row);
            }
        }
    }
    std::vector<std::vector<float>> inputs{std::vector<float>(4UL * 3 * 4 * 8), list};
    const std::vector<std::vector<std::int64_t>> shapes{{4, 3, 4, 8}, {4, 4, 6}};
    const std::vector<std::pair<std::string, int>> types{
        {"float", onnx_number::float32}, {"float16", onnx_number::float16}, {"double", onnx_number::float64}};
    for (const auto& [type, number] : types) {
        for (const int opset : {11, 12, 13, 18, 21}) {
            CAPTURE(opset);
            model_session session(
                rewritten_bytes(passed_on(type, number, "", "", "", opset), told(score_then_label), pad_to(3)),
                ORT_ENABLE_ALL);
            check_outputs(plain_flat_outputs(rows, 4, number, number, 4, 8, pad_to(3), 4), session,
                          session.run(inputs, shapes));
        }
    }
    // No images, and images that have room for no rows.
    model_session session(rewritten_bytes(passed_on("float", 1), told(score_then_label), pad_to(3)), ORT_ENABLE_ALL);
    for (const std::size_t images : {0U, 2U}) {
        std::vector<std::vector<float>> none{std::vector<float>(images * 3 * 4 * 8), {}};
        const auto batch = static_cast<std::int64_t>(images);
        check_outputs(plain_flat_outputs({}, images, of_floats, of_floats, 4, 8, pad_to(3), 4), session,
                      session.run(none, {{batch, 3, 4, 8}, {batch, 0, 6}}));
    }
}

TEST_CASE("another number of images, rows or columns than the model is said to have fails when it runs")
{
    model_session session(rewritten_bytes(passed_on("float", 1), told(score_then_label), pad_to(3)), ORT_ENABLE_ALL);
    std::vector<std::vector<float>> inputs{std::vector<float>(2UL * 3 * 4 * 8), std::vector<float>(3UL * 4 * 6)};
    CHECK_THROWS_AS((void)session.run(inputs, {{2, 3, 4, 8}, {3, 4, 6}}), Ort::Exception);
    const auto open = parse_model("<ir_version: 7, opset_import: [\"\" : 13]> g (float[B,3,4,8] images, float[B,M,W] "
                                  "list) => (float[B,M,W] rows) { rows = Identity(list) }");
    model_session columns(rewritten_bytes(open, told(score_then_label), pad_to(3)), ORT_ENABLE_ALL);
    CHECK_NOTHROW((void)columns.run(inputs, {{2, 3, 4, 8}, {2, 6, 6}}));
    CHECK_THROWS_AS((void)columns.run(inputs, {{2, 3, 4, 8}, {2, 4, 9}}), Ort::Exception);
}

TEST_CASE("a count that the user names says how many rows are real, whatever their scores")
{
    std::vector<float> list;
    std::vector<flat_row> rows;
    const std::vector<std::size_t> counts{2, 0, 3};
    for (std::size_t image = 0; image < counts.size(); ++image) {
        for (std::size_t r = 0; r < 3; ++r) {
            const auto n = static_cast<double>(image * 3 + r);
            list.insert(list.end(),
                        {static_cast<float>(n), 1, 2, 3, static_cast<float>(1 - n / 8), static_cast<float>(n)});
            if (r < counts[image]) {
                rows.push_back({static_cast<double>(image), {n, 1, 2, 3}, n, 1 - n / 8});
            }
        }
    }
    for (const std::string shape : {"[B]", "[B,1]"}) {
        for (const auto& each : {std::pair<std::string, int>{"int32", 6}, {"int64", 7}, {"float", 1}}) {
            const std::string type = each.first;
            const int to = each.second;
            CAPTURE(type + shape);
            auto said = told(score_then_label);
            said.count_output = "counts";
            model_session session(
                rewritten_bytes(passed_on("float", 1, ", float" + shape + " n", ", " + type + shape + " counts",
                                          "counts = Cast<to = " + std::to_string(to) + ">(n)"),
                                said, pad_to(5)),
                ORT_ENABLE_ALL);
            std::vector<std::vector<float>> inputs{std::vector<float>(3UL * 3 * 4 * 8), list, {2, 0, 3}};
            const std::vector<std::int64_t> of_count =
                shape == "[B]" ? std::vector<std::int64_t>{3} : std::vector<std::int64_t>{3, 1};
            check_outputs(plain_flat_outputs(rows, 3, of_floats, of_floats, 4, 8, pad_to(5), 5), session,
                          session.run(inputs, {{3, 3, 4, 8}, {3, 3, 6}, of_count}));
        }
    }
}

TEST_CASE("boxes of every format become corners in pixels")
{
    // Exact in binary: 0.25, 0.5, ... of 8 x 4 pixels.
    const std::vector<std::pair<box_format, std::array<float, 4>>> formats{
        {box_format::xyxy, {0.25F, 0.5F, 0.75F, 1.0F}},
        {box_format::xywh, {0.25F, 0.5F, 0.5F, 0.5F}},
        {box_format::cxcywh, {0.5F, 0.75F, 0.5F, 0.5F}},
        {box_format::yxyx, {0.5F, 0.25F, 1.0F, 0.75F}}};
    const auto model =
        parse_model("<ir_version: 7, opset_import: [\"\" : 13]> g (float[B,3,4,8] images, float[B,M,4] p, float[B,M] "
                    "q, float[B,M] r) "
                    "=> (int32[B,M] classes, float[B,M,4] p_boxes, float[B,M] q_scores) { classes = Cast<to = 6>(r) "
                    "p_boxes = Identity(p) q_scores = Identity(q) }");
    const auto channels_last =
        parse_model("<ir_version: 7, opset_import: [\"\" : 13]> g (float[B,4,8,3] images, float[B,M,4] p, float[B,M] "
                    "q, float[B,M] r) "
                    "=> (int32[B,M] classes, float[B,M,4] p_boxes, float[B,M] q_scores) { classes = Cast<to = 6>(r) "
                    "p_boxes = Identity(p) q_scores = Identity(q) }");
    for (const auto& [format, box] : formats) {
        for (const bool fractions : {false, true}) {
            for (const bool last : {false, true}) {
                recognise_options said;
                said.from = export_kind::padded;
                said.boxes = format;
                said.normalised = fractions;
                model_session session(rewritten_bytes(last ? channels_last : model, said, pad_to(1)), ORT_ENABLE_ALL);
                std::vector<std::vector<float>> inputs{
                    std::vector<float>(3UL * 4 * 8), std::vector<float>(box.begin(), box.end()), {0.5F}, {7}};
                const std::vector<std::int64_t> images =
                    last ? std::vector<std::int64_t>{1, 4, 8, 3} : std::vector<std::int64_t>{1, 3, 4, 8};
                const std::array<double, 4> corners =
                    fractions ? std::array<double, 4>{2, 2, 6, 4} : std::array<double, 4>{0.25, 0.5, 0.75, 1};
                check_outputs(plain_flat_outputs({{0, corners, 7, 0.5}}, 1, of_floats, of_floats, 4, 8, pad_to(1), 1,
                                                 onnx_number::int32),
                              session, session.run(inputs, {images, {1, 1, 4}, {1, 1}, {1, 1}}));
            }
        }
    }
}
