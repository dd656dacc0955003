// SPDX-License-Identifier: Apache-2.0
// Runs exports that are not torchvision's and the models that were made from them with every option, and requires the
// bytes that a plain loop makes of the exports' outputs: sorted, grouped by image, cut, padded.

#include <doctest/doctest.h>

#include <onnx_tools/files/model_io.hpp>
#include <onnx_tools/model/check.hpp>
#include <onnx_tools/pad/pad.hpp>
#include <onnx_tools/plan/options.hpp>
#include <onnx_tools/plan/plan.hpp>
#include <onnx_tools/recognise/recognise.hpp>
#include <tests/support/check_failure.hpp>
#include <tests/support/chosen_rows.hpp>
#include <tests/support/plain_flat.hpp>
#include <tests/support/runtime.hpp>
#include <tests/support/scenes.hpp>

#include <nlohmann/json.hpp>

#include <cstdio>
#include <filesystem>
#include <fstream>

using namespace padbatch;
using namespace padbatch::onnx_tools;
using namespace padbatch::test;

namespace {

struct other_fixture {
    std::string file;
    nlohmann::json known;
    onnx::ModelProto model;

    [[nodiscard]] bool selects() const { return known.at("kind") == "nms"; }
};

std::vector<other_fixture> fixtures_of(const std::string& kind)
{
    const std::filesystem::path folder = std::filesystem::path(PADBATCH_TESTS_DATA) / "other";
    std::ifstream manifest(folder / "manifest.json");
    std::vector<other_fixture> fixtures;
    const auto all = nlohmann::json::parse(manifest);
    for (const auto& entry : all.at("fixtures")) {
        if (entry.at("kind") == kind) {
            const std::string file = entry.at("file");
            fixtures.push_back({file, entry, load_model((folder / file).string())});
        }
    }
    return fixtures;
}

flat_column column_named(const std::string& name)
{
    const std::map<std::string, flat_column> columns{
        {"batch", flat_column::batch}, {"x1", flat_column::x1},      {"y1", flat_column::y1},
        {"x2", flat_column::x2},       {"y2", flat_column::y2},      {"cx", flat_column::cx},
        {"cy", flat_column::cy},       {"w", flat_column::w},        {"h", flat_column::h},
        {"class", flat_column::label}, {"score", flat_column::score}};
    return columns.at(name);
}

// What a user has to say about the export: nothing if its columns are the usual ones.
recognise_options said_of(const other_fixture& f)
{
    recognise_options options;
    options.from = f.selects() ? export_kind::nms : export_kind::flat;
    if (f.selects()) {
        if (f.known.at("box_format") == "yxyx") {
            options.columns = {flat_column::y1, flat_column::x1, flat_column::y2, flat_column::x2};
        }
        return options;
    }
    const std::vector<std::string> names = f.known.at("columns");
    if (names != std::vector<std::string>{"batch", "x1", "y1", "x2", "y2", "class", "score"} &&
        names != std::vector<std::string>{"x1", "y1", "x2", "y2", "score", "class"}) {
        options.columns.emplace();
        for (const auto& name : names) {
            options.columns->push_back(column_named(name));
        }
    }
    return options;
}

const std::string shown = "shown_";

// The export, with what its NonMaxSuppression reads and makes as further outputs.
std::string with_selection(const other_fixture& f)
{
    auto model = f.model;
    for (const char* part : {"selected", "boxes", "scores"}) {
        auto& node = *model.mutable_graph()->add_node();
        node.set_op_type("Identity");
        node.add_input(f.known.at("nms").at(part).get<std::string>());
        node.add_output(shown + part);
        auto& output = *model.mutable_graph()->add_output();
        output.set_name(node.output(0));
        output.mutable_type()->mutable_tensor_type()->set_elem_type(
            part == std::string("selected") ? onnx::TensorProto::INT64 : onnx::TensorProto::FLOAT);
    }
    return model.SerializeAsString();
}

double at(const tensor& t, std::initializer_list<std::int64_t> place)
{
    std::size_t flat = 0;
    std::size_t d = 0;
    for (const auto i : place) {
        flat = flat * static_cast<std::size_t>(t.shape.at(d++)) + static_cast<std::size_t>(i);
    }
    return padbatch::test::detail::number_at(t, flat);
}

std::vector<flat_row> selected_rows(const other_fixture& f, const std::map<std::string, tensor>& outputs)
{
    const auto& selected = outputs.at(shown + "selected");
    const auto& boxes = outputs.at(shown + "boxes");
    const std::string format = f.known.at("box_format");
    std::vector<flat_row> rows;
    for (std::int64_t i = 0; i < selected.shape[0]; ++i) {
        const auto image = static_cast<std::int64_t>(at(selected, {i, 0}));
        const auto label = static_cast<std::int64_t>(at(selected, {i, 1}));
        const auto box = static_cast<std::int64_t>(at(selected, {i, 2}));
        std::array<double, 4> b{};
        for (std::int64_t c = 0; c < 4; ++c) {
            b[static_cast<std::size_t>(c)] = at(boxes, {image, box, c});
        }
        b = format == "cxcywh" ? corners_of(b[0], b[1], b[2], b[3], ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT)
            : format == "yxyx" ? std::array<double, 4>{b[1], b[0], b[3], b[2]}
                               : b;
        rows.push_back({static_cast<double>(image), b, static_cast<double>(label),
                        at(outputs.at(shown + "scores"), {image, label, box})});
    }
    return rows;
}

std::vector<flat_row> listed_rows(const other_fixture& f, const std::map<std::string, tensor>& outputs)
{
    const auto& list = outputs.at(f.known.at("rows"));
    const std::vector<std::string> names = f.known.at("columns");
    std::vector<flat_row> rows;
    for (std::int64_t i = 0; i < list.shape[0]; ++i) {
        const auto column = [&](const char* name) {
            return at(list, {i, std::find(names.begin(), names.end(), name) - names.begin()});
        };
        const double image =
            f.known.at("index").is_null() ? column("batch") : at(outputs.at(f.known.at("index").at("output")), {i});
        rows.push_back(
            {image, {column("x1"), column("y1"), column("x2"), column("y2")}, column("class"), column("score")});
    }
    return rows;
}

// The export's outputs for one batch of scenes.
struct export_run {
    std::vector<std::vector<float>> images;
    std::vector<std::vector<std::int64_t>> shapes;
    std::size_t batch = 0;
    std::map<std::string, tensor> outputs;
    std::vector<flat_row> rows;
};

std::vector<export_run> run_export(const other_fixture& f, GraphOptimizationLevel level)
{
    model_session session(with_selection(f), level);
    const int height = f.known.at("image_size").at(0);
    const int width = f.known.at("image_size").at(1);
    std::vector<export_run> runs;
    for (const auto& known : f.known.at("runs")) {
        export_run run;
        run.images.emplace_back();
        for (const unsigned seed : known.at("scenes").get<std::vector<unsigned>>()) {
            const auto pixels = scene(seed, height, width);
            run.images.front().insert(run.images.front().end(), pixels.begin(), pixels.end());
            ++run.batch;
        }
        run.shapes = {{static_cast<std::int64_t>(run.batch), 3, height, width}};
        run.outputs = session.run(run.images, run.shapes);
        run.rows = f.selects() ? selected_rows(f, run.outputs) : listed_rows(f, run.outputs);
        std::vector<std::int64_t> counts(run.batch);
        for (const auto& row : run.rows) {
            ++counts.at(static_cast<std::size_t>(row.image));
        }
        CHECK(counts == known.at("counts").get<std::vector<std::int64_t>>());
        runs.push_back(std::move(run));
    }
    return runs;
}

// A score that some row has, while others have less.
double middle_score(const std::vector<export_run>& runs)
{
    std::vector<double> scores;
    for (const auto& run : runs) {
        for (const auto& row : run.rows) {
            scores.push_back(row.score);
        }
    }
    REQUIRE(!scores.empty());
    std::sort(scores.begin(), scores.end());
    return scores[scores.size() / 2];
}

std::string rewritten(const other_fixture& f, const pad_options& options)
{
    auto result = f.model;
    pad(result, plan(result, recognise(result, said_of(f)), options));
    REQUIRE(complaints(result) == std::vector<std::string>());
    return result.SerializeAsString();
}

void check_variant(const other_fixture& f, const pad_options& options, std::int64_t limit,
                   std::vector<export_run>& runs, GraphOptimizationLevel level)
{
    constexpr int type = ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT;
    model_session session(rewritten(f, options), level);
    const auto declared = session.input_shapes().front().front();
    CHECK(declared == (f.known.at("batch").is_null() ? -1 : f.known.at("batch").get<std::int64_t>()));
    for (auto& run : runs) {
        CAPTURE(run.batch);
        const auto height = static_cast<int>(run.shapes.front()[2]);
        const auto width = static_cast<int>(run.shapes.front()[3]);
        auto expected = plain_flat_outputs(run.rows, run.batch, type, type, height, width, options, limit);
        if (!f.selects()) {
            for (const std::string extra : f.known.at("extra_outputs")) {
                expected.emplace_back(extra, run.outputs.at(extra));
            }
        }
        check_outputs(expected, session, session.run(run.images, run.shapes));
    }
}

void check_all(const std::string& kind, std::size_t least)
{
    const auto fixtures = fixtures_of(kind);
    REQUIRE(fixtures.size() >= least);
    for (const auto& f : fixtures) {
        CAPTURE(f.file);
        const std::int64_t most = f.known.at("max_rows");
        for (const auto level : {ORT_DISABLE_ALL, ORT_ENABLE_ALL}) {
            CAPTURE(static_cast<int>(level));
            auto runs = run_export(f, level);
            for (const auto& variant : flat_variants(most, middle_score(runs))) {
                CAPTURE(variant.name);
                check_variant(f, variant.options, most, runs, level);
            }
        }
    }
}

} // namespace

TEST_CASE("rows of all images in one list are padded with every option")
{
    check_all("flat", 8);
}

TEST_CASE("a selection from boxes and scores is padded with every option")
{
    check_all("nms", 4);
}

TEST_CASE("callers choose scores and rows of such exports in each run")
{
    for (const std::string kind : {"flat", "nms"}) {
        for (const auto& f : fixtures_of(kind)) {
            CAPTURE(f.file);
            const auto most = f.known.at("max_rows").get<std::int32_t>();
            auto runs = run_export(f, ORT_DISABLE_ALL);
            const auto middle = static_cast<float>(middle_score(runs));
            pad_options options;
            options.max_detections = std::int64_t{most};
            options.exposed = {{run_option::min_score, {}}, {run_option::max_detections, {}}};
            model_session session(rewritten(f, options), ORT_DISABLE_ALL);
            for (const run_choice choice :
                 {run_choice{0, most}, run_choice{middle, most + 5}, run_choice{-1, 1}, run_choice{middle, -3}}) {
                CAPTURE(choice.max_detections);
                for (auto& run : runs) {
                    CAPTURE(run.batch);
                    const auto got = session.run(run.images, run.shapes, choosing({choice}, false));
                    if (run.batch == 0) {
                        CHECK(got.at("boxes").shape == std::vector<std::int64_t>{0, most, 4});
                        continue;
                    }
                    std::vector<plain_image> left;
                    for (auto& image : grouped(run.rows, run.batch, onnx_number::float32, onnx_number::float32, 0, 0)) {
                        left.push_back(chosen_rows(std::move(image), {"boxes", "labels", "scores"}, choice));
                    }
                    for (const auto& output : plain_outputs({"boxes", "labels", "scores"}, left, options, most)) {
                        CAPTURE(output.first);
                        CHECK((got.at(output.first) == output.second));
                    }
                }
            }
        }
    }
}

TEST_CASE("the limit of a selection is known if the graph shows its classes, and required otherwise")
{
    for (const auto& f : fixtures_of("nms")) {
        CAPTURE(f.file);
        const auto found = recognise(f.model, said_of(f));
        const std::vector<std::string> outputs = f.known.at("outputs");
        if (outputs.size() == 3) {
            REQUIRE(found.limit);
            CHECK(found.limit->rows == f.known.at("max_rows"));
            auto runs = run_export(f, ORT_DISABLE_ALL);
            check_variant(f, {}, found.limit->rows, runs, ORT_DISABLE_ALL);
        } else {
            CHECK_FALSE(found.limit);
            check_failure(failure::refused, {"`max_detections` N", "`max_detections` batch"},
                          [&] { (void)plan(f.model, found); });
        }
    }
    for (const auto& f : fixtures_of("flat")) {
        CAPTURE(f.file);
        check_failure(failure::refused, {"`max_detections` N", "`max_detections` batch"},
                      [&] { (void)plan(f.model, recognise(f.model, said_of(f))); });
    }
}
