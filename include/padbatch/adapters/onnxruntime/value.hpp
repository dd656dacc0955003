// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_ADAPTERS_ONNXRUNTIME_VALUE_HPP
#define PADBATCH_ADAPTERS_ONNXRUNTIME_VALUE_HPP

#include <padbatch/adapters/model_contract.hpp>
#include <padbatch/detail/first_failure.hpp>

#include <onnxruntime_cxx_api.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <type_traits>

namespace padbatch::inline PADBATCH_ABI::onnxruntime {

namespace detail {

/// The outcome of a call of ONNX Runtime's C API. (The C++ API would throw an error, or end the program.)
[[nodiscard]] inline status outcome_of(OrtStatus* said, const char* doing) noexcept
{
    if (said == nullptr) [[likely]] {
        return {};
    }
    status outcome(status_code::bad_argument, "ONNX Runtime cannot {}: {}", doing, Ort::GetApi().GetErrorMessage(said));
    Ort::GetApi().ReleaseStatus(said);
    return outcome;
}

[[nodiscard]] inline bool find_type(ONNXTensorElementDataType from, element_type& to) noexcept
{
    switch (from) {
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT: to = element_type::float32; return true;
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_DOUBLE: to = element_type::float64; return true;
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT16: to = element_type::float16; return true;
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_BFLOAT16: to = element_type::bfloat16; return true;
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_INT8: to = element_type::int8; return true;
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_INT16: to = element_type::int16; return true;
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_INT32: to = element_type::int32; return true;
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64: to = element_type::int64; return true;
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT8: to = element_type::uint8; return true;
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT16: to = element_type::uint16; return true;
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT32: to = element_type::uint32; return true;
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT64: to = element_type::uint64; return true;
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_BOOL: to = element_type::boolean; return true;
    default: return false;
    }
}

[[nodiscard]] constexpr ONNXTensorElementDataType type_of(element_type type) noexcept
{
    switch (type) {
    case element_type::float32: return ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT;
    case element_type::float64: return ONNX_TENSOR_ELEMENT_DATA_TYPE_DOUBLE;
    case element_type::float16: return ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT16;
    case element_type::bfloat16: return ONNX_TENSOR_ELEMENT_DATA_TYPE_BFLOAT16;
    case element_type::int8: return ONNX_TENSOR_ELEMENT_DATA_TYPE_INT8;
    case element_type::int16: return ONNX_TENSOR_ELEMENT_DATA_TYPE_INT16;
    case element_type::int32: return ONNX_TENSOR_ELEMENT_DATA_TYPE_INT32;
    case element_type::int64: return ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64;
    case element_type::uint8: return ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT8;
    case element_type::uint16: return ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT16;
    case element_type::uint32: return ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT32;
    case element_type::uint64: return ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT64;
    case element_type::boolean: return ONNX_TENSOR_ELEMENT_DATA_TYPE_BOOL;
    }
    return ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED;
}

/// Finds where the memory of a value is. A device's pinned memory is the host's.
[[nodiscard]] inline status find_device(const OrtValue* value, device& where) noexcept
{
    const OrtApi& api = Ort::GetApi();
    const OrtMemoryInfo* memory = nullptr;
    OrtMemType kind = OrtMemTypeDefault;
    OrtMemoryInfoDeviceType type = OrtMemoryInfoDeviceType_CPU;
    const char* name = "";
    if (status outcome = padbatch::detail::first_failure(
            [&] { return outcome_of(api.GetTensorMemoryInfo(value, &memory), "tell where a tensor is"); },
            [&] { return outcome_of(api.MemoryInfoGetMemType(memory, &kind), "tell the kind of memory"); },
            [&] { return outcome_of(api.MemoryInfoGetName(memory, &name), "tell the name of memory"); });
        !outcome.ok()) {
        return outcome;
    }
    api.MemoryInfoGetDeviceType(memory, &type);
    where = type == OrtMemoryInfoDeviceType_CPU || kind == OrtMemTypeCPUInput || kind == OrtMemTypeCPUOutput
                ? device::host
            : std::strcmp(name, "Cuda") == 0 ? device::cuda
                                             : device::other;
    return {};
}

template <class Void>
[[nodiscard]] status read_tensor(basic_tensor_ref<Void>& tensor, const OrtValue* value) noexcept
{
    const OrtApi& api = Ort::GetApi();
    if (value == nullptr) {
        return {status_code::missing_field, "this Ort::Value is empty"};
    }
    int is_tensor = 0;
    if (status outcome = outcome_of(api.IsTensor(value, &is_tensor), "tell the kind of a value"); !outcome.ok()) {
        return outcome;
    }
    if (is_tensor == 0) {
        return {status_code::wrong_type, "this Ort::Value is a sequence or a map, not a tensor"};
    }
    OrtTensorTypeAndShapeInfo* info = nullptr;
    ONNXTensorElementDataType onnx_type = ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED;
    std::size_t rank = 0;
    std::int64_t shape[const_tensor_ref::max_rank] = {};
    constexpr const char* doing = "tell the type and shape of a tensor";
    status outcome =
        padbatch::detail::first_failure([&] { return outcome_of(api.GetTensorTypeAndShape(value, &info), doing); },
                                        [&] { return outcome_of(api.GetTensorElementType(info, &onnx_type), doing); },
                                        [&] { return outcome_of(api.GetDimensionsCount(info, &rank), doing); },
                                        [&] {
                                            return rank > const_tensor_ref::max_rank
                                                       ? status()
                                                       : outcome_of(api.GetDimensions(info, shape, rank), doing);
                                        });
    api.ReleaseTensorTypeAndShapeInfo(info);
    if (!outcome.ok()) {
        return outcome;
    }
    element_type type{};
    if (!find_type(onnx_type, type)) {
        return {status_code::wrong_type, "this Ort::Value has elements of ONNX's type {}, which padbatch does not have",
                int{onnx_type}};
    }
    if (rank > const_tensor_ref::max_rank) {
        return {status_code::wrong_shape, "this Ort::Value has {} extents; expected at most {}", rank,
                const_tensor_ref::max_rank};
    }
    device where = device::host;
    void* data = nullptr;
    outcome = padbatch::detail::first_failure(
        [&] { return find_device(value, where); },
        [&] { // a const value's pointer becomes a `const void*` below
            return outcome_of(api.GetTensorMutableData(const_cast<OrtValue*>(value), &data), "give a tensor's memory");
        });
    if (!outcome.ok()) {
        return outcome;
    }
    tensor = basic_tensor_ref<Void>(data, type, std::span<const std::int64_t>(shape, rank), where);
    return {};
}

} // namespace detail

/// The type, shape, memory and device of a tensor. Costs about ten calls of ONNX Runtime's C API and one small
/// allocation in it; no copy. Fails with `status_code::missing_field` for an empty value, with
/// `status_code::wrong_type` for strings, sequences and types that padbatch lacks, with `status_code::wrong_shape` for
/// more than 8 extents. Device memory is described, not refused.
[[nodiscard]] inline status try_ref(tensor_ref& tensor, Ort::Value& value) noexcept
{
    return detail::read_tensor(tensor, value);
}
[[nodiscard]] inline status try_ref(const_tensor_ref& tensor, const Ort::Value& value) noexcept
{
    return detail::read_tensor(tensor, value);
}

/// Makes `value` a tensor in the memory of `tensor`, which has to outlive it; an old value is released. `tensor` is
/// contiguous host memory. ONNX Runtime writes there if the value is an output of a run; otherwise it only reads.
[[nodiscard]] inline status try_value(Ort::Value& value, const tensor_ref& tensor) noexcept
{
    const OrtApi& api = Ort::GetApi();
    std::size_t bytes = 0;
    OrtMemoryInfo* memory = nullptr;
    OrtValue* made = nullptr;
    status outcome = padbatch::detail::first_failure(
        [&] { return padbatch::detail::check_passed_on(tensor, bytes); },
        [&] {
            return detail::outcome_of(api.CreateCpuMemoryInfo(OrtDeviceAllocator, OrtMemTypeDefault, &memory),
                                      "describe the host's memory");
        });
    if (!outcome.ok()) {
        return outcome;
    }
    outcome =
        detail::outcome_of(api.CreateTensorWithDataAsOrtValue(memory, tensor.data(), bytes, tensor.shape().data(),
                                                              tensor.rank(), detail::type_of(tensor.type()), &made),
                           "make a tensor of this memory");
    api.ReleaseMemoryInfo(memory);
    if (outcome.ok()) {
        value = Ort::Value(made);
    }
    return outcome;
}

#if PADBATCH_EXCEPTIONS
/// The throwing form.
[[nodiscard]] inline tensor_ref ref(Ort::Value& value)
{
    tensor_ref tensor;
    padbatch::detail::require(try_ref(tensor, value));
    return tensor;
}
[[nodiscard]] inline const_tensor_ref ref(const Ort::Value& value)
{
    const_tensor_ref tensor;
    padbatch::detail::require(try_ref(tensor, value));
    return tensor;
}
const_tensor_ref ref(const Ort::Value&&) = delete; // its memory would be gone

/// An `Ort::Value` in memory of someone else. Throws `error` if `try_value` fails.
[[nodiscard]] inline Ort::Value value(const tensor_ref& tensor)
{
    Ort::Value made(nullptr);
    padbatch::detail::require(try_value(made, tensor));
    return made;
}
/// One field of a padded batch, `[B, M, row...]`: `onnxruntime::value(batch[t::boxes])`.
template <class T, class E>
[[nodiscard]] Ort::Value value(const padded_field<T, E>& field)
{
    static_assert(!std::is_const_v<T>,
                  "an Ort::Value may be written to: make it from a batch whose fields are not const");
    return value(field.ref());
}
/// The counts of a padded batch, `[B, 1]`.
template <class... Fields>
[[nodiscard]] Ort::Value counts_value(const padded_view<Fields...>& batch)
{
    static_assert(padded_view<Fields...>::is_writable,
                  "an Ort::Value may be written to: make it from a batch whose fields are not const");
    return value(counts_ref(batch));
}
#endif

} // namespace padbatch::inline PADBATCH_ABI::onnxruntime

#endif
