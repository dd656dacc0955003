// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/cli/job.hpp>

#include <onnx_tools/rewrite.hpp>
#include <tests/support/check_failure.hpp>
#include <tests/support/small_detector.hpp>
#include <tests/support/temporary_folder.hpp>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <string>

// The command's steps for models in memory.

using namespace padbatch::onnx_tools;
using namespace padbatch::test;
using nlohmann::json;

namespace {

cli::options small_options()
{
    cli::options o;
    o.rewrite.pad.max_detections = 3;
    return o;
}

} // namespace

TEST_CASE("a model in memory is padded as the library does, and can be written")
{
    const temporary_folder folder;
    auto o = small_options();
    auto padded = small_detector();
    const auto what = cli::pad(padded, o);
    CHECK(what.declared.size() == small_detector().graph().output_size());
    CHECK(what.plan.max_detections == 3);
    CHECK(cli::serving_warnings(o, what, padded).empty());

    auto expected = small_detector();
    (void)rewrite(expected, o.rewrite);
    CHECK(padded.SerializeAsString() == expected.SerializeAsString());

    o.out = folder.file("out.onnx");
    cli::require_savable(o, {});
    cli::save(o, {}, padded);
    CHECK(load_model(o.out).SerializeAsString() == expected.SerializeAsString());
    check_failure(failure::io, {"out.onnx"}, [&] { cli::require_savable(o, {}); });
}

TEST_CASE("the words true and false are for fields of bool")
{
    auto o = small_options();
    o.rewrite.pad.pad_values[field::labels] = std::int64_t{1};
    o.pad_words.insert(field::labels);
    auto model = small_detector();
    check_failure(failure::usage, {"--pad-value labels is a word"}, [&] { (void)cli::pad(model, o); });
}

TEST_CASE("a repository has warnings of its own, and is written instead of a file")
{
    const temporary_folder folder;
    auto o = small_options();
    o.triton.emplace();
    o.triton->repository = folder.file("models");
    o.triton->model_name = "detector";
    o.triton->max_batch_size = 0;
    auto model = small_detector();
    const auto what = cli::pad(model, o);
    cli::require_savable(o, {});
    cli::save(o, {}, model);
    CHECK(load_model(folder.file("models/detector/1/model.onnx")).SerializeAsString() == model.SerializeAsString());
    for (const auto& warning : cli::serving_warnings(o, what, model)) {
        CHECK(warning.find('`') == std::string::npos); // flags, where it names options
    }
}

TEST_CASE("a model in memory is inspected, and so is one that is refused")
{
    auto o = small_options();
    o.json = true;
    auto model = small_detector();
    const auto found = cli::inspect(model, o);
    CHECK(!found.refusal);
    CHECK(json::parse(found.report).at("max_detections") == 3);

    const auto again = cli::inspect(model, o); // which is padded now
    REQUIRE(again.refusal);
    CHECK(again.refusal->kind() == failure::refused);
    CHECK(json::parse(again.report).at("error") == again.refusal->what());

    o.rewrite.pad.min_score = 0.5;
    o.rewrite.recognise.batch = 5; // what the user says is wrong
    auto other = small_detector();
    check_failure(failure::usage, {}, [&] { (void)cli::inspect(other, o); });
}
