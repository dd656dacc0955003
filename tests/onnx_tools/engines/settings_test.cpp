// SPDX-License-Identifier: Apache-2.0
// Sets parameters of an export to the values that another export of the same module was made with, pads both, runs them
// in ONNX Runtime on the same images, and requires equal outputs, byte for byte; and the other way round.

#include <tests/onnx_tools/engines/chosen_fixtures.hpp>
#include <tests/onnx_tools/engines/rewritten_exports.hpp>
#include <tests/onnx_tools/engines/setting_pairs.hpp>
#include <tests/support/batch_input.hpp>

#include <doctest/doctest.h>

#include <onnx_tools/error.hpp>
#include <onnx_tools/files/model_io.hpp>
#include <onnx_tools/plan/options.hpp>
#include <tests/support/runtime.hpp>
#include <tests/support/temporary_folder.hpp>

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

using namespace padbatch::onnx_tools;
using namespace padbatch::test;

namespace {

#ifdef PADBATCH_TESTS_EVERY_OPTION
constexpr bool every_use = true;
#else
constexpr bool every_use = false; // a way for each pair, in turn
#endif

using named_outputs = std::map<std::string, tensor>;

onnx::ModelProto parsed_model(const std::string& bytes)
{
    onnx::ModelProto model;
    REQUIRE(model.ParseFromString(bytes));
    return model;
}

pad_options with_settings(pad_options options, const setting_values& values)
{
    options.settings = values;
    return options;
}

// The images of a run; where the batch is dynamic, two more of them.
batch_input input_of(const fixture& f, const setting_pair& pair, std::vector<unsigned> scenes, bool dynamic)
{
    auto images = f;
    if (dynamic) {
        // R-CNNs fail, in every export, for an image without proposals, which these would make of a black one.
        const bool few_proposals = pair.after.count(parameter::rpn_score_thresh) != 0;
        scenes.insert(scenes.end(), {few_proposals ? scenes.front() : 0, scenes.front()});
        images.batch = scenes.size();
        images.list_input = false;
        images.image_sizes.assign(scenes.size(), f.image_sizes.front());
    }
    return make_batch_input(images, scenes);
}

// A way to make and to run models.
struct setting_use {
    std::string name;
    pad_options options;
    GraphOptimizationLevel level = ORT_DISABLE_ALL;
};

std::vector<named_outputs> outputs_of_runs(const fixture& f, const setting_pair& pair, const std::string& model,
                                           const setting_use& use)
{
    model_session session(model, use.level);
    std::vector<named_outputs> all;
    for (const auto& scenes : pair.scenes) {
        auto input = input_of(f, pair, scenes, use.options.dynamic_batch);
        all.push_back(session.run(input.data, input.shapes));
    }
    return all;
}

// Both directions: the first model with the second's values is the second, and the second with the first's the first.
void check_pair(const fixture& f, const setting_pair& pair, const onnx::ModelProto& before,
                const onnx::ModelProto& after, const setting_use& use)
{
    CAPTURE(use.name);
    const auto run = [&](const onnx::ModelProto& model, const setting_values& values) {
        return outputs_of_runs(f, pair, rewritten(model, with_settings(use.options, values)), use);
    };
    const auto second = run(after, {});
    CHECK((run(before, pair.after) == second));
    if (!few_options()) {
        const auto first = run(before, {});
        CHECK((first != second));
        CHECK((run(after, pair.before) == first));
    }
}

// Whether a fixture is left to the long tests: it has the nodes of the older torchvision's, and no wrapper.
bool is_of_newer_torchvision(const fixture& f)
{
    const auto name = f.file.stem().string();
    const auto wrapped = {"_half", "_double", "_features", "_onnxruntime", "_onnxsim"};
    return name.find("_tv029_") != std::string::npos &&
           std::none_of(wrapped.begin(), wrapped.end(),
                        [&](const char* part) { return name.find(part) != std::string::npos; });
}

std::vector<setting_use> setting_uses(const fixture& f)
{
    std::vector<setting_use> all{{"as it is", {}}, {"optimised", {}, ORT_ENABLE_ALL}};
    if (f.batch == 1) {
        all.insert(all.begin(), {"dynamic", {}});
        all.front().options.dynamic_batch = true;
    }
    if (has_field(f, "masks")) {
        all.push_back({"region masks", {}});
        all.back().options.masks = mask_choice::roi;
    }
    all.push_back({"batch", {}});
    all.back().options.max_detections = largest_of_batch{};
    return all;
}

// Whether the model cannot be given these values.
bool is_refused(const onnx::ModelProto& model, const setting_values& values)
{
    try {
        rewritten(model, with_settings({}, values));
        return false;
    } catch (const tool_error& e) {
        CHECK(e.kind() == failure::refused);
        return true;
    }
}

std::string optimised_export(const std::string& bytes, const std::filesystem::path& folder)
{
    const auto file = folder / "optimised.onnx";
    const model_session once(bytes, ORT_ENABLE_BASIC, file.string());
    return read_bytes(file);
}

} // namespace

TEST_CASE("a parameter that is set gives the bytes of the export that was made with its value")
{
    for (const auto& f : chosen_fixtures()) {
        CAPTURE(f.file.filename().string());
        if (few_options() && !every_use && is_of_newer_torchvision(f)) {
            continue;
        }
        if (few_options() && !has_setting_pairs(f)) {
            continue; // a folder of other exports
        }
        auto pairs = setting_pairs_of(f);
        REQUIRE(!pairs.empty());
        const auto before = parsed_model(read_bytes(f.file));
        const auto uses = setting_uses(f);
        std::size_t next_use = 0;
        for (std::size_t i = 0; i < pairs.size(); ++i) {
            const auto& pair = pairs[i];
            CAPTURE(i);
            const auto after = parsed_model(pair.other);
            if (!pair.folded.empty()) {
                CHECK(is_refused(before, pair.after));
                CHECK(is_refused(after, pair.before));
            } else if (every_use) {
                for (const auto& use : uses) {
                    check_pair(f, pair, before, after, use);
                }
            } else if (!few_options() || next_use == 0) {
                check_pair(f, pair, before, after, uses[next_use++ % uses.size()]);
            }
        }
    }
}

TEST_CASE("a parameter is set in an export that ONNX Runtime has optimised, or refused where it cannot be")
{
    const temporary_folder folder;
    for (const auto& f : chosen_fixtures()) {
        if (few_options()) {
            continue;
        }
        CAPTURE(f.file.filename().string());
        auto pairs = setting_pairs_of(f);
        if (!every_use) {
            pairs.erase(pairs.begin(), pairs.end() - 1);
        }
        const auto before = parsed_model(optimised_export(read_bytes(f.file), folder.path()));
        for (const auto& pair : pairs) {
            const auto after = parsed_model(optimised_export(pair.other, folder.path()));
            const bool may_fold = pair.after.count(parameter::rpn_pre_nms_top_n) != 0 ||
                                  pair.after.count(parameter::topk_candidates) != 0;
            if (may_fold && is_refused(before, pair.after)) {
                CHECK(is_refused(after, pair.before));
                continue;
            }
            check_pair(f, pair, before, after, {"optimised before", {}});
        }
    }
}
