// SPDX-License-Identifier: Apache-2.0
// Rows of all images in one list, padded and run in OpenVINO: each image's rows, the best first, and the rest is
// padding.

#include <doctest/doctest.h>

#include <onnx_tools/rewrite.hpp>
#include <tests/onnx_tools/engines/openvino_model.hpp>
#include <tests/support/parse_model.hpp>
#include <tests/support/plain_outputs.hpp>

#include <cstdint>
#include <string>
#include <vector>

using namespace padbatch::onnx_tools;
using namespace padbatch::test;

namespace {

std::vector<double> numbers_of_output(const tensor& t)
{
    std::vector<double> numbers;
    for (std::size_t i = 0; i < padbatch::test::detail::elements_of(t); ++i) {
        numbers.push_back(padbatch::test::detail::number_at(t, i));
    }
    return numbers;
}

openvino_model padded_in_openvino(const std::string& text, const recognise_options& said)
{
    auto model = parse_model("<ir_version: 7, opset_import: [\"\" : 13]> g (float[B,3,4,8] images, " + text);
    rewrite_options options;
    options.recognise = said;
    options.pad.max_detections = 3;
    rewrite(model, options);
    return openvino_model(model.SerializeAsString());
}

// The inputs of a model: images, and the lists with as many rows as `labels`.
model_input input_of(std::size_t images, std::vector<float> rows, std::size_t columns, std::vector<float> more)
{
    model_input in;
    const std::size_t n = rows.size() / columns;
    in.shapes = {{images, 3, 4, 8}, {n, columns}};
    in.data = {std::vector<float>(images * 96), std::move(rows)};
    if (!more.empty()) {
        in.shapes.push_back({more.size()});
        in.data.push_back(std::move(more));
    }
    return in;
}

} // namespace

TEST_CASE("counted rows in OpenVINO")
{
    recognise_options said;
    said.from = export_kind::flat;
    said.count_output = "counts";
    said.columns = {flat_column::label, flat_column::score, flat_column::x1,
                    flat_column::y1,    flat_column::x2,    flat_column::y2};
    auto model = padded_in_openvino("float[n,6] list, float[c] numbers) => (float[n,6] rows, int32[c] counts) { rows = "
                                    "Identity(list) counts = Cast<to = 6>(numbers) }",
                                    said);
    const std::vector<float> rows{4,  0.25, 1, 2, 3, 4,  // of image 0
                                  5,  0.5,  1, 2, 3, 4,  //
                                  -1, 0.75, 1, 2, 3, 4,  // no detection
                                  6,  0.75, 5, 6, 7, 8,  // of image 2
                                  0,  0,    0, 0, 1, 1}; // no detection
    auto in = input_of(3, rows, 6, {3, 0, 2});
    const auto out = model.run(in);
    CHECK(numbers_of_output(out.at("num_detections")) == std::vector<double>{2, 0, 1});
    CHECK(numbers_of_output(out.at("labels")) == std::vector<double>{5, 4, 0, 0, 0, 0, 6, 0, 0});
    CHECK(numbers_of_output(out.at("scores")) == std::vector<double>{0.5, 0.25, 0, 0, 0, 0, 0.75, 0, 0});
    for (const std::vector<float>& counts :
         std::vector<std::vector<float>>{{3, 0, 1}, {3, 0, 3}, {0, 0, 0}, {6, -1, 0}}) {
        auto wrong = input_of(3, rows, 6, counts);
        CHECK(numbers_of_output(model.run(wrong).at("num_detections")) == std::vector<double>{0, 0, 0});
    }
}

TEST_CASE("a list that ends at a mark in OpenVINO")
{
    recognise_options said;
    said.from = export_kind::flat;
    auto model = padded_in_openvino("float[n,7] list) => (float[1,1,n,7] out) { axis = Constant<value = int64[2] {0, "
                                    "1}>() out = Unsqueeze(list, axis) }",
                                    said);
    auto in = input_of(2, {1,  7, 0.25, 0, 0, 1, 1, //
                           0,  8, 0.5,  0, 0, 1, 1, //
                           -1, 0, 0,    0, 0, 0, 0, // the end
                           0,  9, 0.75, 0, 0, 1, 1},
                       7, {});
    const auto out = model.run(in);
    CHECK(numbers_of_output(out.at("num_detections")) == std::vector<double>{1, 1});
    CHECK(numbers_of_output(out.at("labels")) == std::vector<double>{8, 0, 0, 7, 0, 0});
}
