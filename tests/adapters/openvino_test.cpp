// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/plan/options.hpp>
#include <padbatch/adapters/openvino.hpp>
#include <padbatch/pad.hpp>
#include <padbatch/padded.hpp>
#include <tests/adapters/padded_fixtures.hpp>
#include <tests/support/check_status.hpp>
#include <tests/support/temporary_folder.hpp>

#include <openvino/openvino.hpp>
#include <openvino/opsets/opset13.hpp>

#include <array>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

using namespace padbatch;
using test::check_status;
using test::padded_fixture;
using test::read_only;

namespace {

ov::Core& core()
{
    static ov::Core all;
    return all;
}

ov::InferRequest request_of(const std::shared_ptr<const ov::Model>& model)
{
    return core()
        .compile_model(model, "CPU", ov::inference_num_threads(1), ov::hint::inference_precision(ov::element::f32))
        .create_infer_request();
}

void feed(ov::InferRequest& request, padded_fixture& fixture)
{
    for (std::size_t i = 0; i < fixture.images.size(); ++i) {
        request.set_input_tensor(i, openvino::tensor(tensor_ref(fixture.images[i].data(),
                                                                std::span<const std::int64_t>(fixture.shapes[i]))));
    }
}

// A padded fixture that has been run, and its export beside it.
struct ready {
    padded_fixture fixture;
    std::shared_ptr<ov::Model> network;
    openvino::contract model;
    ov::InferRequest request;

    explicit ready(const std::string& name, const onnx_tools::pad_options& options = {}, std::size_t at = 0)
        : fixture(name, options, at), network(core().read_model(fixture.model, ov::Tensor())), model(*network),
          request(request_of(network))
    {
        feed(request, fixture);
        request.infer();
        // Where an image has no detections, OpenVINO finds one of random numbers, padded or not.
        for (std::size_t i = 0; i < fixture.known.batch; ++i) {
            if (fixture.known.runs.at(at).counts->at(i) == 0) {
                fixture.skipped.insert(i);
            }
        }
        auto plain = request_of(core().read_model(test::fixture_named(name).model.SerializeAsString(), ov::Tensor()));
        feed(plain, fixture);
        plain.infer();
        for (const auto& output : fixture.known.outputs) {
            const auto tensor = plain.get_tensor(output);
            auto& rows = fixture.plain[output];
            const ov::Shape& shape = tensor.get_shape();
            rows.shape.assign(shape.begin(), shape.end());
            rows.bytes.resize(tensor.get_byte_size());
            if (!rows.bytes.empty()) {
                std::memcpy(rows.bytes.data(), tensor.data(), rows.bytes.size());
            }
        }
    }

    // Where an output lies.
    [[nodiscard]] const void* memory(const std::string& name) { return request.get_tensor(name).data(); }
};

// OpenVINO computes a model and its padded form in ways that differ in the last bits.
constexpr float tolerance = 1e-4F;

template <class... Fields>
void check_model(const std::string& name)
{
    CAPTURE(name);
    for (std::size_t at = 0; at < 2; ++at) { // each compiles two models
        CAPTURE(at);
        ready padded(name, {}, at);
        const auto batch = openvino::detections<read_only<Fields>...>(padded.model, padded.request);
        test::check_batch<Fields...>(batch, padded, tolerance);
    }
}

// A model that hands on counts, boxes and scores.
std::shared_ptr<ov::Model> identity_model()
{
    ov::ParameterVector inputs;
    ov::ResultVector outputs;
    const auto add = [&](const std::string& name, ov::element::Type type, const ov::PartialShape& shape) {
        const auto input = std::make_shared<ov::opset13::Parameter>(type, shape);
        // More than handing on, so that the output has memory of its own.
        const auto zero = ov::opset13::Constant::create(type, ov::Shape{}, {0});
        const auto output = std::make_shared<ov::opset13::Result>(std::make_shared<ov::opset13::Add>(input, zero));
        output->get_output_tensor(0).set_names({name});
        inputs.push_back(input);
        outputs.push_back(output);
    };
    add("num_detections", ov::element::i32, {-1, 1});
    add("boxes", ov::element::f32, {-1, -1, 4});
    add("scores", ov::element::f32, {-1, -1});
    auto model = std::make_shared<ov::Model>(outputs, inputs);
    model->set_rt_info("num_detections", "framework", contract::count_key);
    model->set_rt_info("boxes=boxes,scores=scores", "framework", contract::fields_key);
    return model;
}

} // namespace

TEST_CASE("the outputs of padded models are batches in the memory of the request's tensors")
{
    check_model<boxes<>, labels<>, scores<>>("retinanet_tv029_b3_tensor_op18_field");
    check_model<boxes<>, scores<>>("fcos_tv029_b2_list_op17");
    check_model<boxes<>, labels<>, scores<>>("ssd300_tv014_b4_tensor_op16_field");
    check_model<boxes<>, labels<>, scores<>>("ssdlite320_tv014_b2_tensor_op13");
}

TEST_CASE("fields that may be written")
{
    ready padded("fcos_tv014_b2_tensor_op12");
    const auto batch = openvino::detections<boxes<>, labels<>>(padded.model, padded.request);
    static_assert(batch.is_writable);
    batch[t::boxes].data()[0] = 7;
    batch.set_count(0, 1);
    CHECK(static_cast<const float*>(padded.memory("boxes"))[0] == 7);
    CHECK(static_cast<const std::int32_t*>(padded.memory("num_detections"))[0] == 1);
}

TEST_CASE("outputs are found by the metadata, whatever they are called, also from a model in OpenVINO's own format")
{
    onnx_tools::pad_options options;
    options.count_name = "num_dets";
    options.names = {{onnx_tools::field::boxes, "a=b"},
                     {onnx_tools::field::scores, "labels"},
                     {onnx_tools::field::labels, "scores"}};
    ready padded("fcos_tv014_b2_tensor_op12", options);
    const auto check = [&](const openvino::contract& model) {
        const auto batch = openvino::detections<boxes<const float>, labels<const std::int64_t>, scores<const float>>(
            model, padded.request);
        padded.fixture.check_field(batch, t::boxes, tolerance);
        padded.fixture.check_field(batch, t::labels, tolerance);
        padded.fixture.check_field(batch, t::scores, tolerance);
        CHECK(batch[t::boxes].data() == padded.memory("a=b"));
        CHECK(batch.count_data() == padded.memory("num_dets"));
    };
    check(padded.model);

    const test::temporary_folder folder;
    ov::save_model(padded.network, folder.file("model.xml"), false);
    const auto saved = core().read_model(folder.file("model.xml"));
    const openvino::contract model(*saved);
    CHECK(model.max_detections() == padded.model.max_detections());
    check(model);
    padded.request = request_of(saved);
    feed(padded.request, padded.fixture);
    padded.request.infer();
    check(model);
}

TEST_CASE("a request may write straight into a batch's own memory")
{
    ready known("retinanet_tv029_b3_tensor_op18_field");
    padded<boxes<>, labels<>, scores<>> mine(*known.model.batch(), *known.model.max_detections());
    known.request.set_tensor(known.model.count_name(), openvino::counts_tensor(mine.view()));
    known.request.set_tensor(known.model.output_of("boxes"), openvino::tensor(mine[t::boxes]));
    known.request.set_tensor(known.model.output_of("labels"), openvino::tensor(mine[t::labels]));
    known.request.set_tensor(known.model.output_of("scores"), openvino::tensor(mine[t::scores]));
    known.request.infer();
    CHECK(mine.counts().total() > 0);
    known.fixture.check_field(mine.view(), t::boxes, tolerance);
    known.fixture.check_field(mine.view(), t::labels, tolerance);
    known.fixture.check_field(mine.view(), t::scores, tolerance);
    CHECK(openvino::detections<boxes<>>(known.model, known.request)[t::boxes].data() == mine[t::boxes].data());
}

TEST_CASE("models that are no padded ones")
{
    openvino::contract model;
    const auto plain =
        core().read_model(test::fixture_named("fcos_tv014_b2_tensor_op12").model.SerializeAsString(), ov::Tensor());
    check_status(model.try_read(*plain), status_code::missing_field, {"padbatch.count", "onnx-pad-outputs"});
    CHECK(model.fields().empty());
    CHECK_THROWS_AS(openvino::contract{*plain}, error);
    const auto network = identity_model();
    network->set_rt_info("boxes=", "framework", contract::fields_key);
    check_status(model.try_read(*network), status_code::bad_argument, {"'boxes='", "FIELD=OUTPUT"});

    // What is compiled has no metadata any more, and is no ov::Model whose metadata could be asked for.
    const ready padded("fcos_tv014_b2_tensor_op12");
    const auto compiled = core().compile_model(padded.network, "CPU");
    check_status(model.try_read(*compiled.get_runtime_model()), status_code::missing_field, {"padbatch.count"});
}

TEST_CASE("fields that the outputs are not")
{
    static ready padded("fcos_tv014_b2_tensor_op12"); // for all cases: loading a model takes a second
    SUBCASE("a field that the model lacks")
    {
        padded_view<boxes<const float>, masks<const float>> view;
        check_status(openvino::try_detections(view, padded.model, padded.request), status_code::missing_field,
                     {"'masks'", "boxes=boxes,scores=scores,labels=labels"});
        CHECK(view.size() == 0);
        CHECK_THROWS_AS((static_cast<void>(openvino::detections<masks<const float>>(padded.model, padded.request))),
                        error);
    }
    SUBCASE("another element type")
    {
        padded_view<labels<const std::int32_t>> view;
        check_status(openvino::try_detections(view, padded.model, padded.request), status_code::wrong_type,
                     {"'labels'", "is int64", "int32 was requested", "labels<const std::int64_t>"});
    }
    SUBCASE("another shape")
    {
        padded_view<field<t::boxes_t, const float, row_extents<5>>> view;
        check_status(openvino::try_detections(view, padded.model, padded.request), status_code::wrong_shape,
                     {"boxes", "[2, 100, 4]"});
    }
    SUBCASE("counts out of range")
    {
        static_cast<std::int32_t*>(const_cast<void*>(padded.memory("num_detections")))[1] = -1;
        padded_view<boxes<const float>> view;
        check_status(openvino::try_detections(view, padded.model, padded.request), status_code::bad_count,
                     {"image 1", "-1", "100"});
    }
    SUBCASE("a request of another model")
    {
        onnx_tools::pad_options options;
        options.names = {{onnx_tools::field::boxes, "det_boxes"}};
        ready other("fcos_tv014_b2_tensor_op12", options);
        padded_view<boxes<const float>> view;
        check_status(openvino::try_detections(view, padded.model, other.request), status_code::missing_field,
                     {"'boxes'"});
    }
    SUBCASE("a request that is empty")
    {
        ov::InferRequest none;
        padded_view<boxes<const float>> view;
        check_status(openvino::try_detections(view, padded.model, none), status_code::bad_argument,
                     {"OpenVINO cannot"});
    }
}

TEST_CASE_TEMPLATE("padded memory becomes an ov::Tensor and back, of every element type", T, float, double, float16,
                   bfloat16, std::int8_t, std::int16_t, std::int32_t, std::int64_t, std::uint8_t, std::uint16_t,
                   std::uint32_t, std::uint64_t, bool)
{
    for (const std::size_t capacity : {std::size_t{3}, std::size_t{0}}) {
        padded<keypoints<T>> batch(2, capacity, t::keypoints.shape(17, 3));
        auto made = openvino::tensor(batch[t::keypoints]);
        CHECK(made.get_shape() == ov::Shape{2, capacity, 17, 3});
        CHECK(made.data() == batch[t::keypoints].data());
        const tensor_ref tensor = openvino::ref(made);
        CHECK(tensor.type() == element_type_of<T>);
        CHECK(tensor.device() == device::host);
        const auto counts = openvino::counts_tensor(batch.view());
        const const_tensor_ref counts_tensor = openvino::ref(counts);
        CHECK(counts_tensor.data() == batch.view().count_data());
        const auto again = from_tensors<keypoints<const T>>(counts_tensor, tensor);
        CHECK(again.capacity() == capacity);
        CHECK(again[t::keypoints].data() == batch[t::keypoints].data());
    }
}

TEST_CASE("the types are OpenVINO's own")
{
    padded<scores<float16>, labels<bool>, field<t::values_t, bfloat16>> batch(1, 2);
    CHECK(openvino::tensor(batch[t::scores]).get_element_type() == ov::element::f16);
    CHECK(openvino::tensor(batch[t::labels]).get_element_type() == ov::element::boolean);
    CHECK(openvino::tensor(batch[t::values]).get_element_type() == ov::element::bf16);
    CHECK(openvino::counts_tensor(batch.view()).get_element_type() == ov::element::i32);
}

TEST_CASE("a batch goes through a model and comes back")
{
    const auto network = identity_model();
    const openvino::contract model(*network);
    CHECK(!model.batch().has_value());
    const std::vector<std::vector<std::array<float, 4>>> all_boxes{{{1, 2, 3, 4}, {5, 6, 7, 8}}, {}, {{9, 10, 11, 12}}};
    const std::vector<std::vector<float>> all_scores{{0.9F, 0.8F}, {}, {0.7F}};
    auto batch = pad(each(t::boxes(all_boxes), t::scores(all_scores)));
    auto request = request_of(network);
    request.set_input_tensor(0, openvino::counts_tensor(batch.view()));
    request.set_input_tensor(1, openvino::tensor(batch[t::boxes]));
    request.set_input_tensor(2, openvino::tensor(batch[t::scores]));
    request.infer();
    const auto back = openvino::detections<boxes<const float>, scores<const float>>(model, request);
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

TEST_CASE("a part of a tensor has strides, and is no padded field")
{
    ov::Tensor whole(ov::element::f32, ov::Shape{2, 6, 4});
    ov::Tensor part(whole, ov::Coordinate{0, 1, 0}, ov::Coordinate{2, 4, 4});
    const tensor_ref tensor = openvino::ref(part);
    CHECK(tensor.data() == static_cast<const float*>(whole.data()) + 4);
    CHECK(tensor.strides()[0] == 24);
    CHECK(tensor.strides()[1] == 4);
    CHECK(!tensor.is_contiguous());
    std::array<std::int32_t, 2> counts{};
    const std::int64_t two[] = {2};
    padded_view<boxes<const float>> view;
    check_status(try_from_tensors(view, const_tensor_ref(counts.data(), std::span<const std::int64_t>(two)), tensor),
                 status_code::wrong_shape, {"boxes"});
}

TEST_CASE("tensors that are none for padbatch")
{
    const_tensor_ref tensor;
    check_status(openvino::try_ref(tensor, ov::Tensor()), status_code::missing_field, {"empty"});
    check_status(openvino::try_ref(tensor, ov::Tensor(ov::element::string, ov::Shape{2})), status_code::wrong_type,
                 {"string"});
    check_status(openvino::try_ref(tensor, ov::Tensor(ov::element::u4, ov::Shape{2})), status_code::wrong_type, {"u4"});
    check_status(openvino::try_ref(tensor, ov::Tensor(ov::element::f32, ov::Shape(9, 1))), status_code::wrong_shape,
                 {"9 extents"});
    CHECK(tensor.data() == nullptr);
    CHECK_THROWS_AS(static_cast<void>(openvino::ref(std::as_const(*std::make_unique<ov::Tensor>()))), error);
}

TEST_CASE("tensors that no ov::Tensor can be made of")
{
    std::array<float, 12> values{};
    const std::int64_t shape[] = {2, 3};
    const std::int64_t apart[] = {6, 2};
    ov::Tensor made;
    const std::span<const std::int64_t> extents(shape);
    check_status(openvino::try_tensor(made, tensor_ref(values.data(), element_type::float32, extents,
                                                       std::span<const std::int64_t>(apart))),
                 status_code::wrong_shape, {"row-major"});
    check_status(openvino::try_tensor(made, tensor_ref(values.data(), element_type::float32, extents, device::cuda)),
                 status_code::device_memory, {"device"});
    const std::int64_t huge[] = {std::int64_t{1} << 61, 4};
    check_status(openvino::try_tensor(
                     made, tensor_ref(values.data(), element_type::float32, std::span<const std::int64_t>(huge))),
                 status_code::size_overflow, {});
    CHECK(!made);
    CHECK_THROWS_AS(
        static_cast<void>(openvino::tensor(tensor_ref(values.data(), element_type::float32, extents, device::cuda))),
        error);
}
