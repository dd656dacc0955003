// SPDX-License-Identifier: Apache-2.0
// Exports of raw heads with nodes behind them that their metadata does not know of: refused, or right.

#include <doctest/doctest.h>

#include <onnx_tools/error.hpp>
#include <onnx_tools/files/model_io.hpp>
#include <onnx_tools/recognise/head_kind.hpp>
#include <onnx_tools/recognise/recognise.hpp>
#include <onnx_tools/rewrite.hpp>
#include <tests/support/parse_model.hpp>
#include <tests/support/plain_outputs.hpp>
#include <tests/support/plain_selection.hpp>
#include <tests/support/runtime.hpp>
#include <tests/support/scenes.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

using namespace padbatch::onnx_tools;
using namespace padbatch::test;

namespace {

constexpr std::size_t anchors = 160;
constexpr std::size_t classes = 3;

// The seven numbers of an anchor, in the order that the changed output has.
using anchor_numbers = std::array<float, 4 + classes>;

std::optional<plain_anchor> of_center(const anchor_numbers& n)
{
    return plain_anchor{{n[0] - n[2] * 0.5F, n[1] - n[3] * 0.5F, n[0] + n[2] * 0.5F, n[1] + n[3] * 0.5F},
                        {n[4], n[5], n[6]}};
}

std::optional<plain_anchor> of_corners(const anchor_numbers& n)
{
    return plain_anchor{{n[0], n[1], n[2], n[3]}, {n[4], n[5], n[6]}};
}

std::optional<plain_anchor> of_corner_and_size(const anchor_numbers& n)
{
    return plain_anchor{{n[0], n[1], n[0] + n[2], n[1] + n[3]}, {n[4], n[5], n[6]}};
}

std::optional<plain_anchor> of_scores_first(const anchor_numbers& n)
{
    return of_center({n[3], n[4], n[5], n[6], n[0], n[1], n[2]});
}

std::optional<plain_anchor> of_fractions(const anchor_numbers& n)
{
    auto anchor = *of_center(n);
    for (std::size_t i = 0; i < 4; ++i) {
        anchor.corners[i] *= i % 2 == 0 ? 80 : 64;
    }
    return anchor;
}

std::optional<plain_anchor> of_nothing(const anchor_numbers&)
{
    return std::nullopt; // what it holds are no scores
}

struct change {
    const char* name;
    const char* nodes; // from `head` [B, 7, 160], or its parts `boxes` and `scores`, to `output0`
    std::function<std::optional<plain_anchor>(const anchor_numbers&)> read;
    bool anchors_last = true;
    bool is_read = false; // without another word
};

const std::vector<change>& changes()
{
    static const std::vector<change> all{
        {"nothing", "output0 = Identity(head)", of_center, true, true},
        {"joined again", "output0 = Concat<axis = 1>(boxes, scores)", of_center, true},
        {"transposed", "output0 = Transpose<perm = [0, 2, 1]>(head)", of_center, false},
        {"corners",
         "c, s = Split<axis = 1>(boxes) h = Mul(s, half) a = Sub(c, h) b = Add(c, h) "
         "output0 = Concat<axis = 1>(a, b, scores)",
         of_corners},
        {"a corner and a size",
         "c, s = Split<axis = 1>(boxes) h = Mul(s, half) a = Sub(c, h) output0 = Concat<axis = 1>(a, s, scores)",
         of_corner_and_size},
        {"fractions", "f = Div(boxes, size) output0 = Concat<axis = 1>(f, scores)", of_fractions},
        {"scores first", "output0 = Concat<axis = 1>(scores, boxes)", of_scores_first},
        {"logarithms", "l = Log(scores) output0 = Concat<axis = 1>(boxes, l)", of_nothing},
        {"logits", "n = Sub(one, scores) o = Div(scores, n) l = Log(o) output0 = Concat<axis = 1>(boxes, l)",
         of_nothing},
        {"half of them", "p = Mul(scores, half) output0 = Concat<axis = 1>(boxes, p)", of_center},
        {"in float64 on the way", "d = Cast<to = 11>(head) output0 = Cast<to = 1>(d)", of_center, true, true},
    };
    return all;
}

onnx::ModelProto changed(const change& c)
{
    auto model = load_model(std::string(PADBATCH_TESTS_DATA) + "/raw/yolo_any_op12.onnx");
    auto& graph = *model.mutable_graph();
    for (auto& node : *graph.mutable_node()) {
        for (auto& output : *node.mutable_output()) {
            output = output == "output0" ? "head" : output;
        }
    }
    const auto behind = parse_model(
        "<ir_version: 7, opset_import: [\"\" : 12]> g (float[B,7,160] head) => (float[B,c,a] output0) <float[1] half = "
        "{0.5}, float[1] one = {1.0}, float[4,1] size = {80.0, 64.0, 80.0, 64.0}, int64[1] zero = {0}, int64[1] four = "
        "{4}, int64[1] seven = {7}, int64[1] first = {1}> { boxes = Slice(head, zero, four, first) scores = "
        "Slice(head, "
        "four, seven, first) " +
        std::string(c.nodes) + " }");
    graph.mutable_node()->MergeFrom(behind.graph().node());
    graph.mutable_initializer()->MergeFrom(behind.graph().initializer());
    auto& shape = *graph.mutable_output(0)->mutable_type()->mutable_tensor_type()->mutable_shape();
    shape.mutable_dim(1)->set_dim_value(c.anchors_last ? 7 : 160);
    shape.mutable_dim(2)->set_dim_value(c.anchors_last ? 160 : 7);
    return model;
}

// Whether the model was rewritten; then its detections must be those that the changed output has.
bool rewritten(const change& c, const recognise_options& said)
{
    auto model = changed(c);
    model_session original(model.SerializeAsString(), ORT_DISABLE_ALL);
    rewrite_options options;
    options.recognise = said;
    try {
        rewrite(model, options);
    } catch (const tool_error& e) {
        CHECK(e.kind() == failure::refused);
        return false;
    }
    model_session padded(model.SerializeAsString(), ORT_DISABLE_ALL);
    std::vector<std::vector<float>> images(1);
    for (const unsigned seed : {1U, 2U, 0U}) {
        const auto pixels = scene(seed, 64, 80);
        images[0].insert(images[0].end(), pixels.begin(), pixels.end());
    }
    const std::vector<std::vector<std::int64_t>> shapes{{3, 3, 64, 80}};
    const auto head = original.run(images, shapes).at("output0");
    const auto found = padded.run(images, shapes);
    head_selection how;
    how.score = 0.25;
    how.iou_threshold = 0.7;
    how.most = static_cast<std::int64_t>(anchors);
    for (std::size_t image = 0; image < 3; ++image) {
        std::vector<plain_anchor> all;
        for (std::size_t a = 0; a < anchors; ++a) {
            anchor_numbers n{};
            for (std::size_t k = 0; k < n.size(); ++k) {
                const auto i = c.anchors_last ? k * anchors + a : a * n.size() + k;
                n[k] = static_cast<float>(padbatch::test::detail::number_at(head, image * anchors * n.size() + i));
            }
            const auto anchor = c.read(n);
            REQUIRE(anchor); // else it had to be refused
            all.push_back(*anchor);
        }
        const auto expected = selected(all, how, image).rows;
        REQUIRE(padbatch::test::detail::number_at(found.at("num_detections"), image) ==
                static_cast<double>(expected.size()));
        bool same = true;
        for (std::size_t r = 0; r < expected.size(); ++r) {
            const auto i = image * anchors + r;
            same = same && padbatch::test::detail::number_at(found.at("scores"), i) == expected[r].score &&
                   padbatch::test::detail::number_at(found.at("labels"), i) == expected[r].label;
            for (std::size_t k = 0; k < 4; ++k) { // fractions of another size round once more
                const auto corner = padbatch::test::detail::number_at(found.at("boxes"), i * 4 + k);
                same = same && std::abs(corner - expected[r].corners[k]) <= 1e-4;
            }
        }
        CHECK(same);
    }
    return true;
}

} // namespace

TEST_CASE("what stands behind a head is seen, whatever its metadata says")
{
    for (const auto& c : changes()) {
        CAPTURE(std::string(c.name));
        CHECK(rewritten(c, {}) == c.is_read);
    }
}

TEST_CASE("what the nodes show of a head is not overruled by a word")
{
    struct saying {
        const char* name;
        box_format format;
        bool normalised;
    };
    for (const auto& right :
         {saying{"corners", box_format::xyxy, false}, saying{"a corner and a size", box_format::xywh, false},
          saying{"fractions", box_format::cxcywh, true}}) {
        CAPTURE(std::string(right.name));
        const auto c = std::find_if(changes().begin(), changes().end(),
                                    [&](const change& each) { return std::string(each.name) == right.name; });
        recognise_options said;
        said.from = export_kind::raw;
        said.head.kind = head_kind::yolo;
        said.head.class_count = static_cast<std::int64_t>(classes);
        CHECK_FALSE(rewritten(*c, said));
        said.head.kind = head_kind::boxes_scores;
        for (const auto format : {box_format::xyxy, box_format::xywh, box_format::cxcywh}) {
            CAPTURE(static_cast<int>(format));
            const bool is_right = format == right.format;
            said.boxes = format;
            said.normalised = right.normalised;
            if (is_right || !right.normalised) {
                CHECK(rewritten(*c, said) == is_right);
            }
            if (right.normalised) { // whatever they are, they are no pixels
                said.normalised = false;
                CHECK_FALSE(rewritten(*c, said));
            }
        }
    }
}
