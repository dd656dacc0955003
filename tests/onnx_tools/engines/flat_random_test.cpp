// SPDX-License-Identifier: Apache-2.0
// Small graphs that pass on rows made up by a test: ties, images that do not exist, no rows, no images, in every
// element type, column order and opset.

#include <doctest/doctest.h>

#include <onnx_tools/model/check.hpp>
#include <onnx_tools/pad/pad.hpp>
#include <onnx_tools/plan/options.hpp>
#include <onnx_tools/plan/plan.hpp>
#include <onnx_tools/recognise/recognise.hpp>
#include <tests/support/parse_model.hpp>
#include <tests/support/plain_flat.hpp>
#include <tests/support/runtime.hpp>

#include <iterator>
#include <limits>
#include <random>

using namespace padbatch;
using namespace padbatch::onnx_tools;
using namespace padbatch::test;

namespace {

constexpr int height = 4;
constexpr int width = 8;

struct list_type {
    std::string name;
    int onnx;
};
const std::array<list_type, 3> types{{{"float", ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT},
                                      {"float16", ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT16},
                                      {"double", ONNX_TENSOR_ELEMENT_DATA_TYPE_DOUBLE}}};

std::string head(int opset)
{
    return "<ir_version: 7, opset_import: [\"\" : " + std::to_string(opset) + "]> g (float[B,3,4,8] images, ";
}

// Rows [n, 7] in another type.
onnx::ModelProto list_model(const list_type& type, int opset)
{
    return parse_model(head(opset) + "float[n,7] list) => (" + type.name +
                       "[n,7] rows) { rows = Cast<to = " + std::to_string(type.onnx) + ">(list) }");
}

struct numbers {
    std::mt19937 draw;

    int below(int bound) { return static_cast<int>(draw() % static_cast<unsigned>(bound)); }

    // Few different scores, so that many are equal; boxes and labels that all types can hold.
    flat_row row(std::size_t images, bool strays)
    {
        flat_row r;
        r.image = below(static_cast<int>(images) + (strays ? 3 : 0));
        r.image = strays && below(9) == 0 ? -1 - below(2) : r.image;
        for (auto& corner : r.corners) {
            corner = below(512) / 8.0;
        }
        r.label = below(91);
        r.score = (1 + below(8)) / 8.0;
        return r;
    }
};

using run_inputs = std::pair<std::vector<std::vector<float>>, std::vector<std::vector<std::int64_t>>>;

// The images, which are never looked at, and a list with the columns batch, x1, y1, x2, y2, label, score.
run_inputs inputs_of(const std::vector<flat_row>& rows, std::size_t images)
{
    run_inputs in;
    in.first.emplace_back(images * 3 * height * width);
    in.first.emplace_back();
    for (const auto& row : rows) {
        for (const double value :
             {row.image, row.corners[0], row.corners[1], row.corners[2], row.corners[3], row.label, row.score}) {
            in.first.back().push_back(static_cast<float>(value));
        }
    }
    in.second = {{static_cast<std::int64_t>(images), 3, height, width}, {static_cast<std::int64_t>(rows.size()), 7}};
    return in;
}

std::string rewritten(onnx::ModelProto model, const recognise_options& said, const pad_options& options)
{
    pad(model, plan(model, recognise(model, said), options));
    REQUIRE(complaints(model) == std::vector<std::string>());
    return model.SerializeAsString();
}

recognise_options flat_with(const std::vector<flat_column>& columns)
{
    recognise_options said;
    said.from = export_kind::flat;
    if (!columns.empty()) {
        said.columns = columns;
    }
    return said;
}

const std::vector<flat_column> with_batch{flat_column::batch, flat_column::x1,    flat_column::y1,   flat_column::x2,
                                          flat_column::y2,    flat_column::label, flat_column::score};
const std::vector<flat_column> without_batch{flat_column::x1, flat_column::y1,    flat_column::x2,
                                             flat_column::y2, flat_column::score, flat_column::label};

pad_options at_most(std::int64_t rows)
{
    pad_options options;
    options.max_detections = rows;
    return options;
}

pad_options of_batch()
{
    pad_options options;
    options.max_detections = largest_of_batch{};
    return options;
}

} // namespace

TEST_CASE("rows with many equal scores, of images in any order and of none, are grouped as a stable sort does")
{
    numbers some{std::mt19937(5)};
    for (const auto& type : types) {
        CAPTURE(type.name);
        for (const auto& variant : flat_variants(6, 0.5)) {
            const auto& options = variant.options;
            CAPTURE(variant.name);
            model_session session(rewritten(list_model(type, 13), flat_with(with_batch), options), ORT_ENABLE_ALL);
            for (const std::size_t images : {0U, 1U, 2U, 8U}) {
                for (const int n : {0, 1, 5, 60}) {
                    CAPTURE(images);
                    CAPTURE(n);
                    std::vector<flat_row> rows;
                    for (int i = 0; i < n; ++i) {
                        rows.push_back(some.row(images, true));
                    }
                    auto [data, shapes] = inputs_of(rows, images);
                    check_outputs(plain_flat_outputs(rows, images, type.onnx, type.onnx, height, width, options, 6),
                                  session, session.run(data, shapes));
                }
            }
        }
    }
}

TEST_CASE("the nodes run in every opset from 11 on")
{
    numbers some{std::mt19937(6)};
    std::vector<flat_row> rows;
    for (int i = 0; i < 40; ++i) {
        rows.push_back(some.row(3, true));
    }
    auto [data, shapes] = inputs_of(rows, 3);
    for (int opset = 11; opset <= 23; ++opset) {
        CAPTURE(opset);
        for (auto options : {at_most(4), of_batch()}) {
            options.min_score = 0.25;
            options.layout = output_layout::tf_od;
            model_session session(rewritten(list_model(types[0], opset), flat_with(with_batch), options),
                                  ORT_ENABLE_ALL);
            check_outputs(plain_flat_outputs(rows, 3, types[0].onnx, types[0].onnx, height, width, options, 4), session,
                          session.run(data, shapes));
        }
    }
}

TEST_CASE("rows of a list are chosen by their labels, and the best of them are kept")
{
    numbers some{std::mt19937(9)};
    std::vector<flat_row> rows;
    for (int i = 0; i < 60; ++i) {
        rows.push_back(some.row(3, true));
        rows.back().label = some.below(4);
    }
    for (const bool dropped : {false, true}) {
        CAPTURE(dropped);
        std::vector<flat_row> chosen;
        std::copy_if(rows.begin(), rows.end(), std::back_inserter(chosen),
                     [&](const auto& row) { return (row.label == 0 || row.label == 2) != dropped; });
        for (auto options : {at_most(4), of_batch()}) {
            options.classes = class_choice{{2, 0, 9}, dropped};
            model_session session(rewritten(list_model(types[0], 11), flat_with(with_batch), options), ORT_ENABLE_ALL);
            auto [data, shapes] = inputs_of(rows, 3);
            check_outputs(plain_flat_outputs(chosen, 3, types[0].onnx, types[0].onnx, height, width, options, 4),
                          session, session.run(data, shapes));
        }
    }
}

TEST_CASE("rows of images far outside the batch, or of no number, are dropped")
{
    std::vector<flat_row> rows;
    for (const double image : {1e9, 0.0, -1e9, std::numeric_limits<double>::quiet_NaN(), 1.0,
                               std::numeric_limits<double>::infinity(), 2.0, 0.0}) {
        rows.push_back({image, {1, 2, 3, 4}, 5, (1 + static_cast<double>(rows.size())) / 16});
    }
    for (const auto& options : {at_most(2), of_batch()}) {
        model_session session(rewritten(list_model(types[0], 17), flat_with(with_batch), options), ORT_ENABLE_ALL);
        auto [data, shapes] = inputs_of(rows, 2);
        const auto got = session.run(data, shapes);
        check_outputs(plain_flat_outputs(rows, 2, types[0].onnx, types[0].onnx, height, width, options, 2), session,
                      got);
        CHECK(padbatch::test::detail::number_at(got.at("num_detections"), 0) == 2);
        CHECK(padbatch::test::detail::number_at(got.at("num_detections"), 1) == 1);
    }
}

TEST_CASE("boxes by their center and size, in columns of any order, become corners")
{
    using enum flat_column;
    numbers some{std::mt19937(7)};
    for (const auto& type : types) {
        CAPTURE(type.name);
        const auto model = list_model(type, 16);
        // The list is read as score, h, w, cy, cx, label, batch.
        model_session session(rewritten(model, flat_with({score, h, w, cy, cx, label, batch}), at_most(9)),
                              ORT_DISABLE_ALL);
        std::vector<float> list;
        std::vector<flat_row> rows;
        for (int i = 0; i < 30; ++i) {
            const auto row = some.row(2, false);
            const std::array<double, 4> box{row.corners[0], row.corners[1], 1 + some.below(99) / 8.0,
                                            some.below(99) / 4.0};
            for (const double value : {row.score, box[3], box[2], box[1], box[0], row.label, row.image}) {
                list.push_back(static_cast<float>(value));
            }
            rows.push_back(row);
            rows.back().corners = corners_of(box[0], box[1], box[2], box[3], type.onnx);
        }
        std::vector<std::vector<float>> data{std::vector<float>(2UL * 3 * height * width), list};
        const auto got = session.run(data, {{2, 3, height, width}, {30, 7}});
        check_outputs(plain_flat_outputs(rows, 2, type.onnx, type.onnx, height, width, at_most(9), 9), session, got);
    }
}

TEST_CASE("another output holds the image of each row, in any type, as [n] or [n, 1]")
{
    numbers some{std::mt19937(8)};
    std::vector<flat_row> rows;
    std::vector<float> list;
    std::vector<float> index;
    for (int i = 0; i < 25; ++i) {
        rows.push_back(some.row(3, true));
        const auto& row = rows.back();
        for (const double value :
             {row.corners[0], row.corners[1], row.corners[2], row.corners[3], row.score, row.label}) {
            list.push_back(static_cast<float>(value));
        }
        index.push_back(static_cast<float>(row.image));
    }
    for (const std::string type : {"float", "int32", "int64", "int8", "double"}) {
        for (const std::string shape : {"[n]", "[n,1]"}) {
            CAPTURE(type + shape);
            const auto to = type == "float" ? 1 : type == "int32" ? 6 : type == "int64" ? 7 : type == "int8" ? 3 : 11;
            const auto model = parse_model(head(11) + "float[n,6] list, float" + shape + " index) => (" + type + shape +
                                           " of, float[n,6] rows) { of = Cast<to = " + std::to_string(to) +
                                           ">(index) rows = Identity(list) }");
            model_session session(rewritten(model, flat_with(without_batch), of_batch()), ORT_ENABLE_ALL);
            std::vector<std::vector<float>> data{std::vector<float>(3UL * 3 * height * width), list, index};
            const std::vector<std::int64_t> index_shape =
                shape == "[n]" ? std::vector<std::int64_t>{25} : std::vector<std::int64_t>{25, 1};
            const auto got = session.run(data, {{3, 3, height, width}, {25, 6}, index_shape});
            check_outputs(plain_flat_outputs(rows, 3, types[0].onnx, types[0].onnx, height, width, of_batch(), 0),
                          session, got);
        }
    }
}

TEST_CASE("a selection without a NonMaxSuppression, padded with -1, is read by its types")
{
    const auto model = parse_model(
        head(13) +
        "float[n,3] picked, float[B,k,4] p, float[B,C,k] q) => (int64[n,3] rows, float[B,k,4] boxes, "
        "double[B,C,k] scores) { rows = Cast<to = 7>(picked) boxes = Identity(p) scores = Cast<to = 11>(q) }");
    recognise_options said;
    said.from = export_kind::nms;
    model_session session(rewritten(model, said, at_most(3)), ORT_ENABLE_ALL);
    // Two images, two classes, two boxes.
    std::vector<std::vector<float>> data{std::vector<float>(2UL * 3 * height * width),
                                         {1, 0, 1, 0, 1, 0, 1, 1, 0, -1, -1, -1},
                                         {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16},
                                         {0.1F, 0.2F, 0.3F, 0.4F, 0.5F, 0.6F, 0.7F, 0.8F}};
    const auto got = session.run(data, {{2, 3, height, width}, {4, 3}, {2, 2, 4}, {2, 2, 2}});
    const std::vector<flat_row> rows{
        {1, {13, 14, 15, 16}, 0, 0.6F}, {0, {1, 2, 3, 4}, 1, 0.3F}, {1, {9, 10, 11, 12}, 1, 0.7F}};
    check_outputs(plain_flat_outputs(rows, 2, types[0].onnx, types[2].onnx, height, width, at_most(3), 3), session,
                  got);
}
