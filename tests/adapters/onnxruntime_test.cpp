// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/plan/options.hpp>
#include <padbatch/adapters/onnxruntime.hpp>
#include <padbatch/pad.hpp>
#include <padbatch/padded.hpp>
#include <tests/adapters/padded_fixtures.hpp>
#include <tests/support/check_status.hpp>
#include <tests/support/runtime.hpp>

#include <array>
#include <string>
#include <vector>

using namespace padbatch;
using test::check_status;
using test::padded_fixture;
using test::read_only;

namespace {

Ort::Session session_of(const std::string& model)
{
    static Ort::Env env(ORT_LOGGING_LEVEL_ERROR, "padbatch");
    Ort::SessionOptions options;
    options.SetIntraOpNumThreads(1);
    options.SetGraphOptimizationLevel(ORT_ENABLE_BASIC); // as the export, so that the numbers are the same
    options.SetLogSeverityLevel(ORT_LOGGING_LEVEL_ERROR);
    return {env, model.data(), model.size(), options};
}

std::vector<Ort::Value> run(Ort::Session& session, const std::vector<Ort::Value>& inputs,
                            std::span<const char* const> names)
{
    const Ort::AllocatorWithDefaultOptions allocator;
    std::vector<Ort::AllocatedStringPtr> owned;
    std::vector<const char*> input_names;
    for (std::size_t i = 0; i < inputs.size(); ++i) {
        owned.push_back(session.GetInputNameAllocated(i, allocator));
        input_names.push_back(owned.back().get());
    }
    return session.Run(Ort::RunOptions{nullptr}, input_names.data(), inputs.data(), inputs.size(), names.data(),
                       names.size());
}

// A padded fixture in a session, and a run of it that asks for all outputs.
struct ready {
    padded_fixture fixture;
    Ort::Session session;
    onnxruntime::contract model;
    std::vector<Ort::Value> inputs;
    std::vector<Ort::Value> outputs;

    explicit ready(const std::string& name, const onnx_tools::pad_options& options = {}, std::size_t at = 0)
        : fixture(name, options, at), session(session_of(fixture.model)), model(session)
    {
        for (std::size_t i = 0; i < fixture.images.size(); ++i) {
            inputs.push_back(onnxruntime::value(
                tensor_ref(fixture.images[i].data(), std::span<const std::int64_t>(fixture.shapes[i]))));
        }
        outputs = run(session, inputs, model.output_names());
        test::model_session plain(test::fixture_named(name).model.SerializeAsString(), ORT_ENABLE_BASIC);
        for (const auto& [output, tensor] : plain.run(fixture.images, fixture.shapes)) {
            fixture.plain[output] = {tensor.shape, tensor.bytes};
        }
    }

    // Where an output lies.
    [[nodiscard]] const void* memory(const std::string& name) const
    {
        for (std::size_t i = 0; i < outputs.size(); ++i) {
            if (model.output_names()[i] == name) {
                return outputs[i].GetTensorRawData();
            }
        }
        return nullptr;
    }
};

template <class... Fields>
void check_model(const std::string& name)
{
    CAPTURE(name);
    for (std::size_t at = 0; at < 2; ++at) {
        CAPTURE(at);
        const ready padded(name, {}, at);
        const auto batch = onnxruntime::detections<read_only<Fields>...>(padded.model, padded.outputs);
        test::check_batch<Fields...>(batch, padded);
    }
}

// A model whose padded outputs, boxes and scores, are its inputs.
onnx::ModelProto identity_model()
{
    onnx::ModelProto model;
    model.set_ir_version(7);
    model.add_opset_import()->set_version(13);
    auto& graph = *model.mutable_graph();
    graph.set_name("identity");
    const auto add = [&](const std::string& name, int type, const std::vector<const char*>& extents) {
        auto* node = graph.add_node();
        node->set_op_type("Identity");
        node->add_input("any_" + name);
        node->add_output(name);
        for (auto* value : {graph.add_input(), graph.add_output()}) {
            auto& tensor = *value->mutable_type()->mutable_tensor_type();
            tensor.set_elem_type(type);
            for (const auto* extent : extents) {
                tensor.mutable_shape()->add_dim()->set_dim_param(extent);
            }
        }
        graph.mutable_input()->rbegin()->set_name("any_" + name);
        graph.mutable_output()->rbegin()->set_name(name);
    };
    add("num_detections", onnx::TensorProto::INT32, {"B", "one"});
    add("boxes", onnx::TensorProto::FLOAT, {"B", "M", "four"});
    add("scores", onnx::TensorProto::FLOAT, {"B", "M"});
    const auto say = [&](const char* key, const char* value) {
        auto* entry = model.add_metadata_props();
        entry->set_key(key);
        entry->set_value(value);
    };
    say(contract::count_key, "num_detections");
    say(contract::fields_key, "boxes=boxes,scores=scores");
    return model;
}

Ort::Session untouched(const std::string& name)
{
    return session_of(test::fixture_named(name).model.SerializeAsString());
}

} // namespace

TEST_CASE("the outputs of padded models are batches in the memory of the outputs")
{
    check_model<boxes<>, labels<>, scores<>>("faster_rcnn_tv014_b3_tensor_op13_field");
    check_model<boxes<>, scores<>>("faster_rcnn_tv014_b2_tensor_op12_boxes_scores");
    check_model<boxes<>, labels<>, scores<>>("faster_rcnn_tv029_b2_tensor_op18_features");
    check_model<boxes<float16>, labels<std::int32_t>, scores<float16>>("faster_rcnn_tv029_b2_list_op17_half");
    check_model<boxes<double>, labels<std::int32_t>, scores<double>>("ssdlite320_tv029_b1_tensor_op20_double");
    check_model<boxes<>, labels<>, scores<>, masks<>>("mask_rcnn_tv014_b2_tensor_op16");
    check_model<boxes<>, labels<>, scores<>, keypoints<>, keypoints_scores<>>(
        "keypoint_rcnn_tv029_b3_tensor_op17_field");
    check_model<labels<>, boxes<>, scores<>>("retinanet_tv014_b2_tensor_op11");
    check_model<boxes<>>("fcos_tv014_b2_tensor_op12");
    check_model<boxes<>, labels<>, scores<>>("ssd300_tv014_b4_tensor_op16_field");
}

TEST_CASE("rows of fixed extents, and fields that may be written")
{
    ready padded("mask_rcnn_tv014_b2_tensor_op16");
    const auto batch = onnxruntime::detections<boxes<>, masks<float, 1, 64, 80>>(padded.model, padded.outputs);
    static_assert(batch.is_writable);
    padded.fixture.check_field(batch, t::masks);
    batch[t::boxes].data()[0] = 7;
    batch.set_count(0, 1);
    CHECK(static_cast<const float*>(padded.memory("boxes"))[0] == 7);
    CHECK(static_cast<const std::int32_t*>(padded.memory("num_detections"))[0] == 1);
}

TEST_CASE("a run may ask for some outputs only")
{
    ready padded("mask_rcnn_tv014_b2_tensor_op16");
    SUBCASE("those of the fields")
    {
        const auto names = padded.model.output_names<boxes<>, scores<>>();
        CHECK(names.size() == 3);
        CHECK(std::string(names[0]) == "num_detections");
        padded.outputs = run(padded.session, padded.inputs, names);
        const auto batch =
            onnxruntime::detections<scores<const float>, boxes<const float>>(padded.model, padded.outputs, names);
        padded.fixture.check_field(batch, t::boxes);
        padded.fixture.check_field(batch, t::scores);
        padded_view<masks<const float>> none;
        check_status(onnxruntime::try_detections(none, padded.model, padded.outputs, names), status_code::missing_field,
                     {"'masks'", "not among the 3"});
        check_status(onnxruntime::try_detections(none, padded.model, padded.outputs), status_code::size_mismatch,
                     {"3 outputs", "5 names"});
    }
    SUBCASE("in any order")
    {
        const char* const names[] = {"scores", "num_detections"};
        padded.outputs = run(padded.session, padded.inputs, names);
        padded.fixture.check_field(onnxruntime::detections<scores<const float>>(padded.model, padded.outputs, names),
                                   t::scores);
    }
    SUBCASE("without counts there is no batch")
    {
        const char* const names[] = {"scores", "boxes"};
        padded.outputs = run(padded.session, padded.inputs, names);
        padded_view<scores<const float>> none;
        check_status(onnxruntime::try_detections(none, padded.model, padded.outputs, names), status_code::missing_field,
                     {"'num_detections'"});
    }
    SUBCASE("a field that the model lacks")
    {
        std::array<const char*, 2> names{};
        check_status(padded.model.try_output_names<keypoints<>>(names), status_code::missing_field,
                     {"'keypoints'", "boxes=boxes,labels=labels,scores=scores,masks=masks"});
        CHECK(names[0] == nullptr);
        CHECK_THROWS_AS(static_cast<void>(padded.model.output_names<keypoints<>>()), error);
    }
}

TEST_CASE("outputs are found by the metadata, whatever they are called")
{
    onnx_tools::pad_options options;
    options.count_name = "num_dets";
    options.names = {{onnx_tools::field::boxes, "a=b"},
                     {onnx_tools::field::scores, "labels"},
                     {onnx_tools::field::labels, "scores"}};
    const ready padded("faster_rcnn_tv014_b3_tensor_op13_field", options);
    const auto batch = onnxruntime::detections<boxes<const float>, labels<const std::int64_t>, scores<const float>>(
        padded.model, padded.outputs);
    padded.fixture.check_field(batch, t::boxes);
    padded.fixture.check_field(batch, t::labels);
    padded.fixture.check_field(batch, t::scores);
    CHECK(batch[t::boxes].data() == padded.memory("a=b"));
    CHECK(batch.count_data() == padded.memory("num_dets"));
}

TEST_CASE("M may follow the batch at hand")
{
    onnx_tools::pad_options options;
    options.max_detections = onnx_tools::largest_of_batch{};
    for (std::size_t at = 0; at < 4; ++at) {
        const ready padded("faster_rcnn_tv014_b2_list_op11", options, at);
        const auto batch =
            onnxruntime::detections<boxes<const float>, labels<const std::int64_t>>(padded.model, padded.outputs);
        padded.fixture.check_field(batch, t::boxes);
        padded.fixture.check_field(batch, t::labels);
        CHECK(batch.capacity() == batch.counts().largest());
        CHECK(!padded.model.max_detections().has_value());
    }
}

TEST_CASE("a model of any number of images gives batches of any size")
{
    onnx_tools::pad_options options;
    options.dynamic_batch = true;
    auto session = session_of(test::padded(test::fixture_named("faster_rcnn_tv029_b1_list_op13").model, options));
    const onnxruntime::contract model(session);
    CHECK(!model.batch().has_value());
    CHECK(model.max_detections() == 10);
    for (std::size_t n = 0; n < 4; ++n) {
        CAPTURE(n);
        std::vector<float> images(n * 3 * 64 * 80);
        const std::int64_t shape[] = {static_cast<std::int64_t>(n), 3, 64, 80};
        for (std::size_t i = 0; i < n; ++i) {
            const auto image = test::scene(static_cast<unsigned>(i), 64, 80);
            std::copy(image.begin(), image.end(), images.begin() + static_cast<std::ptrdiff_t>(i * image.size()));
        }
        std::vector<Ort::Value> inputs;
        inputs.push_back(onnxruntime::value(tensor_ref(images.data(), std::span<const std::int64_t>(shape))));
        const auto outputs = run(session, inputs, model.output_names());
        const auto batch = onnxruntime::detections<boxes<const float>, scores<const float>>(model, outputs);
        CHECK(batch.size() == n);
        CHECK(batch.capacity() == 10);
        CHECK((n == 0 || batch.count(0) == 0)); // a black image
        CHECK((n < 2 || batch.count(1) > 0));
    }
}

TEST_CASE("layouts are read where their fields mean the same")
{
    onnx_tools::pad_options options;
    options.layout = onnx_tools::output_layout::efficientnms;
    options.flat_counts = true;
    options.count_type = element_type::int64;
    const ready nvidia("faster_rcnn_tv014_b3_tensor_op13_field", options);
    const auto batch =
        onnxruntime::detections<boxes<const float>, labels<const std::int32_t>>(nvidia.model, nvidia.outputs);
    nvidia.fixture.check_field(batch, t::boxes);
    CHECK(batch[t::boxes].data() == nvidia.memory("detection_boxes"));

    // Boxes in other units are no boxes for programs that expect pixels.
    onnx_tools::pad_options normalised;
    normalised.layout = onnx_tools::output_layout::tf_od;
    const ready tensorflow("faster_rcnn_tv014_b3_tensor_op13_field", normalised);
    padded_view<boxes<const float>> none;
    check_status(onnxruntime::try_detections(none, tensorflow.model, tensorflow.outputs), status_code::missing_field,
                 {"'boxes'", "normalised_boxes=detection_boxes"});

    // One tensor for all fields, and no counts.
    onnx_tools::pad_options joined;
    joined.layout = onnx_tools::output_layout::ultralytics;
    auto session = session_of(test::padded(test::fixture_named("faster_rcnn_tv029_b1_list_op13").model, joined));
    onnxruntime::contract model;
    check_status(model.try_read(session), status_code::missing_field, {"padbatch.count", "layout"});
}

TEST_CASE("a run may write straight into a batch's own memory")
{
    ready known("keypoint_rcnn_tv029_b3_tensor_op17_field");
    padded<boxes<>, labels<>, scores<>> mine(*known.model.batch(), *known.model.max_detections());
    const auto names = known.model.output_names<boxes<>, labels<>, scores<>>();
    std::array<Ort::Value, 4> outputs{onnxruntime::counts_value(mine.view()), onnxruntime::value(mine[t::boxes]),
                                      onnxruntime::value(mine[t::labels]), onnxruntime::value(mine[t::scores])};
    const char* const input_names[] = {"images"};
    known.session.Run(Ort::RunOptions{nullptr}, input_names, known.inputs.data(), 1, names.data(), outputs.data(),
                      outputs.size());
    CHECK(mine.counts().total() == 8 + 4 + 8);
    known.fixture.check_field(mine.view(), t::boxes);
    known.fixture.check_field(mine.view(), t::labels);
    known.fixture.check_field(mine.view(), t::scores);
    const auto batch = onnxruntime::detections<boxes<>>(known.model, outputs, names);
    CHECK(batch[t::boxes].data() == mine[t::boxes].data());
}

TEST_CASE("models that are no padded ones")
{
    onnxruntime::contract model;
    auto session = untouched("faster_rcnn_tv014_b3_tensor_op13_field");
    check_status(model.try_read(session), status_code::missing_field, {"padbatch.count", "onnx-pad-outputs"});
    CHECK(model.output_names().empty());
    CHECK(std::string(model.count_name()).empty());
    CHECK_THROWS_AS(onnxruntime::contract{session}, error);

    padded_view<boxes<const float>> none;
    const std::vector<Ort::Value> outputs;
    check_status(onnxruntime::try_detections(none, model, outputs), status_code::missing_field,
                 {"'boxes'", "not been read"});

    auto damaged = test::fixture_named("faster_rcnn_tv014_b3_tensor_op13_field").model;
    auto* entry = damaged.add_metadata_props();
    entry->set_key("padbatch.count");
    entry->set_value("n");
    check_status(model.try_read(session_of(damaged.SerializeAsString())), status_code::missing_field,
                 {"padbatch.fields"});
    entry = damaged.add_metadata_props();
    entry->set_key("padbatch.fields");
    entry->set_value("boxes");
    check_status(model.try_read(session_of(damaged.SerializeAsString())), status_code::bad_argument,
                 {"'boxes'", "FIELD=OUTPUT"});
}

TEST_CASE("fields that the outputs are not")
{
    ready padded("faster_rcnn_tv014_b3_tensor_op13_field");
    SUBCASE("a field that the model lacks")
    {
        padded_view<boxes<const float>, masks<const float>> view;
        check_status(onnxruntime::try_detections(view, padded.model, padded.outputs), status_code::missing_field,
                     {"'masks'", "boxes=boxes,labels=labels,scores=scores"});
        CHECK(view.size() == 0);
        CHECK_THROWS_AS((static_cast<void>(onnxruntime::detections<masks<const float>>(padded.model, padded.outputs))),
                        error);
    }
    SUBCASE("another element type")
    {
        padded_view<labels<const std::int32_t>> view;
        check_status(onnxruntime::try_detections(view, padded.model, padded.outputs), status_code::wrong_type,
                     {"'labels'", "is int64", "int32 was requested", "labels<const std::int64_t>"});
        padded_view<scores<double>> writable;
        check_status(onnxruntime::try_detections(writable, padded.model, padded.outputs), status_code::wrong_type,
                     {"'scores'", "scores<float>"});
    }
    SUBCASE("another shape")
    {
        padded_view<field<t::boxes_t, const float, row_extents<5>>> view;
        check_status(onnxruntime::try_detections(view, padded.model, padded.outputs), status_code::wrong_shape,
                     {"boxes", "[3, 10, 4]"});
    }
    SUBCASE("memory of a device")
    {
        const Ort::MemoryInfo cuda("Cuda", OrtDeviceAllocator, 0, OrtMemTypeDefault);
        std::vector<float> memory(3 * 10 * 4);
        const std::int64_t shape[] = {3, 10, 4};
        for (std::size_t i = 0; i < padded.outputs.size(); ++i) {
            if (std::string(padded.model.output_names()[i]) == "boxes") {
                padded.outputs[i] = Ort::Value::CreateTensor<float>(cuda, memory.data(), memory.size(), shape, 3);
                CHECK(onnxruntime::ref(padded.outputs[i]).device() == device::cuda);
            }
        }
        padded_view<boxes<const float>> view;
        check_status(onnxruntime::try_detections(view, padded.model, padded.outputs), status_code::device_memory,
                     {"boxes"});
    }
    SUBCASE("counts out of range")
    {
        auto* counts = static_cast<std::int32_t*>(const_cast<void*>(padded.memory("num_detections")));
        counts[1] = 11;
        padded_view<boxes<const float>> view;
        check_status(onnxruntime::try_detections(view, padded.model, padded.outputs), status_code::bad_count,
                     {"image 1", "11", "10"});
    }
    SUBCASE("an output that is empty")
    {
        for (auto& output : padded.outputs) {
            output = Ort::Value(nullptr);
        }
        padded_view<boxes<const float>> view;
        check_status(onnxruntime::try_detections(view, padded.model, padded.outputs), status_code::missing_field,
                     {"empty"});
    }
}

TEST_CASE("outputs that nobody keeps are refused by the compiler")
{
    using outputs = std::vector<Ort::Value>;
    constexpr auto lasting = []<class Outputs>(Outputs&& values) {
        return requires(const onnxruntime::contract& model) {
            onnxruntime::detections<boxes<const float>>(model, std::forward<Outputs>(values));
        };
    };
    outputs kept;
    CHECK(lasting(kept));
    CHECK_FALSE(lasting(outputs()));
}

TEST_CASE("a batch goes through a model and comes back")
{
    // What is padded here is the input of a model that hands it on, as a padded model would.
    const auto identity = identity_model();
    auto session = session_of(identity.SerializeAsString());
    const onnxruntime::contract model(session);
    CHECK(!model.batch().has_value());

    const std::vector<std::vector<std::array<float, 4>>> all_boxes{{{1, 2, 3, 4}, {5, 6, 7, 8}}, {}, {{9, 10, 11, 12}}};
    const std::vector<std::vector<float>> all_scores{{0.9F, 0.8F}, {}, {0.7F}};
    auto batch = pad(each(t::boxes(all_boxes), t::scores(all_scores)));
    std::vector<Ort::Value> inputs;
    inputs.push_back(onnxruntime::counts_value(batch.view()));
    inputs.push_back(onnxruntime::value(batch[t::boxes]));
    inputs.push_back(onnxruntime::value(batch[t::scores]));
    const auto outputs = run(session, inputs, model.output_names());
    const auto back = onnxruntime::detections<boxes<const float>, scores<const float>>(model, outputs);
    REQUIRE(back.size() == 3);
    CHECK(back[t::boxes].data() != batch[t::boxes].data());
    for (std::size_t i = 0; i < 3; ++i) {
        REQUIRE(back.count(i) == all_boxes[i].size());
        for (std::size_t row = 0; row < back.count(i); ++row) {
            const auto [box, score] = back.image(i)[row];
            CHECK(std::equal(box.begin(), box.end(), all_boxes[i][row].begin()));
            CHECK(score == all_scores[i][row]);
        }
    }
}
