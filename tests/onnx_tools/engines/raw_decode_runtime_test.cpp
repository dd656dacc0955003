// SPDX-License-Identifier: Apache-2.0
// Holds `decode_head` of the headers against the graph that is made from a raw head: ONNX Runtime runs the graph, the
// header reads what the head itself gives, and both must have the same detections.

#include <doctest/doctest.h>

#include <padbatch/detection/decode.hpp>

#include <onnx_tools/files/model_io.hpp>
#include <onnx_tools/recognise/recognise.hpp>
#include <onnx_tools/rewrite.hpp>
#include <tests/support/crowded_heads.hpp>
#include <tests/support/parse_model.hpp>
#include <tests/support/plain_outputs.hpp>
#include <tests/support/runtime.hpp>
#include <tests/support/scenes.hpp>

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <map>
#include <random>
#include <span>
#include <string>
#include <vector>

using namespace padbatch;
using namespace padbatch::onnx_tools;
using namespace padbatch::test;

namespace {

using decoded_boxes = padded<boxes<>, scores<>, labels<>>;
using decode_named_outputs = std::map<std::string, tensor>;

const_tensor_ref decode_ref_of(const tensor& t)
{
    const auto type = t.type == ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT16  ? element_type::float16
                      : t.type == ONNX_TENSOR_ELEMENT_DATA_TYPE_DOUBLE ? element_type::float64
                                                                       : element_type::float32;
    return {t.bytes.data(), type, t.shape};
}

std::size_t decode_count_of(const decode_named_outputs& graph, std::size_t image)
{
    return static_cast<std::size_t>(padbatch::test::detail::number_at(graph.at("num_detections"), image));
}

/// Whether a field of the graph has, byte for byte, the rows and the padding of a decoded one.
template <class Field>
bool decode_same_bytes(const decode_named_outputs& graph, const char* name, const Field& field)
{
    const tensor& t = graph.at(name);
    const std::size_t bytes = field.size() * sizeof(*field.data());
    return t.bytes.size() == bytes && (bytes == 0 || std::memcmp(t.bytes.data(), field.data(), bytes) == 0);
}

/// Demands the same rows in the same order, bit for bit, and the same padding.
template <class Batch>
void check_decoded_same(const decode_named_outputs& graph, const Batch& found)
{
    const auto m = static_cast<std::size_t>(graph.at("boxes").shape.at(1));
    REQUIRE(static_cast<std::size_t>(graph.at("boxes").shape.at(0)) == found.size());
    REQUIRE(m == found.capacity());
    for (std::size_t i = 0; i < found.size(); ++i) {
        REQUIRE(decode_count_of(graph, i) == found.count(i));
    }
    CHECK(decode_same_bytes(graph, "boxes", found[t::boxes]));
    CHECK(decode_same_bytes(graph, "scores", found[t::scores]));
    bool same = true;
    for (std::size_t k = 0; k < found.size() * m; ++k) {
        same = same && padbatch::test::detail::number_at(graph.at("labels"), k) ==
                           static_cast<double>(found[t::labels].data()[k]);
    }
    CHECK(same);
}

/// Engines compute exp() otherwise than the C library. Scores up to 1 then differ by a few times their last bit, boxes
/// of up to some hundred pixels by a few times theirs; and rows whose scores are that close may have changed places.
constexpr double decode_score_tolerance = 1e-6;
constexpr double decode_box_tolerance = 1e-4;

template <class Batch>
void check_decoded_near(const decode_named_outputs& graph, const Batch& found)
{
    const auto m = static_cast<std::size_t>(graph.at("boxes").shape.at(1));
    REQUIRE(m == found.capacity());
    for (std::size_t i = 0; i < found.size(); ++i) {
        const std::size_t n = found.count(i);
        REQUIRE(decode_count_of(graph, i) == n);
        std::vector<bool> taken(n, false);
        bool same = true;
        for (std::size_t r = 0; r < n; ++r) {
            const auto number = [&](const char* name, std::size_t k) {
                return padbatch::test::detail::number_at(graph.at(name), k);
            };
            const auto is = [&](std::size_t k) {
                bool equal = !taken[k] &&
                             number("labels", i * m + r) == static_cast<double>(found.image(i)[t::labels][k]) &&
                             std::abs(number("scores", i * m + r) - double{found.image(i)[t::scores][k]}) <=
                                 decode_score_tolerance;
                for (std::size_t c = 0; c < 4; ++c) {
                    equal = equal && std::abs(number("boxes", (i * m + r) * 4 + c) -
                                              double{found.image(i)[t::boxes][k][c]}) <= decode_box_tolerance;
                }
                return equal;
            };
            std::size_t k = 0;
            while (k < n && !is(k)) {
                ++k;
            }
            same = same && k < n;
            if (k < n) {
                taken[k] = true;
            }
        }
        CHECK(same);
    }
}

/// A committed export, what is said of it to the command, and the same head in the words of the header.
struct decoded_export {
    const char* file;
    detector_head head;
    void (*say)(recognise_options&) = nullptr;
    bool exactly = true;
    const char* first = "output0";
    const char* second = nullptr; // the scores
    std::size_t batch = 0;        // of which the export is
};

void say_decode_kind(recognise_options& options, head_kind kind)
{
    options.from = export_kind::raw;
    options.head.kind = kind;
}

std::vector<decoded_export> decoded_exports()
{
    detector_head transposed = heads::yolov8(3);
    transposed.anchors_last = false;
    detector_head fractions = heads::boxes_scores(3, padbatch::box_format::cxcywh);
    fractions.normalized = true;
    fractions.height = height_of_image;
    fractions.width = width_of_image;
    fractions.selection.suppression = head_suppression::none;
    constexpr std::size_t queries = 0; // set when the export has run
    return {
        {"yolo_any_op12", heads::yolov8(3)},
        {"yolo_b1_op17", heads::yolov8(3), nullptr, true, "output0", nullptr, 1},
        {"yolo_transposed_any_op11", transposed,
         [](auto& o) {
             say_decode_kind(o, head_kind::yolo);
             o.head.class_count = 3;
         }},
        {"yolo_seg_any_op14", heads::yolov8_seg(3, 8)},
        {"yolo_pose_b2_op13", heads::yolov8_pose(3, 5), nullptr, true, "output0", nullptr, 2},
        {"yolo_objectness_any_op12", heads::yolov5(3)},
        {"yolox_any_op11", heads::yolox(3, height_of_image, width_of_image, {8, 16}),
         [](auto& o) {
             say_decode_kind(o, head_kind::yolo_objectness);
             o.head.strides = std::vector<std::int64_t>{8, 16};
         },
         false},
        {"boxes_scores_any_op14", heads::boxes_scores(3),
         [](auto& o) {
             say_decode_kind(o, head_kind::boxes_scores);
             o.boxes = padbatch::onnx_tools::box_format::xyxy;
         },
         true, "boxes", "scores"},
        {"detr_logits_any_op14", heads::detr_sigmoid(4, queries, height_of_image, width_of_image),
         [](auto& o) {
             say_decode_kind(o, head_kind::detr);
             o.head.activation = score_activation::sigmoid;
         },
         false, "pred_boxes", "logits"},
        {"detr_logits_any_op14", heads::detr_softmax(3, queries, height_of_image, width_of_image),
         [](auto& o) {
             say_decode_kind(o, head_kind::detr);
             o.head.activation = score_activation::softmax;
         },
         false, "pred_boxes", "logits"},
        {"rtdetr_sigmoid_any_op16", fractions,
         [](auto& o) {
             say_decode_kind(o, head_kind::boxes_scores);
             o.head.nms = suppression::none;
             o.boxes = padbatch::onnx_tools::box_format::cxcywh;
             o.normalised = true;
         }},
    };
}

void check_decoded_export(const decoded_export& each, model_session& original, model_session& graph,
                          const std::vector<unsigned>& of_scenes, workspace& space)
{
    std::vector<std::vector<float>> images(1);
    for (const auto seed : of_scenes) {
        const auto pixels = scene(seed, height_of_image, width_of_image);
        images[0].insert(images[0].end(), pixels.begin(), pixels.end());
    }
    const std::vector<std::vector<std::int64_t>> shapes{
        {static_cast<std::int64_t>(of_scenes.size()), 3, height_of_image, width_of_image}};
    const auto given = original.run(images, shapes);
    const auto expected = graph.run(images, shapes);
    const auto m = static_cast<std::size_t>(expected.at("boxes").shape.at(1));
    detector_head head = each.head;
    if (head.selection.at_most == 0) { // DETR's: as many as queries
        head.selection.at_most = m;
    }
    const auto& first = given.at(each.first);
    const head_output output = each.second == nullptr
                                   ? head_output(decode_ref_of(first))
                                   : head_output(decode_ref_of(first), decode_ref_of(given.at(each.second)));
    decoded_boxes found(of_scenes.size(), m);
    decode_head(found, head, output, space);
    if (each.exactly) {
        check_decoded_same(expected, found);
    } else {
        check_decoded_near(expected, found);
    }
    if (head.coefficients != 0) {
        padded<mask_coefficients<>> more(of_scenes.size(), m, t::mask_coefficients.shape(head.coefficients));
        decode_head(more, head, output, space);
        CHECK(decode_same_bytes(expected, "mask_coefficients", more[t::mask_coefficients]));
    }
    if (head.points != 0) {
        padded<keypoints<>> more(of_scenes.size(), m, t::keypoints.shape(head.points, 3));
        decode_head(more, head, output, space);
        CHECK(decode_same_bytes(expected, "keypoints", more[t::keypoints]));
    }
}

/// A head made up by a test, and what is wanted of it, in both words.
struct decode_made_up_head {
    bool objectness = false;
    bool anchors_last = true;
    std::size_t classes = 4;
    const char* type = "float";
    bool strange = false;
    bool last_class = false; // that all anchors are of
    detection_selection selection{};

    [[nodiscard]] detector_head head() const
    {
        detector_head result = objectness ? heads::yolov5(classes) : heads::yolov8(classes);
        result.anchors_last = anchors_last;
        result.selection = selection;
        return result;
    }
};

void check_decoded_made_up(const decode_made_up_head& of, unsigned seed, workspace& space)
{
    CAPTURE(seed);
    constexpr std::size_t images = 2;
    const detector_head head = of.head();
    const std::size_t columns = 4 + of.classes + (of.objectness ? 1 : 0);
    const auto a = std::to_string(anchors_of_image);
    const auto c = std::to_string(columns);
    const auto dimensions = of.anchors_last ? c + "," + a : a + "," + c;
    const std::string type = of.type;
    const std::string to = type == "float16" ? "10" : type == "double" ? "11" : "1";
    auto model = parse_model("<ir_version: 7, opset_import: [\"\" : 13]> g (float[B,3,64,80] images, float[B," +
                             dimensions + "] list) => (" + type + "[B," + dimensions +
                             "] output0) { output0 = Cast<to = " + to + ">(list) }");
    model_session original(model.SerializeAsString(), ORT_ENABLE_ALL);
    rewrite_options options;
    options.recognise.from = export_kind::raw;
    auto& told = options.recognise.head;
    told.kind = of.objectness ? head_kind::yolo_objectness : head_kind::yolo;
    told.class_count = static_cast<std::int64_t>(of.classes);
    if (of.objectness) {
        told.strides.emplace();
    }
    const detection_selection& how = of.selection;
    told.score = static_cast<double>(how.score_above);
    told.iou_threshold = static_cast<double>(how.iou_above);
    told.most = static_cast<std::int64_t>(how.at_most);
    options.pad.min_score = told.score;
    options.pad.max_detections = *told.most;
    told.multi_label = how.every_class;
    told.class_agnostic = how.suppression == head_suppression::all_together;
    if (how.suppression == head_suppression::class_by_class) {
        told.nms = suppression::class_by_class;
    } else if (how.suppression == head_suppression::none) {
        told.nms = suppression::none;
        told.iou_threshold.reset();
    }
    if (!how.only.empty() || !how.without.empty()) {
        const auto& labels = how.only.empty() ? how.without : how.only;
        told.classes = class_choice{{labels.begin(), labels.end()}, how.only.empty()};
        options.pad.classes = told.classes;
    }
    rewrite(model, options);
    model_session graph(model.SerializeAsString(), ORT_ENABLE_ALL);

    std::mt19937 random(seed);
    std::vector<float> list;
    for (std::size_t image = 0; image < images; ++image) {
        auto rows = crowd(random, columns, type == "float16");
        for (auto& row : rows) {
            for (std::size_t column = columns - of.classes; of.last_class && column + 1 < columns; ++column) {
                row[column] *= 0.25F;
            }
            if (of.strange && random() % 4 == 0) { // what is no box, and, of one class, no score
                constexpr std::array<float, 5> numbers{std::numeric_limits<float>::quiet_NaN(),
                                                       std::numeric_limits<float>::infinity(), -4.0F, 0.0F, 3e38F};
                row[random() % (of.classes == 1 ? 5 : 4)] = numbers[random() % numbers.size()];
            }
        }
        for (std::size_t k = 0; k < anchors_of_image * columns; ++k) {
            list.push_back(of.anchors_last ? rows[k % anchors_of_image][k / anchors_of_image]
                                           : rows[k / columns][k % columns]);
        }
    }
    std::vector<std::vector<float>> inputs{std::vector<float>(images * 3 * height_of_image * width_of_image), list};
    const auto n = static_cast<std::int64_t>(anchors_of_image);
    const auto m = static_cast<std::int64_t>(columns);
    const std::vector<std::vector<std::int64_t>> shapes{{images, 3, height_of_image, width_of_image},
                                                        of.anchors_last ? std::vector<std::int64_t>{images, m, n}
                                                                        : std::vector<std::int64_t>{images, n, m}};
    const auto expected = graph.run(inputs, shapes);
    const auto given = original.run(inputs, shapes);
    decoded_boxes found(images, static_cast<std::size_t>(expected.at("boxes").shape.at(1)));
    decode_head(found, head, decode_ref_of(given.at("output0")), space);
    check_decoded_same(expected, found);
}

} // namespace

TEST_CASE("the header decodes exports of raw heads as the graph made from them does")
{
    workspace space;
    for (const auto& each : decoded_exports()) {
        CAPTURE(std::string(each.file));
        auto model = load_model(std::string(PADBATCH_TESTS_DATA) + "/raw/" + each.file + ".onnx");
        model_session original(model.SerializeAsString(), ORT_DISABLE_ALL);
        rewrite_options options;
        if (each.say != nullptr) {
            each.say(options.recognise);
        }
        rewrite(model, options);
        model_session graph(model.SerializeAsString(), ORT_DISABLE_ALL);
        if (each.batch == 1) {
            for (const unsigned seed : {0U, 1U, 5U}) {
                check_decoded_export(each, original, graph, {seed}, space);
            }
            continue;
        }
        check_decoded_export(each, original, graph, {1, 2}, space);
        check_decoded_export(each, original, graph, {0, 3}, space);
        if (each.batch == 0) {
            check_decoded_export(each, original, graph, {}, space);
            check_decoded_export(each, original, graph, {4, 0, 5, 6, 7}, space);
        }
    }
}

TEST_CASE("the header selects from crowded heads what the graph selects, bit for bit, with every option")
{
    workspace space;
    unsigned seed = 1;
    const std::array<std::int64_t, 2> some{1, 3};
    for (const bool objectness : {false, true}) {
        decode_made_up_head usual;
        usual.objectness = objectness;
        usual.anchors_last = !objectness;
        usual.selection.at_most = anchors_of_image;
        const auto with = [&](auto change) {
            decode_made_up_head changed = usual;
            change(changed);
            check_decoded_made_up(changed, seed++, space);
        };
        with([](auto&) {});
        with([](auto& of) { of.anchors_last = !of.anchors_last; });
        with([](auto& of) { of.type = "float16"; });
        with([](auto& of) { of.type = "double"; });
        with([](auto& of) { of.classes = 1; });
        with([](auto& of) { of.classes = 37; });
        for (const float iou : {0.0F, 0.3F, 0.45F, 0.9F, 1.0F}) {
            with([&](auto& of) { of.selection.iou_above = iou; });
        }
        for (const auto suppression : {head_suppression::shifted, head_suppression::class_by_class,
                                       head_suppression::all_together, head_suppression::none}) {
            for (const bool every_class : {false, true}) {
                with([&](auto& of) {
                    of.selection.suppression = suppression;
                    of.selection.every_class = every_class;
                    of.selection.only =
                        every_class ? std::span<const std::int64_t>(some) : std::span<const std::int64_t>();
                });
                with([&](auto& of) {
                    of.selection.suppression = suppression;
                    of.selection.every_class = every_class;
                    of.selection.without = some;
                    of.selection.at_most = 9;
                });
            }
        }
        for (const auto suppression : {head_suppression::shifted, head_suppression::all_together}) {
            with([&](auto& of) { // far from 0, coordinates are rounded to quarters of a pixel
                of.classes = 300;
                of.last_class = true;
                of.selection.suppression = suppression;
            });
        }
        with([](auto& of) { of.selection.score_above = 0.6F; });
        with([](auto& of) { of.selection.score_above = 1.0F; });
        for (const std::size_t classes : {1U, 4U}) {
            with([&](auto& of) {
                of.strange = true;
                of.classes = classes;
            });
            with([&](auto& of) {
                of.strange = true;
                of.classes = classes;
                of.selection.suppression = head_suppression::class_by_class;
            });
        }
    }
}
