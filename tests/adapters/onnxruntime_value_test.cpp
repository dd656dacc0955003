// SPDX-License-Identifier: Apache-2.0
#include <padbatch/adapters/onnxruntime/value.hpp>
#include <padbatch/padded.hpp>

#include <tests/support/check_status.hpp>

#include <doctest/doctest.h>

#include <array>
#include <cstdint>
#include <span>
#include <vector>

using namespace padbatch;
using test::check_status;

TEST_CASE_TEMPLATE("padded memory becomes an Ort::Value and back, of every element type", T, float, double, float16,
                   bfloat16, std::int8_t, std::int16_t, std::int32_t, std::int64_t, std::uint8_t, std::uint16_t,
                   std::uint32_t, std::uint64_t, bool)
{
    for (const std::size_t capacity : {std::size_t{3}, std::size_t{0}}) {
        padded<keypoints<T>> batch(2, capacity, t::keypoints.shape(17, 3));
        auto value = onnxruntime::value(batch[t::keypoints]);
        const auto info = value.GetTensorTypeAndShapeInfo();
        CHECK(info.GetShape() == std::vector<std::int64_t>{2, static_cast<std::int64_t>(capacity), 17, 3});
        const tensor_ref tensor = onnxruntime::ref(value);
        CHECK(tensor.type() == element_type_of<T>);
        CHECK(tensor.device() == device::host);
        const auto counts = onnxruntime::counts_value(batch.view());
        const const_tensor_ref counts_tensor = onnxruntime::ref(counts);
        CHECK(counts_tensor.data() == batch.view().count_data());
        const auto again = from_tensors<keypoints<const T>>(counts_tensor, tensor);
        CHECK(again.capacity() == capacity);
        if (capacity != 0) {
            CHECK(tensor.data() == batch[t::keypoints].data());
            CHECK(again[t::keypoints].data() == batch[t::keypoints].data());
        }
    }
}

TEST_CASE("the types are ONNX's own")
{
    padded<scores<float16>, labels<bool>, field<t::values_t, bfloat16>> batch(1, 2);
    const auto type = [](const Ort::Value& value) { return value.GetTensorTypeAndShapeInfo().GetElementType(); };
    CHECK(type(onnxruntime::value(batch[t::scores])) == ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT16);
    CHECK(type(onnxruntime::value(batch[t::labels])) == ONNX_TENSOR_ELEMENT_DATA_TYPE_BOOL);
    CHECK(type(onnxruntime::value(batch[t::values])) == ONNX_TENSOR_ELEMENT_DATA_TYPE_BFLOAT16);
    CHECK(type(onnxruntime::counts_value(batch.view())) == ONNX_TENSOR_ELEMENT_DATA_TYPE_INT32);
}

TEST_CASE("counts of every type")
{
    std::array<float, 8> values{};
    std::array<std::int64_t, 2> wide{1, 0};
    const padded_view wide_batch(wide, 1, t::boxes(values));
    CHECK(onnxruntime::counts_value(wide_batch).GetTensorTypeAndShapeInfo().GetElementType() ==
          ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64);
    std::array<float, 2> floats{1, 0};
    const padded_view float_batch(floats, 1, t::boxes(values));
    const auto value = onnxruntime::counts_value(float_batch);
    CHECK(onnxruntime::ref(value).type() == element_type::float32);
    CHECK(onnxruntime::ref(value).shape()[1] == 1);
}

TEST_CASE("values that are not tensors for padbatch")
{
    const Ort::AllocatorWithDefaultOptions allocator;
    const_tensor_ref tensor;
    const std::int64_t two[] = {2};
    check_status(onnxruntime::try_ref(tensor, Ort::Value(nullptr)), status_code::missing_field, {"empty"});
    const auto text = Ort::Value::CreateTensor(allocator, two, 1, ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING);
    check_status(onnxruntime::try_ref(tensor, text), status_code::wrong_type, {"type 8"});
    const std::vector<std::int64_t> nine(9, 1);
    const auto deep = Ort::Value::CreateTensor<float>(allocator, nine.data(), nine.size());
    check_status(onnxruntime::try_ref(tensor, deep), status_code::wrong_shape, {"9 extents"});
    std::vector<Ort::Value> parts;
    parts.push_back(Ort::Value::CreateTensor<float>(allocator, two, 1));
    const auto sequence = Ort::Value::CreateSequence(parts);
    check_status(onnxruntime::try_ref(tensor, sequence), status_code::wrong_type, {"not a tensor"});
    CHECK(tensor.data() == nullptr);
    CHECK_THROWS_AS(static_cast<void>(onnxruntime::ref(text)), error);
}

TEST_CASE("tensors that cannot be an Ort::Value")
{
    std::array<float, 12> values{};
    const std::int64_t shape[] = {2, 3};
    const std::int64_t apart[] = {6, 2};
    Ort::Value value(nullptr);
    const std::span<const std::int64_t> extents(shape);
    check_status(onnxruntime::try_value(value, tensor_ref(values.data(), element_type::float32, extents,
                                                          std::span<const std::int64_t>(apart))),
                 status_code::wrong_shape, {"row-major"});
    check_status(onnxruntime::try_value(value, tensor_ref(values.data(), element_type::float32, extents, device::cuda)),
                 status_code::device_memory, {"device"});
    const std::vector<std::int64_t> nine(9, 1);
    check_status(onnxruntime::try_value(
                     value, tensor_ref(values.data(), element_type::float32, std::span<const std::int64_t>(nine))),
                 status_code::wrong_shape, {"8 extents"});
    const std::int64_t huge[] = {std::int64_t{1} << 61, 4};
    check_status(onnxruntime::try_value(
                     value, tensor_ref(values.data(), element_type::float32, std::span<const std::int64_t>(huge))),
                 status_code::size_overflow, {});
    CHECK(value == nullptr);
    CHECK_THROWS_AS(
        static_cast<void>(onnxruntime::value(tensor_ref(values.data(), element_type::float32, extents, device::cuda))),
        error);
}
