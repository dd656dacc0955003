// SPDX-License-Identifier: Apache-2.0
// Exports that pad their rows themselves, and the models made from them, in OpenVINO: the same rows, in the same order.

#include <tests/onnx_tools/engines/openvino_model.hpp>

#include <onnx_tools/files/model_io.hpp>
#include <onnx_tools/plan/options.hpp>
#include <onnx_tools/rewrite.hpp>
#include <tests/support/scenes.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

using namespace padbatch::onnx_tools;
using namespace padbatch::test;

namespace {

float float_at(const tensor& t, std::size_t i)
{
    float value = 0;
    std::memcpy(&value, t.bytes.data() + i * sizeof value, sizeof value);
    return value;
}

std::int64_t integer_at(const tensor& t, std::size_t i)
{
    if (t.type == onnx_number::int32) {
        std::int32_t value = 0;
        std::memcpy(&value, t.bytes.data() + i * sizeof value, sizeof value);
        return value;
    }
    std::int64_t value = 0;
    std::memcpy(&value, t.bytes.data() + i * sizeof value, sizeof value);
    return value;
}

// Three images; where there are no rows, OpenVINO makes one up, so none of them is black.
model_input three_scenes()
{
    model_input in;
    in.data.emplace_back();
    for (const unsigned seed : {3U, 4U, 5U}) {
        const auto pixels = scene(seed, 64, 80);
        in.data.front().insert(in.data.front().end(), pixels.begin(), pixels.end());
    }
    in.shapes = {{3, 3, 64, 80}};
    return in;
}

// The outputs of an export, and of the model with a place for `most` rows that is made from it.
std::pair<std::map<std::string, tensor>, std::map<std::string, tensor>> before_and_after(const std::string& file,
                                                                                         std::int64_t most)
{
    auto model = load_model((std::filesystem::path(PADBATCH_TESTS_DATA) / "padded" / file).string());
    auto in = three_scenes();
    auto before = openvino_model(model.SerializeAsString()).run(in);
    rewrite_options options;
    options.pad.max_detections = most;
    (void)rewrite(model, options);
    return {before, openvino_model(model.SerializeAsString()).run(in)};
}

// The rows of an image, in an order that does not depend on that of equal scores: OpenVINO's TopK leaves it open.
using sorted_rows = std::multiset<std::vector<float>>;

sorted_rows rows_of(const std::map<std::string, tensor>& after, std::size_t image, std::size_t most)
{
    sorted_rows rows;
    const auto count = static_cast<std::size_t>(integer_at(after.at("num_detections"), image));
    REQUIRE(count <= most);
    float last = 1;
    for (std::size_t i = image * most; i < (image + 1) * most; ++i) {
        std::vector<float> row;
        for (std::size_t c = 0; c < 4; ++c) {
            row.push_back(float_at(after.at("boxes"), i * 4 + c));
        }
        row.push_back(float_at(after.at("scores"), i));
        row.push_back(static_cast<float>(integer_at(after.at("labels"), i)));
        if (i < image * most + count) {
            CHECK(row[4] <= last);
            last = row[4];
            rows.insert(row);
        } else {
            CHECK(row == std::vector<float>(6));
        }
    }
    return rows;
}

} // namespace

TEST_CASE("rows without NonMaxSuppression are padded in OpenVINO")
{
    constexpr std::size_t rows = 20;
    const auto [before, after] = before_and_after("yolov10_any_op13.onnx", 24);
    const auto& joined = before.at("output0");
    REQUIRE(joined.shape == std::vector<std::int64_t>{3, rows, 6});
    REQUIRE(after.at("boxes").shape == std::vector<std::int64_t>{3, 24, 4});
    for (std::size_t image = 0; image < 3; ++image) {
        sorted_rows expected;
        for (std::size_t r = image * rows; r < (image + 1) * rows; ++r) {
            std::vector<float> row;
            for (std::size_t c = 0; c < 6; ++c) {
                row.push_back(float_at(joined, r * 6 + c));
            }
            expected.insert(row);
        }
        CHECK((rows_of(after, image, 24) == expected));
    }
}

TEST_CASE("rows up to the first label of -1 are padded in OpenVINO")
{
    constexpr std::size_t rows = 10;
    const auto [before, after] = before_and_after("mmdeploy_any_op11.onnx", rows);
    const auto& dets = before.at("dets");
    const auto& labels = before.at("labels");
    std::size_t all = 0;
    for (std::size_t image = 0; image < 3; ++image) {
        sorted_rows expected;
        for (std::size_t r = image * rows; r < (image + 1) * rows && integer_at(labels, r) != -1; ++r) {
            std::vector<float> row;
            for (std::size_t c = 0; c < 5; ++c) {
                row.push_back(float_at(dets, r * 5 + c));
            }
            row.push_back(static_cast<float>(integer_at(labels, r)));
            expected.insert(row);
        }
        CHECK((rows_of(after, image, rows) == expected));
        all += expected.size();
    }
    CHECK(all > 3);
    CHECK(all < 3 * rows);
}

TEST_CASE("lists and padded rows of one image run for any number of images in OpenVINO")
{
    constexpr std::size_t most = 12;
    for (const std::string file :
         {"padded/yolov10_b1_op11", "other/flat_pt113_b1_op11_end2end", "lists/paddle_rcnn_pt113_b1_op13"}) {
        CAPTURE(file);
        const auto path = (std::filesystem::path(PADBATCH_TESTS_DATA) / (file + ".onnx")).string();
        rewrite_options options;
        options.pad.max_detections = std::int64_t{most};
        auto one = load_model(path);
        (void)rewrite(one, options);
        options.pad.dynamic_batch = true;
        auto any = load_model(path);
        (void)rewrite(any, options);
        openvino_model alone(one.SerializeAsString());
        openvino_model together(any.SerializeAsString());
        auto in = three_scenes();
        const bool scaled = file.find("paddle") != std::string::npos;
        std::vector<float> scales{1, 1, 0.5F, 0.5F, 2, 1};
        if (scaled) {
            in.data.push_back(scales);
            in.shapes.push_back({3, 2});
        }
        const auto after = together.run(in);
        REQUIRE(after.at("boxes").shape == std::vector<std::int64_t>{3, most, 4});
        std::size_t all = 0;
        for (std::size_t image = 0; image < 3; ++image) {
            model_input of_image;
            for (std::size_t i = 0; i < in.data.size(); ++i) {
                const auto size = static_cast<std::ptrdiff_t>(in.data[i].size() / 3);
                const auto first = in.data[i].begin() + static_cast<std::ptrdiff_t>(image) * size;
                of_image.data.emplace_back(first, first + size);
                of_image.shapes.push_back(in.shapes[i]);
                of_image.shapes.back().front() = 1;
            }
            const auto expected = rows_of(alone.run(of_image), 0, most);
            CHECK((rows_of(after, image, most) == expected));
            all += expected.size();
        }
        CHECK(all > 3);
    }
}
