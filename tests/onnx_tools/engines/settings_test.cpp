// SPDX-License-Identifier: Apache-2.0
// Sets parameters of an export to the values that another export of the same module was made with, pads both, and
// requires the same nodes with the same constants, and, from ONNX Runtime, equal outputs for the same images, byte for
// byte; and the other way round.

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
#include <cstddef>
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
constexpr bool every_use = false; // one for each of a few pairs
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
    const auto first = run(before, {});
    CHECK((first != second));
    CHECK((run(after, pair.before) == first));
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

// The bits of a small constant, with its type and extents.
std::string constant_text(const onnx::TensorProto& tensor)
{
    auto bytes = tensor.raw_data();
    const auto add = [&](const auto& values) {
        bytes.append(reinterpret_cast<const char*>(values.data()),
                     static_cast<std::size_t>(values.size()) * sizeof(*values.data()));
    };
    add(tensor.float_data());
    add(tensor.double_data());
    add(tensor.int32_data());
    add(tensor.int64_data());
    std::string text = "[" + std::to_string(tensor.data_type());
    for (const auto dim : tensor.dims()) {
        text += "," + std::to_string(dim);
    }
    for (const char byte : bytes) {
        text += " " + std::to_string(static_cast<unsigned char>(byte));
    }
    return text + "]";
}

// The nodes of a graph in their order, a line each, with what they read: constants by their bits rather than by their
// names, if they are to be seen.
std::string nodes_text(const onnx::GraphProto& graph, std::map<std::string, std::string> known, bool with_bits)
{
    const auto learn = [&](const std::string& name, const onnx::TensorProto& tensor) {
        if (tensor.ByteSizeLong() < 100) {
            known[name] = with_bits ? constant_text(tensor) : "[a constant]";
        }
    };
    for (const auto& tensor : graph.initializer()) {
        learn(tensor.name(), tensor);
    }
    for (const auto& node : graph.node()) {
        if (node.op_type() == "Constant") {
            learn(node.output(0), node.attribute(0).t());
        }
    }
    std::string text;
    for (const auto& node : graph.node()) {
        if (node.op_type() == "Constant") {
            continue;
        }
        text += node.op_type();
        for (const auto& input : node.input()) {
            const auto constant = known.find(input);
            text += " " + (constant != known.end() ? constant->second : input);
        }
        text += " ->";
        for (const auto& output : node.output()) {
            text += " " + output;
        }
        text += "\n";
        for (const auto& attribute : node.attribute()) {
            text += attribute.has_g() ? attribute.name() + ":\n" + nodes_text(attribute.g(), known, with_bits)
                                      : attribute.ShortDebugString() + "\n";
        }
    }
    return text;
}

// Whether two exports differ in constants alone, neither in the order of their nodes nor in how constants are shared.
bool has_same_nodes(const onnx::ModelProto& some, const onnx::ModelProto& other)
{
    return nodes_text(some.graph(), {}, false) == nodes_text(other.graph(), {}, false);
}

// What the second text has where it begins to differ from the first.
std::string difference(const std::string& some, const std::string& other)
{
    const auto at = std::mismatch(some.begin(), some.end(), other.begin(), other.end());
    const auto place = static_cast<std::size_t>(at.second - other.begin());
    const auto line = place == 0 ? 0 : other.rfind('\n', place - 1) + 1;
    return some == other ? "" : other.substr(line, 300);
}

} // namespace

TEST_CASE("a parameter that is set gives the nodes of the export that was made with its value, and no other number")
{
    for (const auto& f : chosen_fixtures()) {
        if (!has_setting_pairs(f)) {
            continue; // a folder of other exports
        }
        CAPTURE(f.file.filename().string());
        const auto pairs = setting_pairs_of(f);
        CHECK(!pairs.empty());
        const auto before = parsed_model(read_bytes(f.file));
        pad_options options;
        options.dynamic_batch = f.batch == 1;
        const auto text = [&](const onnx::ModelProto& model, const setting_values& values) {
            const auto bytes = rewritten(model, with_settings(options, values));
            return nodes_text(parsed_model(bytes).graph(), {}, true);
        };
        const auto first = text(before, {});
        for (const auto& pair : pairs) {
            CAPTURE(pair.scenes);
            const auto after = parsed_model(pair.other);
            if (!pair.folded.empty()) {
                CHECK(is_refused(before, pair.after));
                CHECK(is_refused(after, pair.before));
                continue;
            }
            if (!has_same_nodes(before, after)) {
                continue; // so they are run below
            }
            const auto second = text(after, {});
            CHECK(difference(first, second) != "");
            CHECK(difference(text(before, pair.after), second) == "");
            CHECK(difference(text(after, pair.before), first) == "");
        }
    }
}

TEST_CASE("a parameter that is set gives the bytes of the export that was made with its value")
{
    for (const auto& f : chosen_fixtures()) {
        if (few_options() && !has_setting_pairs(f)) {
            continue; // a folder of other exports
        }
        CAPTURE(f.file.filename().string());
        const auto before = parsed_model(read_bytes(f.file));
        const auto uses = setting_uses(f);
        std::size_t next_use = 0;
        for (const auto& pair : setting_pairs_of(f)) {
            CAPTURE(pair.scenes);
            const auto after = parsed_model(pair.other);
            if (!pair.folded.empty() || (few_options() && !every_use && has_same_nodes(before, after))) {
                continue; // the same nodes do the same
            }
            if (!every_use) {
                if (next_use < 2) {
                    check_pair(f, pair, before, after, uses[next_use++]);
                }
                continue;
            }
            for (const auto& use : uses) {
                check_pair(f, pair, before, after, use);
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
