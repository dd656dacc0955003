// SPDX-License-Identifier: Apache-2.0
// Runs models that are made from raw heads, and requires the bytes that a plain loop selects from the heads' numbers.

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <onnx_tools/plan/options.hpp>
#include <onnx_tools/recognise/head_kind.hpp>
#include <onnx_tools/recognise/recognise.hpp>
#include <onnx_tools/rewrite.hpp>
#include <tests/support/crowded_heads.hpp>
#include <tests/support/parse_model.hpp>
#include <tests/support/plain_flat.hpp>
#include <tests/support/plain_selection.hpp>
#include <tests/support/runtime.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <variant>
#include <vector>

using namespace padbatch;
using namespace padbatch::onnx_tools;
using namespace padbatch::test;

namespace {

// A model that passes on a head made up by a test.
std::string passed_on(const std::string& type, const std::string& dimensions, int opset)
{
    const std::string to = type == "float16" ? "10" : type == "double" ? "11" : "1";
    return "<ir_version: 7, opset_import: [\"\" : " + std::to_string(opset) +
           "]> g (float[B,3,64,80] images, float[B," + dimensions + "] list) => (" + type + "[B," + dimensions +
           "] output0) { output0 = Cast<to = " + to + ">(list) }";
}

struct yolo_case {
    head_kind kind = head_kind::yolo;
    std::size_t classes = 4;
    bool transposed = false;
    std::string type = "float";
    int opset = 13;

    [[nodiscard]] std::size_t first_score() const { return kind == head_kind::yolo ? 4 : 5; }
    [[nodiscard]] std::size_t columns() const { return first_score() + classes; }
    [[nodiscard]] bool anchors_last() const { return (kind == head_kind::yolo) != transposed; }
};

head_options said_of(const yolo_case& head)
{
    head_options said;
    said.kind = head.kind;
    said.class_count = static_cast<std::int64_t>(head.classes);
    if (head.kind == head_kind::yolo_objectness) {
        said.strides.emplace(); // decoded
    }
    return said;
}

// Runs the model made from a head for some images, and compares.
void check(const yolo_case& head, const head_options& said, const pad_options& pad, const head_selection& expected,
           std::size_t images, unsigned seed)
{
    CAPTURE(std::string(name_of(expected.nms)));
    CAPTURE(expected.multi_label);
    CAPTURE(expected.classes.has_value());
    CAPTURE(expected.iou_threshold);
    CAPTURE(expected.most);
    std::mt19937 random(seed);
    const auto anchors = std::to_string(anchors_of_image);
    const auto columns = std::to_string(head.columns());
    const auto dimensions = head.anchors_last() ? columns + "," + anchors : anchors + "," + columns;
    auto model = parse_model(passed_on(head.type, dimensions, head.opset));
    rewrite_options options;
    options.recognise.from = export_kind::raw;
    options.recognise.head = said;
    options.pad = pad;
    rewrite(model, options);
    model_session session(model.SerializeAsString(), ORT_ENABLE_ALL);

    std::vector<float> list;
    std::vector<flat_row> rows;
    for (std::size_t image = 0; image < images; ++image) {
        const auto of_image = crowd(random, head.columns(), head.type == "float16");
        for (std::size_t i = 0; i < anchors_of_image * head.columns(); ++i) {
            list.push_back(head.anchors_last() ? of_image[i % anchors_of_image][i / anchors_of_image]
                                               : of_image[i / head.columns()][i % head.columns()]);
        }
        std::vector<plain_anchor> all;
        for (const auto& row : of_image) {
            plain_anchor anchor{corners_of_row(row), {}};
            for (std::size_t c = head.first_score(); c < head.columns(); ++c) {
                anchor.scores.push_back(head.first_score() == 5 ? row[c] * row[4] : row[c]);
            }
            all.push_back(std::move(anchor));
        }
        const auto found = selected(all, expected, image);
        rows.insert(rows.end(), found.rows.begin(), found.rows.end());
    }
    std::vector<std::vector<float>> inputs{std::vector<float>(images * 3 * height_of_image * width_of_image), list};
    const auto batch = static_cast<std::int64_t>(images);
    const auto last = static_cast<std::int64_t>(anchors_of_image);
    const auto other = static_cast<std::int64_t>(head.columns());
    pad_options plain = pad; // what the head does is done already
    plain.min_score.reset();
    plain.classes.reset();
    check_outputs(plain_flat_outputs(rows, images, onnx_number::float32, onnx_number::float32, height_of_image,
                                     width_of_image, plain, expected.most),
                  session,
                  session.run(inputs, {{batch, 3, height_of_image, width_of_image},
                                       head.anchors_last() ? std::vector<std::int64_t>{batch, other, last}
                                                           : std::vector<std::int64_t>{batch, last, other}}));
}

head_selection usual()
{
    head_selection how;
    how.score = 0.25;
    how.iou_threshold = 0.7;
    how.most = static_cast<std::int64_t>(anchors_of_image); // of 300, since there are no more anchors
    return how;
}

// What TensorRT's documentation says of its plugin EfficientNMS.
struct plugin {
    bool indices = false; // EfficientNMS_ONNX_TRT, which gives places of boxes
    std::int64_t background_class = -1;
    float score_threshold = 0.25F;
    float iou_threshold = 0.5F;
    std::size_t max_output_boxes = 60;
    bool box_coding = false; // center and size
    bool score_activation = false;
    bool class_agnostic = false;
};

// Scores that reach the threshold, class by class but for that of the background, the best first; each that overlaps a
// kept one too much is dropped; then the best of all classes.
std::vector<flat_row> of_plugin(const std::vector<plain_anchor>& anchors, const plugin& p, std::size_t image)
{
    std::vector<flat_row> kept;
    std::vector<flat_row> candidates;
    for (const auto& anchor : anchors) {
        for (std::size_t label = 0; label < anchor.scores.size(); ++label) {
            const float score = anchor.scores[label];
            if (score >= p.score_threshold && static_cast<std::int64_t>(label) != p.background_class) {
                const auto& c = anchor.corners;
                candidates.push_back(
                    {static_cast<double>(image), {c[0], c[1], c[2], c[3]}, static_cast<double>(label), score});
            }
        }
    }
    std::stable_sort(candidates.begin(), candidates.end(),
                     [](const auto& a, const auto& b) { return a.score > b.score; });
    const auto box = [](const flat_row& row) {
        return std::array<float, 4>{static_cast<float>(row.corners[0]), static_cast<float>(row.corners[1]),
                                    static_cast<float>(row.corners[2]), static_cast<float>(row.corners[3])};
    };
    for (const auto& each : candidates) {
        const bool dropped = std::any_of(kept.begin(), kept.end(), [&](const auto& other) {
            return (p.class_agnostic || other.label == each.label) && overlap(box(other), box(each)) > p.iou_threshold;
        });
        if (!dropped) {
            kept.push_back(each);
        }
    }
    kept.resize(std::min(kept.size(), p.max_output_boxes));
    return kept;
}

void check_plugin(const plugin& p, unsigned seed)
{
    constexpr std::size_t classes = 4;
    constexpr std::size_t images = 3;
    const auto n = std::to_string(anchors_of_image);
    const auto most = std::to_string(p.max_output_boxes);
    const auto flag = [](bool set) { return set ? std::string("1") : std::string("0"); };
    const std::string thresholds = "score_threshold = " + std::to_string(p.score_threshold) +
                                   ", iou_threshold = " + std::to_string(p.iou_threshold);
    const std::string call =
        p.indices
            ? "int32[m,3] picked) { picked = TRT.EfficientNMS_ONNX_TRT<" + thresholds +
                  ", max_output_boxes_per_class = " + most + ", center_point_box = " + flag(p.box_coding)
            : "int32[B,1] num_dets, float[B," + most + ",4] det_boxes, float[B," + most + "] det_scores, int32[B," +
                  most + "] det_classes) { num_dets, det_boxes, det_scores, det_classes = TRT.EfficientNMS_TRT<" +
                  thresholds + ", background_class = " + std::to_string(p.background_class) +
                  ", max_output_boxes = " + most + ", box_coding = " + flag(p.box_coding) +
                  ", score_activation = " + flag(p.score_activation) + ", class_agnostic = " + flag(p.class_agnostic);
    auto model =
        parse_model("<ir_version: 7, opset_import: [\"\" : 13, \"TRT\" : 1]> g (float[B,3,64,80] images, float[B," + n +
                    ",4] b, float[B," + n + ",4] s) => (" + call + ">(b, s) }");
    rewrite(model, {});
    model_session session(model.SerializeAsString(), ORT_ENABLE_ALL);

    std::mt19937 random(seed);
    std::vector<float> boxes;
    std::vector<float> scores;
    std::vector<flat_row> rows;
    for (std::size_t image = 0; image < images; ++image) {
        std::vector<plain_anchor> anchors;
        for (const auto& row : crowd(random, 4 + classes, false)) {
            plain_anchor anchor{corners_of_row(row), {}};
            const auto& numbers = p.box_coding ? std::array<float, 4>{row[0], row[1], row[2], row[3]} : anchor.corners;
            boxes.insert(boxes.end(), numbers.begin(), numbers.end());
            for (std::size_t c = 0; c < classes; ++c) {
                // Multiples of 2^-24, all of them different, some of them the threshold itself.
                const float score = random() % 50 == 0 && c == 0 && anchors.empty()
                                        ? p.score_threshold
                                        : static_cast<float>(random() >> 8U) * 0x1p-24F;
                scores.push_back(p.score_activation ? 6 * score - 3 : score);
                anchor.scores.push_back(p.score_activation ? 1 / (1 + std::exp(3 - 6 * score)) : score);
            }
            anchors.push_back(std::move(anchor));
        }
        const auto found = of_plugin(anchors, p, image);
        rows.insert(rows.end(), found.begin(), found.end());
    }
    std::vector<std::vector<float>> inputs{std::vector<float>(images * 3 * height_of_image * width_of_image), boxes,
                                           scores};
    const auto a = static_cast<std::int64_t>(anchors_of_image);
    auto found =
        session.run(inputs, {{images, 3, height_of_image, width_of_image}, {images, a, 4}, {images, a, classes}});
    if (!p.score_activation) {
        check_outputs(plain_flat_outputs(rows, images, onnx_number::float32, onnx_number::float32, height_of_image,
                                         width_of_image, {}, static_cast<std::int64_t>(p.max_output_boxes)),
                      session, found);
        return;
    }
    // Engines compute exp() in another way than the C library: the same rows, and scores to six digits.
    std::size_t r = 0;
    for (std::size_t image = 0; image < images; ++image) {
        const auto number =
            static_cast<std::size_t>(padbatch::test::detail::number_at(found.at("num_detections"), image));
        for (std::size_t k = 0; k < number; ++k, ++r) {
            REQUIRE(r < rows.size());
            const auto i = image * p.max_output_boxes + k;
            CHECK(rows[r].image == static_cast<double>(image));
            CHECK(padbatch::test::detail::number_at(found.at("labels"), i) == rows[r].label);
            CHECK(std::abs(padbatch::test::detail::number_at(found.at("scores"), i) - rows[r].score) < 1e-6);
            CHECK(padbatch::test::detail::number_at(found.at("boxes"), i * 4) == rows[r].corners[0]);
        }
    }
    CHECK(r == rows.size());
}

} // namespace

TEST_CASE("TensorRT's EfficientNMS becomes operators that do what its documentation says")
{
    unsigned seed = 500;
    check_plugin({}, seed++);
    for (const auto change : std::vector<void (*)(plugin&)>{
             [](plugin& p) { p.indices = true; }, [](plugin& p) { p.indices = p.box_coding = true; },
             [](plugin& p) { p.background_class = 0; }, [](plugin& p) { p.background_class = 2; },
             [](plugin& p) { p.box_coding = true; }, [](plugin& p) { p.score_activation = true; },
             [](plugin& p) { p.class_agnostic = true; }, [](plugin& p) { p.max_output_boxes = 7; },
             [](plugin& p) { p.score_threshold = 0.0F; }, [](plugin& p) { p.iou_threshold = 0.2F; }}) {
        plugin p;
        change(p);
        CAPTURE(p.indices);
        check_plugin(p, seed++);
    }
}

TEST_CASE("heads of YOLO give what a plain loop selects, in every layout, type and opset, for any number of images")
{
    unsigned seed = 1;
    for (const auto kind : {head_kind::yolo, head_kind::yolo_objectness}) {
        for (const bool transposed : {false, true}) {
            for (const int opset : {11, 13, 18, 21}) {
                for (const std::size_t images : {0U, 1U, 3U}) {
                    yolo_case head;
                    head.kind = kind;
                    head.transposed = transposed;
                    head.opset = opset;
                    CAPTURE(opset);
                    CAPTURE(images);
                    check(head, said_of(head), {}, usual(), images, seed++);
                }
            }
        }
        yolo_case half;
        half.kind = kind;
        half.type = "float16";
        check(half, said_of(half), {}, usual(), 2, seed++);
        yolo_case one_class;
        one_class.kind = kind;
        one_class.classes = 1;
        check(one_class, said_of(one_class), {}, usual(), 2, seed++);
    }
}

TEST_CASE("what is selected follows every option")
{
    unsigned seed = 100;
    for (const auto kind : {head_kind::yolo, head_kind::yolo_objectness}) {
        yolo_case head;
        head.kind = kind;
        const auto said = said_of(head);
        const auto with = [&](auto change) {
            auto changed = said;
            auto expected = usual();
            pad_options pad;
            change(changed, expected, pad);
            check(head, changed, pad, expected, 2, seed++);
        };
        for (const double overlap_allowed : {0.3, 0.45, 0.9}) {
            with([&](auto& told, auto& how, auto&) { told.iou_threshold = how.iou_threshold = overlap_allowed; });
        }
        for (const auto nms : {suppression::shifted, suppression::class_by_class, suppression::none}) {
            for (const bool multi_label : {false, true}) {
                for (const bool chosen : {false, true}) {
                    with([&](auto& told, auto& how, auto& pad) {
                        told.nms = nms;
                        told.multi_label = multi_label;
                        how.nms = nms;
                        how.multi_label = multi_label;
                        how.iou_threshold = 0.7;
                        how.most = multi_label ? 300 : how.most;
                        if (chosen) {
                            how.classes = class_choice{{1, 3}, multi_label};
                            told.classes = how.classes;
                            pad.classes = how.classes;
                        }
                    });
                }
            }
        }
        with([](auto& told, auto& how, auto&) { told.class_agnostic = how.class_agnostic = true; });
        with([](auto& told, auto& how, auto& pad) {
            told.score = how.score = 0.6;
            pad.min_score = 0.6;
            told.most = how.most = 5;
            pad.max_detections = 5;
        });
        with([](auto& told, auto& how, auto& pad) { // nothing at all
            told.score = how.score = 1.0;
            pad.min_score = 1.0;
        });
        with([](auto&, auto&, auto& pad) { pad.max_detections = largest_of_batch{}; });
    }
}

TEST_CASE("detections of a head are padded in every layout, as any others")
{
    unsigned seed = 700;
    yolo_case head;
    for (const auto& variant : flat_variants(static_cast<std::int64_t>(anchors_of_image), 0.5)) {
        CAPTURE(variant.name);
        auto said = said_of(head);
        auto expected = usual();
        if (variant.options.min_score) { // what the command makes of the option
            said.score = variant.options.min_score;
            expected.score = *variant.options.min_score;
        }
        if (const auto* most = std::get_if<std::int64_t>(&variant.options.max_detections)) {
            said.most = *most;
            expected.most = *most;
        }
        check(head, said, variant.options, expected, 3, seed++);
    }
}

TEST_CASE("without a threshold all numbers are scores, also those below 0")
{
    constexpr std::size_t classes = 3;
    constexpr std::size_t images = 2;
    const auto n = std::to_string(anchors_of_image);
    const auto text = "<ir_version: 7, opset_import: [\"\" : 13]> g (float[B,3,64,80] images, float[B," + n +
                      ",4] b, float[B," + n + ",3] s) => (float[B," + n + ",4] boxes, float[B," + n +
                      ",3] logits) { boxes = Identity(b) logits = Identity(s) }";
    unsigned seed = 900;
    for (const auto nms : {suppression::none, suppression::shifted, suppression::class_by_class}) {
        for (const bool chosen : {false, true}) {
            for (const std::int64_t most : {40, 200}) {
                for (const std::optional<double> score : {std::optional<double>(), std::optional(0.2)}) {
                    CAPTURE(std::string(name_of(nms)));
                    CAPTURE(chosen);
                    CAPTURE(most);
                    CAPTURE(score.has_value());
                    rewrite_options options;
                    options.recognise.from = export_kind::raw;
                    auto& head = options.recognise.head;
                    head.kind = head_kind::detr;
                    head.activation = score_activation::none;
                    head.nms = nms;
                    head.most = most;
                    head.score = score;
                    options.pad.max_detections = most;
                    options.pad.min_score = score;
                    head_selection how;
                    how.score = score;
                    how.nms = nms;
                    how.most = most;
                    how.multi_label = true;
                    how.iou_threshold = 0.7;
                    if (chosen) {
                        how.classes = head.classes = options.pad.classes = class_choice{{1}, false};
                    }
                    auto model = parse_model(text);
                    rewrite(model, options);
                    model_session session(model.SerializeAsString(), ORT_ENABLE_ALL);
                    std::mt19937 random(seed++);
                    std::vector<float> boxes;
                    std::vector<float> scores;
                    std::vector<flat_row> rows;
                    for (std::size_t image = 0; image < images; ++image) {
                        std::vector<plain_anchor> anchors;
                        for (auto row : crowd(random, 4 + classes, false)) {
                            for (const std::size_t i : {0U, 1U, 2U, 3U}) {
                                row[i] /= i % 2 == 0 ? width_of_image : height_of_image;
                                boxes.push_back(row[i]);
                            }
                            auto corners = corners_of_row(row);
                            for (std::size_t i = 0; i < 4; ++i) {
                                corners[i] *= i % 2 == 0 ? width_of_image : height_of_image;
                            }
                            plain_anchor anchor{corners, {}};
                            for (std::size_t c = 4; c < row.size(); ++c) {
                                anchor.scores.push_back(8 * row[c] - 7); // most are below 0
                            }
                            scores.insert(scores.end(), anchor.scores.begin(), anchor.scores.end());
                            anchors.push_back(std::move(anchor));
                        }
                        const auto found = selected(anchors, how, image);
                        rows.insert(rows.end(), found.rows.begin(), found.rows.end());
                    }
                    std::vector<std::vector<float>> inputs{
                        std::vector<float>(images * 3 * height_of_image * width_of_image), boxes, scores};
                    const auto a = static_cast<std::int64_t>(anchors_of_image);
                    check_outputs(plain_flat_outputs(rows, images, onnx_number::float32, onnx_number::float32,
                                                     height_of_image, width_of_image, {}, most),
                                  session,
                                  session.run(inputs, {{images, 3, height_of_image, width_of_image},
                                                       {images, a, 4},
                                                       {images, a, classes}}));
                }
            }
        }
    }
}

TEST_CASE("class by class, and of all classes together, the boxes are kept that torchvision keeps")
{
    const auto judged = nlohmann::json::parse(std::ifstream(std::string(PADBATCH_TESTS_DATA) + "/raw/judged.json"));
    const auto head = judged.at("head").get<head_rows_of_image>();
    const auto n = std::to_string(head.size());
    std::vector<float> list;
    for (const auto& row : head) {
        list.insert(list.end(), row.begin(), row.end());
    }
    for (const auto& each : judged.at("kept")) {
        rewrite_options options;
        options.recognise.from = export_kind::raw;
        auto& told = options.recognise.head;
        told.kind = head_kind::yolo;
        told.class_count = static_cast<std::int64_t>(head.front().size()) - 4;
        told.score = judged.at("score").get<double>();
        told.iou_threshold = each.at("iou_threshold").get<double>();
        told.class_agnostic = each.at("class_agnostic").get<bool>();
        if (!told.class_agnostic) {
            told.nms = suppression::class_by_class;
        }
        CAPTURE(*told.iou_threshold);
        CAPTURE(told.class_agnostic);
        auto model = parse_model(passed_on("float", n + ",7", 13));
        rewrite(model, options);
        model_session session(model.SerializeAsString(), ORT_ENABLE_ALL);
        std::vector<std::vector<float>> inputs{std::vector<float>(3 * height_of_image * width_of_image), list};
        const auto found = session.run(inputs, {{1, 3, height_of_image, width_of_image}, {1, std::stol(n), 7}});
        const auto kept = each.at("anchors").get<std::vector<std::size_t>>();
        REQUIRE(padbatch::test::detail::number_at(found.at("num_detections"), 0) == static_cast<double>(kept.size()));
        CHECK(kept.size() < head.size() / 2);
        for (std::size_t r = 0; r < kept.size(); ++r) {
            const auto& row = head[kept[r]];
            const auto best = std::max_element(row.begin() + 4, row.end());
            CHECK(padbatch::test::detail::number_at(found.at("scores"), r) == *best); // no two are equal
            CHECK(padbatch::test::detail::number_at(found.at("labels"), r) ==
                  static_cast<double>(best - row.begin() - 4));
            CHECK(padbatch::test::detail::number_at(found.at("boxes"), r * 4) == row[0] - row[2] / 2);
        }
    }
}

TEST_CASE("a head with other extents than was said fails when it runs, and is right otherwise")
{
    std::mt19937 random(77);
    const auto rows = crowd(random, 7, false);
    std::vector<plain_anchor> anchors;
    std::vector<float> by_column;
    std::vector<float> boxes;
    std::vector<float> scores; // [3, A]
    for (std::size_t c = 0; c < 7; ++c) {
        for (const auto& row : rows) {
            by_column.push_back(row[c]);
            if (c >= 4) {
                scores.push_back(row[c]);
            }
        }
    }
    for (const auto& row : rows) {
        boxes.insert(boxes.end(), row.begin(), row.begin() + 4);
        anchors.push_back({corners_of_row(row), {row.begin() + 4, row.end()}});
    }
    const auto expected = selected(anchors, usual(), 0).rows;
    const std::string head = "<ir_version: 7, opset_import: [\"\" : 13]> g (float[B,3,64,80] images, ";
    const std::string one = head + "float[B,c,a] list) => (float[B,c,a] rows) { rows = Identity(list) }";
    const auto two = [&](const std::string& extents) {
        return head + "float[B,200,4] b, float[B," + extents + "] s) => (float[B,200,4] boxes, float[B," + extents +
               "] classes) { boxes = Identity(b) classes = Identity(s) }";
    };
    const auto run = [&](const std::string& text, head_kind kind, std::int64_t classes) {
        auto model = parse_model(text);
        rewrite_options options;
        options.recognise.from = export_kind::raw;
        options.recognise.head.kind = kind;
        options.recognise.head.class_count = classes;
        if (kind == head_kind::boxes_scores) {
            options.recognise.boxes = box_format::cxcywh;
        }
        options.pad.max_detections = static_cast<std::int64_t>(anchors_of_image);
        rewrite(model, options);
        model_session session(model.SerializeAsString(), ORT_ENABLE_ALL, "", ORT_LOGGING_LEVEL_FATAL);
        const bool yolo = kind == head_kind::yolo;
        std::vector<std::vector<float>> inputs{std::vector<float>(3 * height_of_image * width_of_image)};
        std::vector<std::vector<std::int64_t>> shapes{{1, 3, height_of_image, width_of_image}};
        if (yolo) {
            inputs.push_back(by_column);
            shapes.push_back({1, 7, 200});
        } else {
            inputs.insert(inputs.end(), {boxes, scores});
            shapes.insert(shapes.end(), {{1, 200, 4}, {1, 3, 200}});
        }
        check_outputs(plain_flat_outputs(expected, 1, onnx_number::float32, onnx_number::float32, height_of_image,
                                         width_of_image, {}, static_cast<std::int64_t>(anchors_of_image)),
                      session, session.run(inputs, shapes));
    };
    run(one, head_kind::yolo, 3);
    CHECK_THROWS(run(one, head_kind::yolo, 4));
    CHECK_THROWS(run(one, head_kind::yolo, 2));
    for (const char* const extents : {"3,200", "3,a", "c,200"}) {
        run(two(extents), head_kind::boxes_scores, 3);
    }
    CHECK_THROWS(run(two("c,a"), head_kind::boxes_scores, 3)); // which is said to be [B, A, C]
}
