// SPDX-License-Identifier: Apache-2.0
// Runs an export and the model that was made from it in ONNX Runtime on the same images, pads the export's outputs with
// a plain loop, and requires equal bytes. Copying needs no tolerance.

#include <tests/onnx_tools/engines/chosen_fixtures.hpp>
#include <tests/support/batch_input.hpp>
#include <tests/support/with_limit.hpp>

#include <doctest/doctest.h>

#include <onnx_tools/files/model_io.hpp>
#include <onnx_tools/model/check.hpp>
#include <onnx_tools/pad/pad.hpp>
#include <onnx_tools/plan/options.hpp>
#include <onnx_tools/plan/plan.hpp>
#include <onnx_tools/recognise/recognise.hpp>
#include <tests/support/fixtures.hpp>
#include <tests/support/plain_pad.hpp>
#include <tests/support/runtime.hpp>
#include <tests/support/scenes.hpp>

#include <algorithm>
#include <filesystem>
#include <set>

#include <unistd.h>

using namespace padbatch::onnx_tools;
using namespace padbatch::test;

namespace {

using outputs = std::map<std::string, tensor>;

// The outputs of the export for one input, and what they must become.
struct expectation {
    batch_input input;
    outputs loose;
    std::vector<std::int64_t> counts;
};

const tensor& loose_output(const fixture& f, const expectation& e, std::size_t image, std::size_t slot)
{
    return e.loose.at(f.output(image, slot));
}

expectation run_original(const fixture& f, model_session& session, const std::vector<unsigned>& scenes, int larger_by)
{
    expectation e;
    e.input = make_batch_input(f, scenes, larger_by);
    e.loose = session.run(e.input.data, e.input.shapes);
    for (std::size_t i = 0; i < f.batch; ++i) {
        e.counts.push_back(loose_output(f, e, i, 0).shape.at(0));
    }
    return e;
}

bool takes_other_sizes(const model_session& session)
{
    const auto& shapes = session.input_shapes();
    return std::all_of(shapes.begin(), shapes.end(), [](const auto& shape) {
        return shape.size() >= 3 && shape.back() == -1 && shape[shape.size() - 2] == -1;
    });
}

std::vector<expectation> run_original(const fixture& f, model_session& session)
{
    std::vector<expectation> all;
    for (const auto& run : f.runs) {
        all.push_back(run_original(f, session, run.scenes, 0));
    }
    if (takes_other_sizes(session)) {
        all.push_back(run_original(f, session, f.runs.front().scenes, 9));
    }
    return all;
}

std::string padded_bytes(const std::filesystem::path& file, const pad_options& options)
{
    auto model = load_model(file.string());
    pad(model, plan(model, recognise(model), options));
    REQUIRE(complaints(model) == std::vector<std::string>());
    return model.SerializeAsString();
}

template <typename T>
std::vector<char> bytes_of(T value)
{
    std::vector<char> bytes(sizeof(T));
    std::memcpy(bytes.data(), &value, sizeof(T));
    return bytes;
}

// The bytes of one padding element: zero, or -1 for the fields of `minus_one`.
std::vector<char> pad_element(const std::string& field, int type, const std::set<std::string>& minus_one)
{
    if (minus_one.count(field) == 0) {
        return std::vector<char>(element_size(type), '\0');
    }
    switch (type) {
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT: return bytes_of(-1.0F);
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_DOUBLE: return bytes_of(-1.0);
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT16: return bytes_of(std::uint16_t{0xbc00});
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_INT32: return bytes_of(std::int32_t{-1});
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64: return bytes_of(std::int64_t{-1});
    default: FAIL("no -1 of element type ", type); return {};
    }
}

void check_run(const fixture& f, const pad_options& options, const std::set<std::string>& minus_one,
               model_session& padded, expectation& e)
{
    const std::int64_t largest = *std::max_element(e.counts.begin(), e.counts.end());
    const auto* fixed_rows = std::get_if<std::int64_t>(&options.max_detections);
    const bool of_batch = std::holds_alternative<largest_of_batch>(options.max_detections);
    const std::int64_t rows = of_batch ? largest : fixed_rows != nullptr ? *fixed_rows : f.limit;
    const auto results = padded.run(e.input.data, e.input.shapes);

    std::vector<std::string> names{"num_detections"};
    names.insert(names.end(), f.fields.begin(), f.fields.end());
    names.insert(names.end(), f.extra_outputs.begin(), f.extra_outputs.end());
    REQUIRE(padded.outputs() == names);

    tensor counts{ONNX_TENSOR_ELEMENT_DATA_TYPE_INT32, {static_cast<std::int64_t>(f.batch), 1}, {}};
    for (const auto count : e.counts) {
        const auto bytes = bytes_of(static_cast<std::int32_t>(std::min(count, rows)));
        counts.bytes.insert(counts.bytes.end(), bytes.begin(), bytes.end());
    }
    CHECK((results.at("num_detections") == counts));
    for (std::size_t slot = 0; slot < f.fields.size(); ++slot) {
        std::vector<tensor> images;
        for (std::size_t i = 0; i < f.batch; ++i) {
            images.push_back(loose_output(f, e, i, slot));
        }
        const auto expected = plain_pad(images, rows, pad_element(f.fields[slot], images.front().type, minus_one));
        const auto& got = results.at(f.fields[slot]);
        CAPTURE(f.fields[slot]);
        CHECK(got.type == expected.type);
        CHECK(got.shape == expected.shape);
        CHECK((got.bytes == expected.bytes));
    }
    for (const auto& extra : f.extra_outputs) {
        CAPTURE(extra);
        CHECK((results.at(extra) == e.loose.at(extra)));
    }
}

void check_padded(const fixture& f, const std::filesystem::path& file, const pad_options& options,
                  const std::set<std::string>& minus_one, GraphOptimizationLevel level, std::vector<expectation>& runs)
{
    CAPTURE(options.max_detections.index());
    const auto* rows = std::get_if<std::int64_t>(&options.max_detections);
    CAPTURE((rows != nullptr ? *rows : -1));
    model_session padded(padded_bytes(file, options), level);
    for (auto& e : runs) {
        CAPTURE(e.counts);
        check_run(f, options, minus_one, padded, e);
    }
}

pad_options with_rows(std::int64_t rows)
{
    pad_options options;
    options.max_detections = rows;
    return options;
}

} // namespace

TEST_CASE("a padded model gives the bytes of the original's outputs, padded")
{
    std::size_t without_rows = 0;
    for (const auto& f : chosen_fixtures()) {
        CAPTURE(f.file.filename().string());
        for (const auto level : {ORT_DISABLE_ALL, ORT_ENABLE_ALL}) {
            if (few_options() && level == ORT_DISABLE_ALL) {
                continue;
            }
            CAPTURE(level);
            model_session original(read_bytes(f.file), level);
            auto runs = run_original(f, original);
            std::int64_t largest = 0;
            for (std::size_t i = 0; i < runs.size(); ++i) {
                largest = std::max(largest, *std::max_element(runs[i].counts.begin(), runs[i].counts.end()));
                // The fixture's own record, made with the optimiser off, shows that the test sees what it is meant to
                // see.
                if (level == ORT_DISABLE_ALL && i < f.runs.size() && f.runs[i].counts) {
                    CHECK(runs[i].counts == *f.runs[i].counts);
                }
            }
            without_rows += largest == 0 ? 1 : 0;

            pad_options of_batch;
            of_batch.max_detections = largest_of_batch{};
            pad_options other_values;
            std::set<std::string> minus_one(f.fields.begin(), f.fields.end());
            for (const auto& name : f.fields) {
                other_values.pad_values[*field_from_name(name)] = -1;
            }
            check_padded(f, f.file, {}, {}, level, runs);
            check_padded(f, f.file, of_batch, {}, level, runs);
            if (few_options()) {
                continue;
            }
            check_padded(f, f.file, with_rows(1), {}, level, runs);
            check_padded(f, f.file, with_rows(std::max<std::int64_t>(1, largest - 1)), {}, level, runs);
            // The model itself then gives more rows.
            model_session higher(with_limit(load_model(f.file.string()), f.limit, f.limit + 7).SerializeAsString(),
                                 level);
            auto more = run_original(f, higher);
            check_padded(f, f.file, with_rows(f.limit + 7), {}, level, more);
            check_padded(f, f.file, other_values, minus_one, level, runs);
        }
    }
    // A model that finds nothing tests little. In a large set a few may find nothing (torchvision 0.14's R-CNNs lose
    // rows from opset 16 on, see tests/data/README.md); a single one must not.
    CHECK(without_rows * 20 <= chosen_fixtures().size());
}

TEST_CASE("an export that ONNX Runtime has optimised is padded too")
{
    const auto folder = std::filesystem::temp_directory_path() / ("padbatch-runtime-" + std::to_string(::getpid()));
    std::filesystem::create_directory(folder);
    for (const auto& f : chosen_fixtures()) {
        CAPTURE(f.file.filename().string());
        const auto optimised = folder / f.file.filename();
        const model_session once(read_bytes(f.file), ORT_ENABLE_BASIC, optimised.string());
        REQUIRE(std::filesystem::exists(optimised));
        model_session original(read_bytes(optimised), ORT_DISABLE_ALL);
        auto runs = run_original(f, original);
        check_padded(f, optimised, {}, {}, ORT_DISABLE_ALL, runs);
    }
    std::filesystem::remove_all(folder);
}
