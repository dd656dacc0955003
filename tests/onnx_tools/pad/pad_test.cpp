// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/model/check.hpp>
#include <onnx_tools/model/graph.hpp>
#include <onnx_tools/pad/pad.hpp>
#include <onnx_tools/plan/options.hpp>
#include <onnx_tools/plan/plan.hpp>
#include <onnx_tools/recognise/recognise.hpp>

#include <tests/support/check_failure.hpp>
#include <tests/support/fixture_models.hpp>
#include <tests/support/small_detector.hpp>

#include <padbatch/contract.hpp>
#include <padbatch/version.hpp>

#include <doctest/doctest.h>

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

using namespace padbatch::onnx_tools;
using namespace padbatch::test;

namespace {

using strings = std::vector<std::string>;
using renames = std::map<std::string, std::string>;

onnx::ModelProto padded(const onnx::ModelProto& model, const pad_options& options = {},
                        const recognise_options& told = {})
{
    auto result = model;
    pad(result, plan(model, recognise(model, told), options));
    return result;
}

// The options that change most of the nodes that are written.
std::vector<std::pair<std::string, pad_options>> option_sets(std::int64_t limit)
{
    std::vector<std::pair<std::string, pad_options>> sets{{"default", {}}, {"one", {}}, {"more", {}}, {"batch", {}}};
    sets[1].second.max_detections = 1;
    sets[2].second.max_detections = limit + 7;
    sets[3].second.max_detections = largest_of_batch{};
    return sets;
}

std::string renamed(const std::string& name, const renames& map)
{
    const auto found = map.find(name);
    return found == map.end() ? name : found->second;
}

// A plain twin of `rename_value`, for graphs whose subgraphs do not redefine these names.
void rename_all(onnx::GraphProto& graph, const renames& map)
{
    for (auto& node : *graph.mutable_node()) {
        for (auto* values : {node.mutable_input(), node.mutable_output()}) {
            for (auto& value : *values) {
                value = renamed(value, map);
            }
        }
        for (auto& attribute : *node.mutable_attribute()) {
            if (attribute.has_g()) {
                rename_all(*attribute.mutable_g(), map);
            }
        }
    }
    for (auto* infos : {graph.mutable_output(), graph.mutable_value_info()}) {
        for (auto& info : *infos) {
            info.set_name(renamed(info.name(), map));
        }
    }
    for (auto& tensor : *graph.mutable_initializer()) {
        if (map.count(tensor.name()) != 0) {
            tensor.set_name(renamed(tensor.name(), map));
        }
    }
}

// What each value of the graph that has the name of a new output is called afterwards.
renames renames_made(const onnx::GraphProto& before, const onnx::GraphProto& after)
{
    std::set<std::string> outputs;
    for (const auto& output : after.output()) {
        outputs.insert(output.name());
    }
    renames map;
    for (int i = 0; i < before.node_size(); ++i) {
        for (int k = 0; k < before.node(i).output_size(); ++k) {
            const auto& name = before.node(i).output(k);
            if (after.node(i).output(k) != name) {
                CHECK(outputs.count(name) == 1); // no other value is renamed
                map[name] = after.node(i).output(k);
            }
        }
    }
    fresh_names fresh(before);
    for (const auto& [from, to] : map) {
        CHECK(fresh(to) == to); // a name that was free
    }
    return map;
}

// `after` with the limit of the model as it was. The node that holds the new one is the first.
onnx::ModelProto with_old_limit(const onnx::ModelProto& before, onnx::ModelProto after)
{
    auto& nodes = *after.mutable_graph()->mutable_node();
    const std::string limit = nodes[0].output(0);
    CHECK(nodes[0].name() == "padbatch/detections_per_img");
    CHECK(nodes[0].op_type() == "Constant");
    nodes.DeleteSubrange(0, 1);
    int changed = 0;
    for (int i = 0; i < before.graph().node_size(); ++i) {
        if (nodes[i].op_type() == "Slice" && nodes[i].input(2) == limit) {
            nodes[i].set_input(2, before.graph().node(i).input(2));
            ++changed;
        }
    }
    CHECK(changed > 0);
    return after;
}

// Everything that padding must leave alone is unchanged, to the byte.
void check_untouched(const onnx::ModelProto& before, const onnx::ModelProto& after)
{
    REQUIRE(after.graph().node_size() > before.graph().node_size());
    auto expected = before;
    rename_all(*expected.mutable_graph(), renames_made(before.graph(), after.graph()));
    auto rest = after;
    rest.mutable_graph()->mutable_node()->DeleteSubrange(before.graph().node_size(),
                                                         after.graph().node_size() - before.graph().node_size());
    int different = 0;
    for (int i = 0; i < before.graph().node_size(); ++i) {
        different += rest.graph().node(i).SerializeAsString() != expected.graph().node(i).SerializeAsString() ? 1 : 0;
    }
    CHECK(different == 0);
    for (auto* model : {&rest, &expected}) {
        model->mutable_graph()->clear_output();
        while (model->metadata_props_size() > before.metadata_props_size()) {
            model->mutable_metadata_props()->RemoveLast();
        }
    }
    CHECK(rest.SerializeAsString() == expected.SerializeAsString());
}

void check_new_nodes(const onnx::ModelProto& before, const onnx::ModelProto& after)
{
    const std::set<std::string> basic{"Shape",   "Gather",    "Slice", "Sub",  "ConstantOfShape", "Concat",
                                      "Reshape", "ReduceMax", "Relu",  "Cast", "Constant"};
    for (int i = before.graph().node_size(); i < after.graph().node_size(); ++i) {
        const auto& node = after.graph().node(i);
        CAPTURE(node.name());
        CHECK(basic.count(node.op_type()) == 1);
        CHECK(node.name().find("padbatch/") == 0);
        CHECK(node.output_size() == 1);
        CHECK(node.domain().empty());
    }
}

strings metadata(const onnx::ModelProto& model)
{
    strings entries;
    for (const auto& entry : model.metadata_props()) {
        entries.push_back(entry.key() + "=" + entry.value());
    }
    return entries;
}

// The values that a padded output is joined from, without the padding between them.
strings joined_values(const onnx::ModelProto& model, const std::string& output)
{
    const graph_index index(model.graph());
    const auto* batch = index.producer(output);
    REQUIRE(batch != nullptr);
    REQUIRE(batch->op_type() == "Concat");
    strings values;
    for (const auto& image : batch->input()) {
        const auto* reshape = index.producer(image);
        REQUIRE(reshape != nullptr);
        REQUIRE(reshape->op_type() == "Reshape");
        const auto* joined = index.producer(reshape->input(0));
        REQUIRE(joined != nullptr);
        values.push_back(joined->input(0));
    }
    return values;
}

// The operator and the first input of the node that makes a value, or the value itself.
std::string made_by(const onnx::ModelProto& model, const std::string& value)
{
    const graph_index index(model.graph());
    const auto* node = index.producer(value);
    return node == nullptr ? value : node->op_type() + " " + node->input(0);
}

onnx::ModelProto model_of(const std::string& graph)
{
    return parse_model("<ir_version: 7, opset_import: [\"\" : 13]> " + graph);
}

template <typename Message>
void add_unknown(Message& message)
{
    message.GetReflection()->MutableUnknownFields(&message)->AddLengthDelimited(4242, "from the future");
}

template <typename Message>
bool has_unknown(const Message& message)
{
    const auto& fields = message.GetReflection()->GetUnknownFields(message);
    return fields.field_count() == 1 && fields.field(0).number() == 4242 &&
           fields.field(0).length_delimited() == "from the future";
}

} // namespace

TEST_CASE("padding a fixture changes what it must and nothing else")
{
    for_each_fixture([&](const fixture& known, const onnx::ModelProto& model) {
        CHECK(complaints(model).empty());
        const auto source = recognise(model);
        for (const auto& chosen : option_sets(known.limit)) {
            CAPTURE(chosen.first);
            const auto p = plan(model, source, chosen.second);
            auto after = model;
            pad(after, p);
            const auto found = complaints(after);
            CHECK_MESSAGE(found.empty(), (found.empty() ? "" : found.front()));
            const auto rest = p.new_limit ? with_old_limit(model, after) : after;
            check_untouched(model, rest);
            check_new_nodes(model, rest);

            const auto batch = static_cast<std::int64_t>(known.batch);
            const auto& outputs = after.graph().output();
            REQUIRE(outputs.size() == static_cast<int>(1 + known.fields.size() + known.extra_outputs.size()));
            CHECK(outputs[0].name() == "num_detections");
            CHECK(outputs[0].type().tensor_type().elem_type() == onnx::TensorProto::INT32);
            CHECK(declared_type(outputs[0]).shape == std::vector<dimension>{{batch, ""}, {1, ""}});
            std::string fields;
            for (std::size_t i = 0; i < known.fields.size(); ++i) {
                const auto& output = outputs[static_cast<int>(i) + 1];
                CHECK(output.name() == known.fields[i]);
                CHECK(declared_type(output).shape == p.outputs[i].shape);
                CHECK(declared_type(output).element == source.fields[i].element);
                fields += (i == 0 ? "" : ",") + known.fields[i] + "=" + known.fields[i];
            }
            for (std::size_t i = 0; i < known.extra_outputs.size(); ++i) {
                const auto& extra = outputs[static_cast<int>(1 + known.fields.size() + i)];
                CHECK(extra.name() == known.extra_outputs[i]);
                CHECK(
                    extra.SerializeAsString() ==
                    model.graph().output(static_cast<int>(known.fields.size() * known.batch + i)).SerializeAsString());
            }
            auto entries = metadata(model);
            for (const auto& entry :
                 {"padbatch.version=" + std::string(PADBATCH_VERSION), std::string("padbatch.count=num_detections"),
                  "padbatch.fields=" + fields,
                  "padbatch.max_detections=" + (p.max_detections ? std::to_string(*p.max_detections) : "batch"),
                  "padbatch.batch=" + std::to_string(batch)}) {
                entries.push_back(entry);
            }
            CHECK(metadata(after) == entries);
        }
    });
}

TEST_CASE("padding twice the same way gives the same bytes")
{
    for_each_fixture([&](const fixture& known, const onnx::ModelProto& model) {
        pad_options options;
        options.max_detections = known.limit + 7;
        CHECK(padded(model, options).SerializeAsString() == padded(model, options).SerializeAsString());
    });
}

TEST_CASE("a padded model is not padded again")
{
    const auto after = padded(small_detector());
    check_failure(failure::refused, {"already padded"}, [&] { (void)recognise(after); });
}

TEST_CASE("each output is joined from the values of its field, image by image")
{
    const auto after = padded(small_detector());
    CHECK(joined_values(after, "boxes") == strings{"b0", "b1"});
    CHECK(joined_values(after, "labels") == strings{"l0", "l1"});
    CHECK(joined_values(after, "scores") == strings{"s0", "s1"});
    pad_options options;
    options.max_detections = 3;
    options.count_name = "count";
    options.names = {{field::boxes, "detection_boxes"}};
    const auto cut = padded(small_detector(), options);
    const auto rows = joined_values(cut, "detection_boxes");
    REQUIRE(rows.size() == 2);
    CHECK(made_by(cut, rows[0]) == "Gather b0"); // the best, since nothing shows that these come first
    CHECK(made_by(cut, rows[1]) == "Gather b1");
    CHECK(metadata(cut)[1] == "padbatch.count=count");
    CHECK(metadata(cut)[2] == "padbatch.fields=boxes=detection_boxes,labels=labels,scores=scores");
    CHECK(metadata(cut)[3] == "padbatch.max_detections=3");
    CHECK(complaints(cut).empty());
}

TEST_CASE("what a newer ONNX added to the file survives")
{
    auto model = small_detector();
    model.mutable_graph()->add_value_info()->set_name("rows0");
    *model.mutable_graph()->add_initializer() = model.graph().node(0).attribute(0).t();
    model.mutable_graph()->mutable_initializer(0)->set_name("unused");
    add_unknown(model);
    add_unknown(*model.mutable_graph());
    add_unknown(*model.mutable_graph()->mutable_node(0));
    add_unknown(*model.mutable_graph()->mutable_node(0)->mutable_attribute(0));
    add_unknown(*model.mutable_graph()->mutable_value_info(0));
    add_unknown(*model.mutable_graph()->mutable_input(0));
    add_unknown(*model.mutable_graph()->mutable_initializer(0));
    add_unknown(*model.mutable_opset_import(0));
    onnx::ModelProto after;
    REQUIRE(after.ParseFromString(padded(model).SerializeAsString()));
    CHECK(has_unknown(after));
    CHECK(has_unknown(after.graph()));
    CHECK(has_unknown(after.graph().node(0)));
    CHECK(has_unknown(after.graph().node(0).attribute(0)));
    CHECK(has_unknown(after.graph().value_info(0)));
    CHECK(has_unknown(after.graph().input(0)));
    CHECK(has_unknown(after.graph().initializer(0)));
    CHECK(has_unknown(after.opset_import(0)));
    CHECK_FALSE(has_unknown(after.graph().node(1)));
    check_untouched(model, after);
}

TEST_CASE("local functions, other outputs and everything the model says about itself survive")
{
    auto model = small_detector({2, 13, "7", "features = Conv(all_boxes)"});
    model.set_producer_name("someone");
    model.set_doc_string("about");
    model.set_ir_version(11);
    auto& entry = *model.add_metadata_props();
    entry.set_key("classes");
    entry.set_value("cat,dog");
    auto& function = *model.add_functions();
    function.set_name("boxes");
    function.add_output("boxes");
    function.add_node()->add_output("boxes");
    auto& features = *model.mutable_graph()->add_output();
    features.set_name("features");
    features.set_doc_string("a feature map");
    auto& type = *features.mutable_type()->mutable_tensor_type();
    type.set_elem_type(onnx::TensorProto::FLOAT);
    for (const char* symbol : {"n", "c", "h", "w"}) {
        type.mutable_shape()->add_dim()->set_dim_param(symbol);
    }
    const auto after = padded(model);
    check_untouched(model, after);
    REQUIRE(after.graph().output_size() == 5);
    CHECK(after.graph().output(4).SerializeAsString() == features.SerializeAsString());
    CHECK(metadata(after)[0] == "classes=cat,dog");
    CHECK(after.functions_size() == 1);
    CHECK(complaints(after).empty());
}

TEST_CASE("inner values that have a new output's name are renamed, in subgraphs too")
{
    const auto model = small_detector({2, 13, "7", R"(
        boxes = Neg(all_scores)
        boxes_unpadded = Neg(boxes)
        flag = Constant <value = bool {1}> ()
        used = If (flag) <
            then_branch = t () => (float[n] p) { labels = Abs(boxes) p = Neg(labels) },
            else_branch = e () => (float[n] num_detections) { num_detections = Exp(boxes) }>)"});
    REQUIRE(complaints(model).empty());
    const auto after = padded(model);
    CHECK(complaints(after).empty());
    CHECK(joined_values(after, "boxes") == strings{"b0", "b1"});
    const graph_index index(after.graph());
    const auto& neg = *index.readers("all_scores").back();
    REQUIRE(neg.op_type() == "Neg");
    CHECK(neg.output(0) == "boxes_unpadded_2"); // boxes_unpadded was taken
    CHECK(index.producer("boxes_unpadded")->input(0) == "boxes_unpadded_2");
    const auto& branch = index.producer("used")->attribute(0).g();
    const auto& other_branch = index.producer("used")->attribute(1).g();
    CHECK(branch.node(0).input(0) == "boxes_unpadded_2"); // captured
    CHECK(branch.node(0).output(0) == "labels_unpadded");
    CHECK(branch.node(1).input(0) == "labels_unpadded");
    CHECK(other_branch.node(0).output(0) == "num_detections_unpadded");
    CHECK(other_branch.output(0).name() == "num_detections_unpadded");
}

TEST_CASE("a value that is renamed for an output does not take another output's name")
{
    const auto model = small_detector({2, 13, "7", "boxes = Neg(all_scores) more = Neg(boxes)"});
    pad_options options;
    options.names[field::labels] = "boxes_unpadded";
    const auto after = padded(model, options);
    CHECK(complaints(after).empty());
    CHECK(joined_values(after, "boxes_unpadded") == strings{"l0", "l1"});
    CHECK(made_by(after, "more") == "Neg boxes_unpadded_2");
}

TEST_CASE("loose outputs may exchange names")
{
    auto model = small_detector();
    auto& graph = *model.mutable_graph();
    rename_value(graph, "s0", "boxes");
    rename_value(graph, "b1", "scores");
    rename_value(graph, "b0", "labels");
    rename_value(graph, "l1", "num_detections");
    check_failure(failure::refused, {"the name of 'labels' is not that of a field with its type"},
                  [&] { (void)recognise(model); });
    recognise_options told;
    told.fields = {field::boxes, field::labels, field::scores};
    auto after = model;
    pad(after, plan(model, recognise(model, told)));
    CHECK(complaints(after).empty());
    const std::vector<std::pair<std::string, std::string>> sources{
        {"boxes", "all_boxes"}, {"labels", "all_labels"}, {"scores", "all_scores"}};
    for (const auto& [output, source] : sources) {
        const auto values = joined_values(after, output);
        REQUIRE(values.size() == 2);
        for (std::size_t image = 0; image < 2; ++image) {
            CHECK(made_by(after, values[image]) == "Gather " + source);
            CHECK(graph_index(after.graph()).producer(values[image])->input(1) == "rows" + std::to_string(image));
        }
    }
    check_untouched(model, after);
}

TEST_CASE("outputs that are inputs, initializers or used inside the graph are padded")
{
    auto model =
        model_of(R"(g (float[a,4] given, float[k] p) => (float[a,4] given, int64[3] scores, float[b,4] q, int64[b] r)
        <int64[3] scores = {1, 2, 3}> { q = Net(p) r = Net(q) unused = Add(q, scores) })");
    recognise_options told;
    told.fields = {field::boxes, field::labels};
    pad_options options;
    options.max_detections = 5;
    options.names[field::labels] = "scores"; // the initializer's name
    const auto after = padded(model, options, told);
    CHECK(complaints(after).empty());
    CHECK(after.graph().output_size() == 3);
    CHECK(after.graph().input(0).name() == "given");
    CHECK(after.graph().initializer(0).name() == "scores_unpadded");
    CHECK(after.graph().node(2).input(1) == "scores_unpadded");
    const auto boxes = joined_values(after, "boxes");
    REQUIRE(boxes.size() == 2);
    // Cut, once it is known that all fields have equally many rows.
    for (const auto& [value, source] : {std::pair(boxes[0], "given"), std::pair(boxes[1], "q")}) {
        const auto* cut = graph_index(after.graph()).producer(value);
        REQUIRE(cut != nullptr);
        CHECK(cut->op_type() == "Slice");
        CHECK(made_by(after, cut->input(0)) == std::string("Reshape ") + source);
    }
    CHECK(made_by(after, joined_values(after, "scores")[0]) == "Slice scores_unpadded");
}

TEST_CASE("nodes and values with names that padding would use keep them")
{
    auto model = padded(small_detector()); // with all the names that padding uses
    model.clear_metadata_props();
    auto& graph = *model.mutable_graph();
    graph.clear_output();
    *graph.mutable_output() = small_detector().graph().output();
    REQUIRE(complaints(model).empty());
    const auto after = padded(model);
    CHECK(complaints(after).empty());
    check_untouched(model, after);
}
