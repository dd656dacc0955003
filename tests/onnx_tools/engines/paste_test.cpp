// SPDX-License-Identifier: Apache-2.0
// Models padded with `--masks roi`, finished on the host by paste_masks, beside the full masks of the export.

#include <tests/onnx_tools/engines/chosen_fixtures.hpp>

#include <doctest/doctest.h>

#include <onnx_tools/files/model_io.hpp>
#include <onnx_tools/model/graph.hpp>
#include <onnx_tools/pad/pad.hpp>
#include <onnx_tools/plan/options.hpp>
#include <onnx_tools/plan/plan.hpp>
#include <onnx_tools/recognise/recognise.hpp>
#include <onnx_tools/recognise/region_masks.hpp>
#include <padbatch/detection/masks.hpp>
#include <padbatch/unpad.hpp>
#include <tests/support/runtime.hpp>
#include <tests/support/scenes.hpp>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <span>
#include <vector>

using namespace padbatch::onnx_tools;
using namespace padbatch::test;

namespace {

// The graph and the host round positions in a region mask differently. Positions are below 32, where neighbouring
// floats are 1.9e-6 apart, in each of two directions, and a probability changes by at most 1 from one position to the
// next.
constexpr float tolerance = 4e-6F;

template <typename T>
std::vector<T> elements(const tensor& t)
{
    std::vector<T> values(t.bytes.size() / sizeof(T));
    if (!values.empty()) {
        std::memcpy(values.data(), t.bytes.data(), t.bytes.size());
    }
    return values;
}

} // namespace

TEST_CASE("region masks, pasted on the host, are the full masks of the export")
{
    std::size_t pixels = 0;
    std::size_t inside = 0;
    bool any = false;
    for (const auto& f : chosen_fixtures()) {
        const auto slot = std::find(f.fields.begin(), f.fields.end(), "masks");
        const bool one_size = !f.list_input || f.batch == 1;
        if (slot == f.fields.end() || !one_size) { // a batch of full masks has one size
            continue;
        }
        any = true;
        CAPTURE(f.file.filename().string());
        auto model = load_model(f.file.string());
        pad_options options;
        options.masks = mask_choice::roi;
        pad(model, plan(model, recognise(model), options));
        model_session original(read_bytes(f.file), ORT_DISABLE_ALL);
        model_session rewritten(model.SerializeAsString(), ORT_DISABLE_ALL);
        const auto [height, width] = f.image_sizes.front();
        const auto h = static_cast<std::size_t>(height);
        const auto w = static_cast<std::size_t>(width);
        for (const auto& run : f.runs) {
            std::vector<std::vector<float>> data(1);
            for (const auto seed : run.scenes) {
                const auto image = scene(seed, height, width);
                data.front().insert(data.front().end(), image.begin(), image.end());
            }
            std::vector<std::vector<std::int64_t>> shapes{{3, height, width}};
            if (!f.list_input) {
                shapes.front().insert(shapes.front().begin(), static_cast<std::int64_t>(f.batch));
            }
            const auto loose = original.run(data, shapes);
            const auto padded = rewritten.run(data, shapes);

            const auto counts = elements<std::int32_t>(padded.at("num_detections"));
            const auto boxes = elements<float>(padded.at("boxes"));
            const auto regions = elements<float>(padded.at("masks"));
            const auto rows = static_cast<std::size_t>(padded.at("boxes").shape.at(1));
            using namespace padbatch;
            const auto batch = unpad(counts, rows, t::boxes(boxes), t::masks(regions, 1, 28, 28));
            const auto floats = paste_masks<float>(batch, h, w);
            const auto bits = paste_masks<bool>(batch, h, w);
            for (std::size_t image = 0; image < f.batch; ++image) {
                const auto& output = f.output(image, static_cast<std::size_t>(slot - f.fields.begin()));
                const auto expected = elements<float>(loose.at(output));
                const auto got = floats.image(image)[t::masks];
                const auto bit = bits.image(image)[t::masks];
                REQUIRE(got.size() * h * w == expected.size());
                float worst = 0;
                std::size_t wrong = 0;
                for (std::size_t i = 0; i < expected.size(); ++i) {
                    worst = std::max(worst, std::fabs(got.data()[i] - expected[i]));
                    // Within the tolerance of the threshold either answer is right.
                    const bool sure = std::fabs(expected[i] - 0.5F) > tolerance;
                    wrong += sure && bit.data()[i] != (expected[i] >= 0.5F) ? 1 : 0;
                    inside += expected[i] >= 0.5F ? 1 : 0;
                }
                CHECK(worst <= tolerance);
                CHECK(wrong == 0);
                pixels += expected.size();
            }
        }
    }
    if (any) {
        CHECK(pixels > 0);
        CHECK(inside > 0); // empty masks would test little
    }
}

// As a float16 graph has it that converts its outputs.
TEST_CASE("region masks have the type of the masks, whatever the mask head computes in")
{
    for (const auto& f : chosen_fixtures()) {
        if (f.file.stem() != "mask_rcnn_tv029_b1_tensor_op20") {
            continue;
        }
        auto model = load_model(f.file.string());
        const auto region = find_region_masks(graph_index(model.graph()), "masks")->value;
        auto& nodes = *model.mutable_graph()->mutable_node();
        int at = 0;
        while (nodes[at].op_type() != "Pad" || nodes[at].input(0) != region) {
            ++at;
        }
        nodes[at].set_input(0, "narrow");
        auto& narrow = *nodes.Add();
        narrow.set_op_type("Cast");
        narrow.add_input(region);
        narrow.add_output("narrow");
        auto& to = *narrow.add_attribute();
        to.set_name("to");
        to.set_type(onnx::AttributeProto::INT);
        to.set_i(onnx::TensorProto::FLOAT16);
        std::rotate(nodes.pointer_begin() + at, nodes.pointer_end() - 1, nodes.pointer_end());
        rename_value(*model.mutable_graph(), "masks", "narrow_masks");
        auto& wide = *nodes.Add();
        wide = nodes[at];
        wide.set_input(0, "narrow_masks");
        wide.set_output(0, "masks");
        wide.mutable_attribute(0)->set_i(onnx::TensorProto::FLOAT);
        for (auto& output : *model.mutable_graph()->mutable_output()) {
            if (output.name() == "narrow_masks") {
                output.set_name("masks");
            }
        }
        for (const bool dynamic : {false, true}) {
            auto rewritten = model;
            pad_options options;
            options.masks = mask_choice::roi;
            options.dynamic_batch = dynamic;
            pad(rewritten, plan(rewritten, recognise(rewritten), options));
            model_session session(rewritten.SerializeAsString(), ORT_DISABLE_ALL);
            std::vector<std::vector<float>> data{scene(1, 64, 80)};
            const auto outputs = session.run(data, {{1, 3, 64, 80}});
            CHECK(outputs.at("masks").type == onnx_number::float32);
            CHECK(outputs.at("masks").shape == std::vector<std::int64_t>{1, 10, 1, 28, 28});
        }
    }
}
