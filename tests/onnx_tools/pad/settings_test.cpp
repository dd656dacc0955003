// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/pad/settings.hpp>

#include <onnx_tools/model/check.hpp>
#include <onnx_tools/model/graph.hpp>
#include <onnx_tools/recognise/recognise.hpp>
#include <onnx_tools/rewrite.hpp>

#include <tests/support/fixture_models.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

using namespace padbatch::onnx_tools;
using namespace padbatch::test;

namespace {

// Another number for each parameter, which all types hold exactly.
number other_value(parameter kind)
{
    return is_count(kind) ? number(std::int64_t{33}) : number(0.625);
}

// The model with each parameter set on its own copy of the constants, its outputs unchanged.
onnx::ModelProto with_settings(onnx::ModelProto model, const detections& found, const std::vector<parameter>& kinds)
{
    pad_plan p;
    p.source = found;
    for (const auto& f : found.parameters) {
        if (std::find(kinds.begin(), kinds.end(), f.kind) != kinds.end()) {
            const double now = is_count(f.kind) ? 33 : 0.625;
            p.settings.push_back({f.kind, f.value, now, f.places});
        }
    }
    auto& graph = *model.mutable_graph();
    fresh_names fresh(graph);
    apply_settings(graph, p, fresh);
    CHECK(complaints(model).empty());
    return model;
}

std::map<parameter, double> values_of(const onnx::ModelProto& model)
{
    std::map<parameter, double> values;
    for (const auto& f : recognise(model).parameters) {
        values[f.kind] = f.value;
    }
    return values;
}

// All tensors of a graph and its subgraphs, by name.
void collect_tensors(const onnx::GraphProto& graph, std::map<std::string, std::string>& tensors)
{
    for (const auto& tensor : graph.initializer()) {
        tensors[tensor.name()] = tensor.SerializeAsString();
    }
    for (const auto& node : graph.node()) {
        for (const auto& held : node.attribute()) {
            if (held.has_t()) {
                tensors[node.output(0)] = held.t().SerializeAsString();
            }
        }
        for_each_subgraph(node, [&](const onnx::GraphProto& sub) { collect_tensors(sub, tensors); });
    }
}

} // namespace

TEST_CASE("a parameter that is set is found again with its new number, and all others are as they were")
{
    std::size_t turn = 0; // a few parameters of each fixture; together they are all of every family
    for_each_fixture([&](const fixture&, const onnx::ModelProto& model) {
        const auto found = recognise(model);
        const auto before = values_of(model);
        for (std::size_t i = turn++ % 3; i < found.parameters.size(); i += 3) {
            const auto kind = found.parameters[i].kind;
            auto expected = before;
            expected[kind] = is_count(kind) ? 33 : 0.625;
            CAPTURE(std::string(name_of(kind)));
            CHECK(values_of(with_settings(model, found, {kind})) == expected);
        }
    });
}

TEST_CASE("no constant is changed in place, as optimisers merge those that happen to be equal")
{
    for_each_fixture([](const fixture&, const onnx::ModelProto& model) {
        std::map<std::string, std::string> before;
        collect_tensors(model.graph(), before);
        std::map<std::string, std::string> after;
        const auto changed = with_settings(model, recognise(model), {all_parameters.begin(), all_parameters.end()});
        collect_tensors(changed.graph(), after);
        std::size_t kept = 0;
        for (const auto& [name, bytes] : before) {
            kept += after.count(name) == 1 && after.at(name) == bytes ? 1U : 0U;
        }
        CHECK(kept == before.size());
        CHECK(after.size() > before.size());
    });
}

TEST_CASE("a new constant has the type and shape of the one that was read, in the graph of its reader")
{
    const auto& model = fixture_named("mask_rcnn_tv029_b2_tensor_op17_onnxruntime").model;
    const auto found = recognise(model);
    const auto changed = with_settings(model, found, {parameter::nms_thresh, parameter::score_thresh});
    int constants = 0;
    int inner = 0;
    for (const auto& node : changed.graph().node()) {
        if (node.name().rfind("padbatch/score_thresh", 0) == 0) {
            ++constants;
            CHECK(node.attribute(0).t().dims_size() == 0);
            CHECK(node.attribute(0).t().data_type() == onnx::TensorProto::FLOAT);
        }
        for_each_subgraph(node, [&](const onnx::GraphProto& sub) {
            for (const auto& made : sub.node()) {
                if (made.name().rfind("padbatch/nms_thresh", 0) == 0) {
                    ++inner;
                    CHECK(made.attribute(0).t().dims_size() == 1);
                    CHECK(&made == &sub.node(0)); // before what reads it
                }
            }
        });
    }
    CHECK(constants == 1); // for both images
    CHECK(inner == 2);     // one in each image's branch
}

TEST_CASE("the limit that is set is the limit of the padded model")
{
    const auto& each = fixture_named("ssd300_tv014_b2_list_op11"); // 200 rows
    rewrite_options options;
    options.pad.settings[parameter::detections_per_img] = std::int64_t{33};
    auto model = each.model;
    const auto done = rewrite(model, options);
    CHECK(done.max_detections == 33);
    CHECK(done.new_limit == 33);
    CHECK_FALSE(done.cuts_rows);
    CHECK(values_of(each.model).at(parameter::detections_per_img) == 200);

    options.pad.max_detections = largest_of_batch{};
    model = each.model;
    const auto batch = rewrite(model, options);
    CHECK_FALSE(batch.max_detections);
    CHECK(batch.new_limit == 33);

    options.pad.settings[parameter::score_thresh] = other_value(parameter::score_thresh);
    model = each.model;
    CHECK(threshold_of(rewrite(model, options)) == 0.625);
}
