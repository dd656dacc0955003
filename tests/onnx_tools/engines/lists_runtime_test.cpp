// SPDX-License-Identifier: Apache-2.0
// Exports that give the rows of all images in the ways of several exporters, and small graphs that pass on lists made
// up by a test. A plain loop over the export's outputs says what the padded model must give, byte for byte.

#include <doctest/doctest.h>

#include <onnx_tools/files/model_io.hpp>
#include <onnx_tools/model/check.hpp>
#include <onnx_tools/rewrite.hpp>
#include <tests/support/check_failure.hpp>
#include <tests/support/parse_model.hpp>
#include <tests/support/plain_flat.hpp>
#include <tests/support/runtime.hpp>
#include <tests/support/scenes.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

using namespace padbatch;
using namespace padbatch::onnx_tools;
using namespace padbatch::test;

namespace {

using outputs_by_name = std::map<std::string, tensor>;

double number(const tensor& t, std::size_t i)
{
    return padbatch::test::detail::number_at(t, i);
}

std::size_t rows_in(const tensor& t, std::size_t axis = 0)
{
    return static_cast<std::size_t>(t.shape.at(axis));
}

flat_row row_with(double image, const tensor& boxes, std::size_t first, double label, double score)
{
    flat_row row;
    row.image = image;
    for (std::size_t i = 0; i < 4; ++i) {
        row.corners[i] = number(boxes, first + i);
    }
    row.label = label;
    row.score = score;
    return row;
}

// What the outputs of each form mean.
std::vector<flat_row> rows_of_lists(const outputs_by_name& out)
{
    std::vector<flat_row> rows;
    for (std::size_t i = 0; i < rows_in(out.at("det_boxes")); ++i) {
        rows.push_back(row_with(number(out.at("det_batch"), i), out.at("det_boxes"), 4 * i,
                                number(out.at("det_classes"), i), number(out.at("det_scores"), i)));
    }
    return rows;
}

std::vector<double> image_of_each(const tensor& counts)
{
    std::vector<double> images;
    for (std::size_t image = 0; image < padbatch::test::detail::elements_of(counts); ++image) {
        for (double i = 0; i < number(counts, image); ++i) {
            images.push_back(static_cast<double>(image));
        }
    }
    return images;
}

std::vector<flat_row> rows_of_counted_lists(const outputs_by_name& out)
{
    std::vector<flat_row> rows;
    const auto images = image_of_each(out.at("num_dets"));
    for (std::size_t i = 0; i < images.size(); ++i) {
        rows.push_back(
            row_with(images[i], out.at("boxes"), 4 * i, number(out.at("classes"), i), number(out.at("scores"), i)));
    }
    return rows;
}

std::vector<flat_row> rows_of_super_gradients(const outputs_by_name& out)
{
    const auto& list = out.at("graph2_flat_predictions");
    std::vector<flat_row> rows;
    for (std::size_t i = 0; i < rows_in(list); ++i) {
        rows.push_back(
            row_with(number(list, 7 * i), list, 7 * i + 1, number(list, 7 * i + 6), number(list, 7 * i + 5)));
    }
    return rows;
}

std::vector<flat_row> rows_of_paddle(const tensor& list, const tensor& counts)
{
    std::vector<flat_row> rows;
    const auto images = image_of_each(counts);
    REQUIRE(images.size() == rows_in(list));
    for (std::size_t i = 0; i < images.size(); ++i) {
        const double label = number(list, 6 * i);
        const double score = number(list, 6 * i + 1);
        if (label >= 0 && score > 0) {
            rows.push_back(row_with(images[i], list, 6 * i + 2, label, score));
        }
    }
    return rows;
}

std::vector<flat_row> rows_of_detection_output(const outputs_by_name& out)
{
    const auto& list = out.at("detection_out");
    std::vector<flat_row> rows;
    for (std::size_t i = 0; i < rows_in(list, 2) && number(list, 7 * i) >= 0; ++i) {
        rows.push_back(
            row_with(number(list, 7 * i), list, 7 * i + 3, number(list, 7 * i + 1), number(list, 7 * i + 2)));
    }
    return rows;
}

std::vector<flat_row> rows_of_tiny_yolov3(const outputs_by_name& out)
{
    const auto& boxes = out.at("yolonms_layer_1");
    const auto& scores = out.at("yolonms_layer_1:1");
    const auto& selected = out.at("yolonms_layer_1:2");
    std::vector<flat_row> rows;
    for (std::size_t i = 0; i < rows_in(selected, 1); ++i) {
        const auto label = static_cast<std::size_t>(number(selected, 3 * i + 1));
        const auto box = static_cast<std::size_t>(number(selected, 3 * i + 2));
        auto row = row_with(number(selected, 3 * i), boxes, 4 * box, static_cast<double>(label),
                            number(scores, label * rows_in(scores, 2) + box));
        std::swap(row.corners[0], row.corners[1]); // y1, x1, y2, x2
        std::swap(row.corners[2], row.corners[3]);
        rows.push_back(row);
    }
    return rows;
}

std::vector<flat_row> rows_of(const std::string& form, const outputs_by_name& out)
{
    return form == "lists"              ? rows_of_lists(out)
           : form == "counted_lists"    ? rows_of_counted_lists(out)
           : form == "super_gradients"  ? rows_of_super_gradients(out)
           : form == "detection_output" ? rows_of_detection_output(out)
           : form == "tiny_yolov3"      ? rows_of_tiny_yolov3(out)
           : form == "paddle" ? rows_of_paddle(out.at("multiclass_nms3_0.tmp_0"), out.at("multiclass_nms3_0.tmp_2"))
                              : rows_of_paddle(out.at("concat_9.tmp_0"), out.at("tmp_43"));
}

struct list_run {
    std::vector<std::vector<float>> data;
    std::vector<std::vector<std::int64_t>> shapes;
    std::size_t images = 0;
    std::vector<flat_row> rows;
};

std::vector<list_run> run_list_export(const nlohmann::json& known, const onnx::ModelProto& model)
{
    model_session session(model.SerializeAsString(), ORT_ENABLE_ALL);
    const int height = known.at("image_size").at(0);
    const int width = known.at("image_size").at(1);
    std::vector<list_run> runs;
    for (const auto& wanted : known.at("runs")) {
        list_run run;
        run.data.emplace_back();
        for (const unsigned seed : wanted.at("scenes").get<std::vector<unsigned>>()) {
            const auto pixels = scene(seed, height, width);
            run.data.front().insert(run.data.front().end(), pixels.begin(), pixels.end());
            ++run.images;
        }
        const auto images = static_cast<std::int64_t>(run.images);
        run.shapes.push_back({images, 3, height, width});
        if (known.at("inputs").size() > 1) {
            run.data.emplace_back(2 * run.images, 1.0F);
            run.shapes.push_back({images, 2});
        }
        run.rows = rows_of(known.at("form"), session.run(run.data, run.shapes));
        std::vector<std::int64_t> counts(run.images);
        for (const auto& row : run.rows) {
            ++counts.at(static_cast<std::size_t>(row.image));
        }
        CHECK(counts == wanted.at("counts").get<std::vector<std::int64_t>>());
        runs.push_back(std::move(run));
    }
    return runs;
}

std::string padded(const onnx::ModelProto& model, const recognise_options& said, const pad_options& options)
{
    auto result = model;
    rewrite_options all;
    all.recognise = said;
    all.pad = options;
    rewrite(result, all);
    return result.SerializeAsString();
}

recognise_options said_of_form(const std::string& form)
{
    recognise_options said;
    if (form == "tiny_yolov3") {
        said.from = export_kind::nms;
        said.columns = {flat_column::y1, flat_column::x1, flat_column::y2, flat_column::x2};
    }
    return said;
}

// The size of the images does not tell that of these boxes.
bool needs_pixels(const pad_options& options)
{
    return options.layout == output_layout::tf_od;
}

bool has_other_units(const std::string& form)
{
    return form == "paddle" || form == "paddle_rcnn" || form == "detection_output";
}

} // namespace

TEST_CASE("lists of every exporter are recognised and padded with every option")
{
    const std::filesystem::path folder = std::filesystem::path(PADBATCH_TESTS_DATA) / "lists";
    std::ifstream manifest(folder / "manifest.json");
    const auto all = nlohmann::json::parse(manifest);
    REQUIRE(all.at("fixtures").size() == 7);
    for (const auto& known : all.at("fixtures")) {
        const std::string file = known.at("file");
        const std::string form = known.at("form");
        CAPTURE(file);
        const auto model = load_model((folder / file).string());
        auto runs = run_list_export(known, model);
        std::vector<double> scores;
        for (const auto& run : runs) {
            for (const auto& row : run.rows) {
                scores.push_back(row.score);
            }
        }
        REQUIRE(scores.size() > 10);
        std::nth_element(scores.begin(), scores.begin() + 5, scores.end());
        constexpr std::int64_t most = 12;
        for (const auto& variant : flat_variants(most, scores[5])) {
            CAPTURE(variant.name);
            if (needs_pixels(variant.options) && has_other_units(form)) {
                check_failure(failure::refused, {"`layout` tf-od"},
                              [&] { (void)padded(model, said_of_form(form), variant.options); });
                continue;
            }
            model_session session(padded(model, said_of_form(form), variant.options), ORT_ENABLE_ALL);
            for (auto& run : runs) {
                CAPTURE(run.images);
                constexpr int type = ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT;
                check_outputs(plain_flat_outputs(run.rows, run.images, type, type, known.at("image_size").at(0),
                                                 known.at("image_size").at(1), variant.options, most),
                              session, session.run(run.data, run.shapes));
            }
        }
    }
}

namespace {

// A graph whose rows, label, score and box, and counts are its inputs.
onnx::ModelProto counted_model(const std::string& type, int type_number, const std::string& count_type,
                               int count_number, int opset)
{
    return parse_model("<ir_version: 7, opset_import: [\"\" : " + std::to_string(opset) +
                       "]> g (float[B,3,4,8] images, float[n,6] list, float[c] numbers) => (" + type + "[n,6] rows, " +
                       count_type + "[c] counts) { rows = Cast<to = " + std::to_string(type_number) +
                       ">(list) counts = Cast<to = " + std::to_string(count_number) + ">(numbers) }");
}

recognise_options counted(const std::vector<flat_column>& columns)
{
    recognise_options said;
    said.from = export_kind::flat;
    said.columns = columns;
    said.count_output = "counts";
    return said;
}

const std::vector<flat_column> label_first{flat_column::label, flat_column::score, flat_column::x1,
                                           flat_column::y1,    flat_column::x2,    flat_column::y2};

struct made_up {
    std::vector<std::vector<float>> data;
    std::vector<std::vector<std::int64_t>> shapes;
    std::vector<flat_row> rows; // that are detections
};

made_up rows_with_counts(const std::vector<int>& counts, std::mt19937& draw)
{
    made_up m;
    m.data = {std::vector<float>(counts.size() * 96), {}, {}};
    for (std::size_t image = 0; image < counts.size(); ++image) {
        m.data[2].push_back(static_cast<float>(counts[image]));
        for (int i = 0; i < counts[image]; ++i) {
            flat_row row;
            row.image = static_cast<double>(image);
            row.label = static_cast<double>(draw() % 5) - 1;
            row.score = static_cast<double>(draw() % 4) / 4; // 0 too
            for (auto& corner : row.corners) {
                corner = static_cast<double>(draw() % 100);
            }
            for (const double value :
                 {row.label, row.score, row.corners[0], row.corners[1], row.corners[2], row.corners[3]}) {
                m.data[1].push_back(static_cast<float>(value));
            }
            if (row.label >= 0 && row.score > 0) {
                m.rows.push_back(row);
            }
        }
    }
    m.shapes = {{static_cast<std::int64_t>(counts.size()), 3, 4, 8},
                {static_cast<std::int64_t>(m.data[1].size()) / 6, 6},
                {static_cast<std::int64_t>(counts.size())}};
    return m;
}

pad_options at_most_rows(std::int64_t rows)
{
    pad_options options;
    options.max_detections = rows;
    return options;
}

} // namespace

TEST_CASE("counted rows go to their images, whatever the counts, their type and the opset")
{
    std::mt19937 draw(3);
    struct one_type {
        const char* name;
        int number;
    };
    const std::vector<one_type> row_types{{"float", 1}, {"float16", 10}, {"double", 11}};
    const std::vector<one_type> count_types{{"int32", 6}, {"int64", 7}, {"uint8", 2}};
    int opset = 11;
    for (const auto& rows : row_types) {
        for (const auto& count : count_types) {
            CAPTURE(rows.name);
            CAPTURE(count.name);
            CAPTURE(opset);
            model_session session(padded(counted_model(rows.name, rows.number, count.name, count.number, opset),
                                         counted(label_first), at_most_rows(6)),
                                  ORT_ENABLE_ALL);
            ++opset;
            for (const auto& counts : std::vector<std::vector<int>>{
                     {}, {0}, {5}, {0, 3}, {4, 0, 0}, {1, 0, 2, 7}, {0, 0, 0, 0, 0}, {9, 1, 9, 0, 3}}) {
                CAPTURE(counts.size());
                auto m = rows_with_counts(counts, draw);
                check_outputs(
                    plain_flat_outputs(m.rows, counts.size(), rows.number, rows.number, 4, 8, at_most_rows(6), 6),
                    session, session.run(m.data, m.shapes));
            }
        }
    }
}

TEST_CASE("a model whose counts are not those of its rows fails when it runs")
{
    std::mt19937 draw(4);
    for (const auto level : {ORT_DISABLE_ALL, ORT_ENABLE_ALL}) {
        model_session session(padded(counted_model("float", 1, "int64", 7, 13), counted(label_first), at_most_rows(6)),
                              level);
        const auto sound = rows_with_counts({2, 0, 3}, draw);
        const auto run = [&](std::vector<float> numbers) {
            auto m = sound;
            m.shapes[2] = {static_cast<std::int64_t>(numbers.size())};
            m.data[2] = std::move(numbers);
            return session.run(m.data, m.shapes);
        };
        CHECK_NOTHROW(run({2, 0, 3}));
        for (const std::vector<float>& numbers : std::vector<std::vector<float>>{
                 {2, 0, 2}, {2, 0, 4}, {0, 0, 0}, {6, -1, 0}, {2, 3}, {2, 0, 3, 0}, {5}, {-1, -1, -1}}) {
            CAPTURE(numbers.size());
            CHECK_THROWS(run(numbers));
        }
        auto none = rows_with_counts({0, 0}, draw);
        CHECK_NOTHROW(session.run(none.data, none.shapes));
        none.data[2] = {1, 0};
        CHECK_THROWS(session.run(none.data, none.shapes));
    }
}

TEST_CASE("lists beside boxes keep their types, and are as long as the boxes")
{
    const auto model = parse_model(
        "<ir_version: 7, opset_import: [\"\" : 11]> g (float[B,3,4,8] images, float[n,4] b, float[m] s, float[n] l, "
        "float[n] i) => (float16[n,4] boxes, double[m] scores, int32[n,1] labels, int64[n,1] whose) { boxes = Cast<to "
        "= "
        "10>(b) scores = Cast<to = 11>(s) li = Cast<to = 6>(l) labels = Unsqueeze<axes = [1]>(li) "
        "ii = Cast<to = 7>(i) whose = Unsqueeze<axes = [1]>(ii) }");
    recognise_options said;
    said.batch_index = "whose";
    model_session session(padded(model, said, at_most_rows(3)), ORT_ENABLE_ALL, "", ORT_LOGGING_LEVEL_FATAL);
    std::vector<flat_row> rows;
    std::vector<std::vector<float>> data{std::vector<float>(192), {}, {}, {}, {}};
    for (int i = 0; i < 7; ++i) {
        const double image = i % 3 - (i == 6 ? 1 : 0);                    // -1 and 2 are no images
        rows.push_back({image, {1.0 * i, 2, 3, 4}, 2049.0 + i, i / 8.0}); // float16 does not have all these labels
        data[1].insert(data[1].end(), {static_cast<float>(i), 2, 3, 4});
        data[2].push_back(static_cast<float>(i) / 8);
        data[3].push_back(2049.0F + static_cast<float>(i));
        data[4].push_back(static_cast<float>(image));
    }
    std::vector<std::vector<std::int64_t>> shapes{{2, 3, 4, 8}, {7, 4}, {7}, {7}, {7}};
    check_outputs(plain_flat_outputs(rows, 2, ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT16,
                                     ONNX_TENSOR_ELEMENT_DATA_TYPE_DOUBLE, 4, 8, at_most_rows(3), 3),
                  session, session.run(data, shapes));
    data[2].push_back(0.5F);
    shapes[2] = {8};
    CHECK_THROWS(session.run(data, shapes));
}

TEST_CASE("a list ends at the first row whose image is -1")
{
    const auto model =
        parse_model("<ir_version: 7, opset_import: [\"\" : 12]> g (float[B,3,4,8] images, float[n,7] list) "
                    "=> (float[1,1,n,7] out) { one = Unsqueeze<axes = [0]>(list) out = "
                    "Unsqueeze<axes = [0]>(one) }");
    recognise_options said;
    said.from = export_kind::flat;
    model_session session(padded(model, said, at_most_rows(3)), ORT_ENABLE_ALL);
    const std::vector<std::vector<double>> images{{}, {-1}, {-1, 0, 1}, {0, 1, 1, -1, 0, -1, 1}, {1, 0, 1}};
    for (const auto& list : images) {
        CAPTURE(list.size());
        std::vector<flat_row> rows;
        std::vector<std::vector<float>> data{std::vector<float>(192), {}};
        bool ended = false;
        for (std::size_t i = 0; i < list.size(); ++i) {
            const double at = static_cast<double>(i);
            const flat_row row{list[i], {at / 8, 0.25, 0.5, 0.75}, at, 1 / (at + 1)};
            ended = ended || list[i] < 0;
            if (!ended) {
                rows.push_back({row.image, row.corners, row.label, static_cast<float>(row.score)});
            }
            for (const double value :
                 {row.image, row.label, row.score, row.corners[0], row.corners[1], row.corners[2], row.corners[3]}) {
                data[1].push_back(static_cast<float>(value));
            }
        }
        std::vector<std::vector<std::int64_t>> shapes{{2, 3, 4, 8}, {static_cast<std::int64_t>(list.size()), 7}};
        constexpr int type = ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT;
        check_outputs(plain_flat_outputs(rows, 2, type, type, 4, 8, at_most_rows(3), 3), session,
                      session.run(data, shapes));
    }
}
