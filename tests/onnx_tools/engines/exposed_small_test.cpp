// SPDX-License-Identifier: Apache-2.0
// Small graphs whose callers choose the lowest score and the number of rows in each run, beside the same graphs with
// options that say it once and for all: whatever the type of the scores, the order of the rows and the opset.

#include <doctest/doctest.h>

#include <onnx_tools/model/graph.hpp>
#include <onnx_tools/rewrite.hpp>
#include <tests/support/chosen_rows.hpp>
#include <tests/support/parse_model.hpp>
#include <tests/support/plain_flat.hpp>
#include <tests/support/runtime.hpp>
#include <tests/support/small_detector.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <functional>
#include <limits>
#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

using namespace padbatch::onnx_tools;
using namespace padbatch::test;

namespace {

using named_tensors = std::map<std::string, tensor>;

std::string with_options(onnx::ModelProto model, const rewrite_options& options)
{
    (void)rewrite(model, options);
    return model.SerializeAsString();
}

rewrite_options exposing_all()
{
    rewrite_options options;
    for (const auto option : all_run_options) {
        options.pad.exposed[option] = {};
    }
    return options;
}

named_tensors outputs_of(model_session& session, named_tensors inputs, const named_tensors& more = {})
{
    inputs.insert(more.begin(), more.end());
    std::vector<std::vector<float>> none;
    return session.run(none, {}, std::move(inputs));
}

// Rows with scores of which many are equal.
struct small_rows {
    std::mt19937 draw;

    named_tensors inputs(std::int64_t rows, bool sorted)
    {
        std::vector<float> boxes;
        std::vector<float> scores;
        std::vector<std::int64_t> labels;
        for (std::int64_t i = 0; i < rows; ++i) {
            for (int corner = 0; corner < 4; ++corner) {
                boxes.push_back(static_cast<float>(draw() % 512) / 8);
            }
            labels.push_back(static_cast<std::int64_t>(draw() % 90));
            scores.push_back(static_cast<float>(1 + draw() % 9) / 10);
        }
        if (sorted) {
            std::sort(scores.begin(), scores.end(), std::greater<>());
        }
        auto four = numbers_tensor(onnx_number::float32, boxes, false);
        four.shape = {rows, 4};
        return {{"all_boxes", four},
                {"all_labels", numbers_tensor(onnx_number::int64, labels, false)},
                {"all_scores", numbers_tensor(onnx_number::float32, scores, false)}};
    }
};

// A detector whose limit can be changed; its scores are converted to `type` after the cut.
onnx::ModelProto converting(const std::string& type, int onnx_type, int opset)
{
    return parse_model("<ir_version: 7, opset_import: [\"\" : " + std::to_string(opset) +
                       "]> g (float[n,4] all_boxes, int64[n] all_labels, float[n] all_scores) => (float[a,4] boxes, "
                       "int64[a] labels, " +
                       type +
                       "[a] scores) { zero = Constant<value = int64[1] {0}>() all = Shape(all_scores) "
                       "limit = Constant<value = int32[1] {7}>() from = Constant<value = int32[1] {0}>() "
                       "best, keep = TopK(all_scores, all) min_score = Slice(keep, from, limit, from) "
                       "boxes = Gather(all_boxes, min_score) labels = Gather(all_labels, min_score) "
                       "s = Gather(all_scores, min_score) scores = Cast<to = " +
                       std::to_string(onnx_type) + ">(s) }");
}

// The rows that `fixed` has must be the first of `got`, and all others padding.
void check_first_rows(const named_tensors& got, const named_tensors& fixed)
{
    for (const auto& output : fixed) {
        const auto& name = output.first;
        const auto& value = output.second;
        CAPTURE(name);
        const auto& all = got.at(name);
        REQUIRE(all.shape.size() == value.shape.size());
        if (name == "num_detections") {
            CHECK((all == value));
            continue;
        }
        const auto images = static_cast<std::size_t>(value.shape.front());
        const auto size = value.bytes.size() / images;
        const auto whole = all.bytes.size() / images;
        REQUIRE(size <= whole);
        for (std::size_t image = 0; image < images; ++image) {
            const char* const begin = all.bytes.data() + image * whole;
            CHECK(std::memcmp(begin, value.bytes.data() + image * size, size) == 0);
            CHECK(std::string(begin + size, begin + whole) == std::string(whole - size, '\0'));
        }
    }
}

// Every choice of a number of rows gives what --max-detections gives.
void check_rows(const onnx::ModelProto& model, const rewrite_options& options, const named_tensors& inputs,
                std::int32_t most)
{
    model_session session(with_options(model, options), ORT_ENABLE_ALL);
    for (const std::int32_t rows : {-3, 0, 1, 2, 5, 6, 7, 8, 9, most, most + 5}) {
        CAPTURE(rows);
        const auto got = outputs_of(session, inputs, choosing({{0, rows}}, false));
        auto fixed = options;
        fixed.pad.exposed.clear();
        fixed.pad.max_detections = std::int64_t{std::min(std::max(rows, 1), most)};
        if (rows > 0) {
            model_session other(with_options(model, fixed), ORT_ENABLE_ALL);
            check_first_rows(got, outputs_of(other, inputs));
        } else {
            CHECK(got.at("num_detections").bytes == std::vector<char>(got.at("num_detections").bytes.size(), '\0'));
            CHECK(got.at("boxes").bytes == std::vector<char>(got.at("boxes").bytes.size(), '\0'));
        }
    }
}

} // namespace

TEST_CASE("a score that is chosen drops the rows that --min-score drops, for scores of every type")
{
    small_rows some{std::mt19937(11)};
    struct scores_of {
        std::string name;
        int onnx;
    };
    for (const auto& type : {scores_of{"float", onnx_number::float32}, scores_of{"float16", onnx_number::float16},
                             scores_of{"double", onnx_number::float64}}) {
        CAPTURE(type.name);
        for (const bool movable : {true, false}) {
            CAPTURE(movable);
            auto model = converting(type.name, type.onnx, 13);
            rewrite_options options;
            if (!movable) { // another output depends on the cut
                options.recognise.fields = {field::boxes, field::labels, field::scores};
                options.recognise.batch = 1;
                auto& output = *model.mutable_graph()->add_output();
                output.set_name("min_score");
                output.mutable_type()->mutable_tensor_type()->set_elem_type(onnx::TensorProto::INT64);
                rename_value(*model.mutable_graph(), "min_score", "rows");
            }
            auto exposed = options;
            exposed.pad.exposed[run_option::min_score] = {};
            model_session session(with_options(model, exposed), ORT_ENABLE_ALL);
            const auto inputs = some.inputs(12, false);
            std::vector<float> scores{
                1, 0.5F, 0.4F, 0.2F, 0.7F, std::nextafter(0.7F, 1.0F), std::nextafter(0.7F, 0.0F), 0.3F};
            std::uniform_real_distribution<float> any(0.05F, 1.0F);
            for (int i = 0; i < 6; ++i) {
                scores.push_back(any(some.draw));
            }
            for (const float score : scores) {
                CAPTURE(score);
                auto fixed = options;
                fixed.pad.min_score = static_cast<double>(score);
                model_session other(with_options(model, fixed), ORT_ENABLE_ALL);
                CHECK((outputs_of(session, inputs,
                                  {{"min_score", numbers_tensor(onnx_number::float32, std::vector{score}, false)}}) ==
                       outputs_of(other, inputs)));
            }
        }
    }
}

TEST_CASE("0 keeps all rows, whatever their scores are, and NaN keeps none")
{
    auto options = exposing_all();
    options.pad.exposed.erase(run_option::max_detections);
    const auto model = converting("float", onnx_number::float32, 13);
    model_session session(with_options(model, options), ORT_ENABLE_ALL);
    model_session without(with_options(model, {}), ORT_ENABLE_ALL);
    auto inputs = small_rows{std::mt19937(12)}.inputs(4, false);
    inputs["all_scores"] = numbers_tensor(
        onnx_number::float32, std::vector<float>{-2, 0.5F, std::numeric_limits<float>::quiet_NaN(), 0}, false);
    const auto with = [&](float score) {
        return outputs_of(session, inputs,
                          {{"min_score", numbers_tensor(onnx_number::float32, std::vector{score}, false)}});
    };
    const auto all = outputs_of(without, inputs);
    CHECK(all.at("num_detections").bytes == std::vector<char>{4, 0, 0, 0});
    for (const float score : {0.0F, -0.0F, -1.0F, -std::numeric_limits<float>::infinity()}) {
        CAPTURE(score);
        CHECK((with(score) == all));
    }
    CHECK(with(0.25F).at("num_detections").bytes == std::vector<char>{1, 0, 0, 0});
    CHECK(with(std::numeric_limits<float>::infinity()).at("num_detections").bytes == std::vector<char>(4, '\0'));
    CHECK(with(std::numeric_limits<float>::quiet_NaN()).at("num_detections").bytes == std::vector<char>(4, '\0'));
}

TEST_CASE("a number of rows that is chosen keeps those that --max-detections keeps")
{
    small_rows some{std::mt19937(13)};
    auto options = exposing_all();
    SUBCASE("at the cut, whose bounds are int32")
    {
        for (const int opset : {11, 18, 21}) {
            check_rows(converting("float", onnx_number::float32, opset), options, some.inputs(30, false), 7);
        }
        check_rows(converting("float", onnx_number::float32, 13), options, some.inputs(3, false), 7);
    }
    SUBCASE("at the end, where the order of the rows is not known")
    {
        auto inputs = some.inputs(30, false);
        for (const std::string keep : {"keep0", "keep1"}) {
            std::vector<std::int64_t> rows;
            for (std::int64_t i = 0; i < 12; ++i) {
                rows.push_back((i * 7 + (keep == "keep1" ? 3 : 0)) % 30);
            }
            inputs[keep] = numbers_tensor(onnx_number::int64, rows, false);
        }
        for (const int opset : {11, 17}) {
            const auto model = small_detector({2, opset, "7", ""});
            check_rows(model, options, inputs, 7);
            options.pad.max_detections = std::int64_t{5};
            check_rows(model, options, inputs, 5);
            options.pad.max_detections = std::int64_t{9}; // more than the model gives
            check_rows(model, options, inputs, 9);
        }
    }
    SUBCASE("at the end, where no limit is known")
    {
        const auto model = parse_model("<ir_version: 7, opset_import: [\"\" : 11]> g (float[n,4] all_boxes, int64[n] "
                                       "all_labels, float[n] all_scores) => (float[n,4] b, int64[n] l, float[n] s) { "
                                       "b = Identity(all_boxes) l = Identity(all_labels) s = Identity(all_scores) }");
        options.pad.max_detections = std::int64_t{9};
        check_rows(model, options, some.inputs(30, false), 9);
        check_rows(model, options, some.inputs(4, false), 9);
        options.pad.max_detections = largest_of_batch{};
        model_session session(with_options(model, options), ORT_ENABLE_ALL);
        for (const std::int32_t rows : {0, 1, 12, 30, 99}) {
            const auto got = outputs_of(session, some.inputs(30, false), choosing({{0, rows}}, false));
            CHECK(got.at("boxes").shape == std::vector<std::int64_t>{1, std::min(rows, 30), 4});
        }
    }
}

TEST_CASE("scores and rows are chosen in the order of the fixed options")
{
    small_rows some{std::mt19937(14)};
    const auto inputs = some.inputs(40, false);
    const auto model = converting("float", onnx_number::float32, 13);
    for (const bool dropped : {false, true}) {
        CAPTURE(dropped);
        auto options = exposing_all();
        options.pad.classes = class_choice{{}, dropped};
        for (std::int64_t label = 0; label < 90; label += dropped ? 9 : 3) {
            options.pad.classes->labels.push_back(label);
        }
        model_session session(with_options(model, options), ORT_ENABLE_ALL);
        for (const run_choice choice : {run_choice{0.5F, 3}, run_choice{0.9F, 7}, run_choice{0.2F, 5}}) {
            CAPTURE(choice.min_score);
            auto fixed = options;
            fixed.pad.exposed.clear();
            fixed.pad.min_score = static_cast<double>(choice.min_score);
            fixed.pad.max_detections = std::int64_t{choice.max_detections};
            model_session other(with_options(model, fixed), ORT_ENABLE_ALL);
            check_first_rows(outputs_of(session, inputs, choosing({choice}, false)), outputs_of(other, inputs));
        }
    }
}

TEST_CASE("a default is what a run gets that does not choose, and can be overridden")
{
    small_rows some{std::mt19937(15)};
    const auto inputs = some.inputs(40, false);
    for (const int version : {3, 7}) {
        CAPTURE(version);
        auto model = converting("float", onnx_number::float32, 11);
        model.set_ir_version(version);
        if (version == 3) { // a weight that is also an input, as all were
            auto& weight = *model.mutable_graph()->add_initializer();
            weight.set_name("weight");
            weight.set_data_type(onnx::TensorProto::FLOAT);
            weight.add_float_data(1);
            auto& info = *model.mutable_graph()->add_input();
            info.set_name("weight");
            info.mutable_type()->mutable_tensor_type()->set_elem_type(onnx::TensorProto::FLOAT);
            info.mutable_type()->mutable_tensor_type()->mutable_shape();
        }
        rewrite_options options;
        options.pad.exposed[run_option::min_score] = {0.5, false};
        options.pad.exposed[run_option::max_detections] = {3.0, false};
        const auto bytes = with_options(model, options);
        onnx::ModelProto result;
        REQUIRE(result.ParseFromString(bytes));
        CHECK(result.ir_version() == std::max(version, 4));
        CHECK(result.graph().input_size() == 5);
        model_session session(bytes, ORT_ENABLE_ALL);
        CHECK(session.inputs() == std::vector<std::string>{"all_boxes", "all_labels", "all_scores"});
        const auto count = [&](const named_tensors& chosen) {
            return static_cast<int>(outputs_of(session, inputs, chosen).at("num_detections").bytes.front());
        };
        CHECK(count({}) == 3);
        CHECK(count({{"max_detections", numbers_tensor(onnx_number::int32, std::vector<std::int32_t>{7}, false)}}) ==
              7);
        CHECK(count({{"min_score", numbers_tensor(onnx_number::float32, std::vector<float>{2}, false)}}) == 0);
        CHECK(count(choosing({{0, 100}}, false)) == 7);
    }
}

TEST_CASE("images of a loop choose as they do alone, where rows are chosen at the end")
{
    // The pixels are the scores.
    const auto model = parse_model(
        "<ir_version: 7, opset_import: [\"\" : 12]> g (float[1,3,2,3] images) => (float[n,4] boxes, int64[n] labels, "
        "float[n] scores) { all = Constant<value = int64[1] {-1}>() ten = Constant<value = float {10}>() "
        "s = Reshape(images, all) scores = Identity(s) u = Unsqueeze<axes = [1]>(s) "
        "boxes = Concat<axis = 1>(u, u, u, u) t = Mul(s, ten) labels = Cast<to = 7>(t) }");
    auto one = exposing_all();
    one.recognise.fields = {field::boxes, field::labels, field::scores};
    one.pad.max_detections = std::int64_t{9};
    auto any = one;
    any.pad.dynamic_batch = true;
    for (const auto option : all_run_options) {
        any.pad.exposed[option].per_image = true;
    }
    model_session alone(with_options(model, one), ORT_ENABLE_ALL);
    model_session looped(with_options(model, any), ORT_ENABLE_ALL);
    std::mt19937 draw(17);
    const std::vector<run_choice> choices{{0, 9}, {0.5F, 4}, {0.3F, 0}, {-1, 3}, {0.7F, 99}};
    std::vector<std::vector<float>> batch(1);
    named_tensors expected;
    for (const auto& choice : choices) {
        std::vector<std::vector<float>> image(1);
        for (int i = 0; i < 18; ++i) {
            image.front().push_back(static_cast<float>(1 + draw() % 9) / 10);
        }
        batch.front().insert(batch.front().end(), image.front().begin(), image.front().end());
        for (auto& [name, value] : alone.run(image, {{1, 3, 2, 3}}, choosing({choice}, false))) {
            auto& all = expected.emplace(name, tensor{value.type, value.shape, {}}).first->second;
            all.shape.front() = static_cast<std::int64_t>(choices.size());
            all.bytes.insert(all.bytes.end(), value.bytes.begin(), value.bytes.end());
        }
    }
    CHECK(expected.at("num_detections").bytes[0] == 9);
    CHECK((looped.run(batch, {{5, 3, 2, 3}}, choosing(choices, true)) == expected));
}

TEST_CASE("rows of all images in one list are chosen too")
{
    std::mt19937 draw(16);
    for (const int opset : {11, 13, 22}) {
        CAPTURE(opset);
        const auto model = parse_model("<ir_version: 7, opset_import: [\"\" : " + std::to_string(opset) +
                                       "]> g (float[B,3,4,8] images, float[n,7] list) => (float[n,7] rows) { rows = "
                                       "Identity(list) }");
        for (const bool of_batch : {false, true}) {
            CAPTURE(of_batch);
            auto options = exposing_all();
            options.recognise.from = export_kind::flat;
            using enum flat_column;
            options.recognise.columns = {batch, x1, y1, x2, y2, label, score};
            options.pad.max_detections = std::int64_t{6};
            if (of_batch) {
                options.pad.max_detections = largest_of_batch{};
            }
            model_session session(with_options(model, options), ORT_ENABLE_ALL);
            for (const std::size_t images : {0U, 1U, 3U}) {
                std::vector<flat_row> rows;
                std::vector<float> list;
                for (std::size_t i = 0; i < 9 * images; ++i) {
                    rows.push_back({static_cast<double>(draw() % images),
                                    {1, 2, 3, 4 + static_cast<double>(i)},
                                    5,
                                    static_cast<double>(1 + draw() % 8) / 8});
                    for (const double value :
                         {rows.back().image, 1.0, 2.0, 3.0, rows.back().corners[3], 5.0, rows.back().score}) {
                        list.push_back(static_cast<float>(value));
                    }
                }
                for (const run_choice choice : {run_choice{0, 6}, run_choice{0.5F, 6}, run_choice{0.51F, 2},
                                                run_choice{-1, 99}, run_choice{0.25F, 0}, run_choice{0, -1}}) {
                    CAPTURE(choice.min_score);
                    CAPTURE(choice.max_detections);
                    std::vector<plain_image> left;
                    for (auto& image : grouped(rows, images, onnx_number::float32, onnx_number::float32, 4, 8)) {
                        left.push_back(chosen_rows(
                            std::move(image), {"boxes", "labels", "scores"},
                            {choice.min_score, of_batch ? choice.max_detections : std::min(choice.max_detections, 6)}));
                    }
                    std::vector<std::vector<float>> data{std::vector<float>(images * 3 * 4 * 8), list};
                    const auto got = session.run(
                        data,
                        {{static_cast<std::int64_t>(images), 3, 4, 8}, {static_cast<std::int64_t>(rows.size()), 7}},
                        choosing({choice}, false));
                    if (images == 0) {
                        CHECK(got.at("boxes").shape == std::vector<std::int64_t>{0, of_batch ? 0 : 6, 4});
                        continue;
                    }
                    check_outputs(plain_outputs({"boxes", "labels", "scores"}, left, options.pad, 6), session, got);
                }
            }
        }
    }
}
