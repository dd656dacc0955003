// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_ADAPTERS_OPENVINO_HPP
#define PADBATCH_ADAPTERS_OPENVINO_HPP

#include <padbatch/adapters/model_contract.hpp>

#if !PADBATCH_EXCEPTIONS
#error "OpenVINO needs exceptions, and its headers do not compile without them: compile this file with exceptions"
#endif

#include <openvino/core/model.hpp>
#include <openvino/runtime/compiled_model.hpp>
#include <openvino/runtime/infer_request.hpp>
#include <openvino/runtime/remote_tensor.hpp>
#include <openvino/runtime/tensor.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

/// OpenVINO 2024.6 and newer: the outputs of a padded model as a batch of detections, and padded memory as
/// `ov::Tensor`, both without a copy.
///
///     const auto network = core.read_model("padded.onnx");
///     const openvino::contract model(*network); // a compiled model has lost its metadata
///     auto request = core.compile_model(network, "CPU").create_infer_request();
///     request.infer();
///     const auto batch = openvino::detections<boxes<const float>, scores<const float>>(model, request);
///
/// An exception of OpenVINO becomes a status, or a `padbatch::error` in the throwing forms. OpenVINO's own headers need
/// exceptions and RTTI, and so does this one.
namespace padbatch::inline PADBATCH_ABI::openvino {

namespace detail {

/// The status that `call()` returns, or one made from the exception that it throws.
template <class Call>
[[nodiscard]] status guarded(const char* doing, const Call& call) noexcept
{
    try {
        return call();
    } catch (const std::exception& e) {
        return {status_code::bad_argument, "OpenVINO cannot {}: {}", doing, e.what()};
    }
}

[[nodiscard]] inline bool find_type(ov::element::Type_t from, element_type& to) noexcept
{
    switch (from) {
    case ov::element::Type_t::f32: to = element_type::float32; return true;
    case ov::element::Type_t::f64: to = element_type::float64; return true;
    case ov::element::Type_t::f16: to = element_type::float16; return true;
    case ov::element::Type_t::bf16: to = element_type::bfloat16; return true;
    case ov::element::Type_t::i8: to = element_type::int8; return true;
    case ov::element::Type_t::i16: to = element_type::int16; return true;
    case ov::element::Type_t::i32: to = element_type::int32; return true;
    case ov::element::Type_t::i64: to = element_type::int64; return true;
    case ov::element::Type_t::u8: to = element_type::uint8; return true;
    case ov::element::Type_t::u16: to = element_type::uint16; return true;
    case ov::element::Type_t::u32: to = element_type::uint32; return true;
    case ov::element::Type_t::u64: to = element_type::uint64; return true;
    case ov::element::Type_t::boolean: to = element_type::boolean; return true;
    default: return false;
    }
}

[[nodiscard]] constexpr ov::element::Type_t type_of(element_type type) noexcept
{
    switch (type) {
    case element_type::float32: return ov::element::Type_t::f32;
    case element_type::float64: return ov::element::Type_t::f64;
    case element_type::float16: return ov::element::Type_t::f16;
    case element_type::bfloat16: return ov::element::Type_t::bf16;
    case element_type::int8: return ov::element::Type_t::i8;
    case element_type::int16: return ov::element::Type_t::i16;
    case element_type::int32: return ov::element::Type_t::i32;
    case element_type::int64: return ov::element::Type_t::i64;
    case element_type::uint8: return ov::element::Type_t::u8;
    case element_type::uint16: return ov::element::Type_t::u16;
    case element_type::uint32: return ov::element::Type_t::u32;
    case element_type::uint64: return ov::element::Type_t::u64;
    case element_type::boolean: return ov::element::Type_t::boolean;
    }
    return ov::element::Type_t::f32;
}

/// `Tensor` is `ov::Tensor` or `const ov::Tensor`.
template <class Void, class Tensor>
[[nodiscard]] status read_tensor(basic_tensor_ref<Void>& tensor, Tensor& from) noexcept
{
    if (!from) {
        return {status_code::missing_field, "this ov::Tensor is empty"};
    }
    return guarded("describe a tensor", [&]() -> status {
        element_type type{};
        if (!find_type(from.get_element_type(), type)) {
            return {status_code::wrong_type,
                    "this ov::Tensor has elements of the type {}, which padbatch does not have",
                    from.get_element_type().get_type_name().c_str()};
        }
        // Copied, since asking a plugin's tensor for its shape or strides again may invalidate this reference.
        std::size_t extents[const_tensor_ref::max_rank] = {};
        const ov::Shape& asked = from.get_shape();
        const std::size_t rank = asked.size();
        if (rank > const_tensor_ref::max_rank) {
            return {status_code::wrong_shape, "this ov::Tensor has {} extents; expected at most {}", rank,
                    const_tensor_ref::max_rank};
        }
        std::copy(asked.begin(), asked.end(), extents);
        const std::span<const std::size_t> shape(extents, rank);
        // The only way to find out whether a tensor is remote throws if it is not. Asking a remote tensor for its
        // memory throws too, so this is tried first: it costs nothing for tensors of the host.
        Void* data = nullptr;
        device where = device::host;
        try {
            data = from.data();
        } catch (const std::exception&) {
            if (!from.template is<ov::RemoteTensor>()) {
                throw;
            }
            where = device::other;
        }
        if (where != device::host || from.is_continuous()) {
            tensor = basic_tensor_ref<Void>(data, type, shape, where);
            return {};
        }
        ov::Strides strides = from.get_strides(); // in bytes
        for (std::size_t& stride : strides) {
            stride /= size_of(type);
        }
        tensor =
            basic_tensor_ref<Void>(data, type, shape, std::span<const std::size_t>(strides.data(), strides.size()));
        return {};
    });
}

} // namespace detail

/// The type, shape, strides, memory and device of a tensor; no copy and, if it is contiguous, no allocation. Fails with
/// `status_code::missing_field` for an empty tensor, with `status_code::wrong_type` for strings and types that padbatch
/// lacks, with `status_code::wrong_shape` for more than 8 extents, with `status_code::bad_argument` if OpenVINO
/// refuses, as for writable memory of a read-only tensor. An `ov::RemoteTensor` is described as device memory with a
/// null pointer, not refused.
[[nodiscard]] inline status try_ref(tensor_ref& tensor, ov::Tensor& from) noexcept
{
    return detail::read_tensor(tensor, from);
}
[[nodiscard]] inline status try_ref(const_tensor_ref& tensor, const ov::Tensor& from) noexcept
{
    return detail::read_tensor(tensor, from);
}

/// Makes `made` a tensor in the memory of `memory`, which has to outlive it. `memory` is contiguous host memory.
/// OpenVINO writes there if the tensor is an output of a request; otherwise it only reads.
[[nodiscard]] inline status try_tensor(ov::Tensor& made, const tensor_ref& memory) noexcept
{
    std::size_t bytes = 0;
    if (status outcome = padbatch::detail::check_passed_on(memory, bytes); !outcome.ok()) {
        return outcome;
    }
    return detail::guarded("make a tensor of this memory", [&]() -> status {
        made = ov::Tensor(detail::type_of(memory.type()), ov::Shape(memory.shape().begin(), memory.shape().end()),
                          memory.data());
        return {};
    });
}

/// The throwing form.
[[nodiscard]] inline tensor_ref ref(ov::Tensor& from)
{
    tensor_ref tensor;
    padbatch::detail::require(try_ref(tensor, from));
    return tensor;
}
[[nodiscard]] inline const_tensor_ref ref(const ov::Tensor& from)
{
    const_tensor_ref tensor;
    padbatch::detail::require(try_ref(tensor, from));
    return tensor;
}

/// An `ov::Tensor` in memory of someone else. Throws `error` if `try_tensor` fails.
[[nodiscard]] inline ov::Tensor tensor(const tensor_ref& memory)
{
    ov::Tensor made;
    padbatch::detail::require(try_tensor(made, memory));
    return made;
}
/// One field of a padded batch, `[B, M, row...]`: `openvino::tensor(batch[t::boxes])`.
template <class T, class E>
[[nodiscard]] ov::Tensor tensor(const padded_field<T, E>& field)
{
    static_assert(!std::is_const_v<T>,
                  "an ov::Tensor may be written to: make it from a batch whose fields are not const");
    return tensor(field.ref());
}
/// The counts of a padded batch, `[B, 1]`.
template <class... Fields>
[[nodiscard]] ov::Tensor counts_tensor(const padded_view<Fields...>& batch)
{
    static_assert(padded_view<Fields...>::is_writable,
                  "an ov::Tensor may be written to: make it from a batch whose fields are not const");
    return tensor(counts_ref(batch));
}

/// What a padded model says about its outputs (see `model_contract`). It is read from a model before it is compiled,
/// also from one in OpenVINO's own format; it does not refer to the model.
class contract : public model_contract {
public:
    contract() noexcept = default;

    /// Throws `error` if `try_read` fails.
    explicit contract(const ov::Model& model) { padbatch::detail::require(try_read(model)); }

    /// Fails, and changes nothing, if the model is not padded (`status_code::missing_field`) or its metadata are
    /// damaged
    /// (`status_code::bad_argument`).
    [[nodiscard]] status try_read(const ov::Model& model) noexcept
    {
        return detail::guarded("read the model's metadata", [&]() -> status {
            const char* const keys[] = {padbatch::contract::count_key, padbatch::contract::fields_key,
                                        padbatch::contract::max_detections_key, padbatch::contract::batch_key};
            std::string texts[4];
            const char* values[4] = {};
            for (std::size_t k = 0; k < 4; ++k) {
                // Where OpenVINO puts an ONNX file's metadata.
                const std::vector<std::string> path{"framework", keys[k]};
                if (model.has_rt_info(path)) {
                    texts[k] = model.get_rt_info<ov::Any>(path).as<std::string>();
                    values[k] = texts[k].c_str();
                }
            }
            return model_contract::try_read({values[0], values[1], values[2], values[3]});
        });
    }
};

/// Makes `view` from the outputs of a padded model that `request` has run: its memory is that of the request's output
/// tensors, which stay until they are replaced or the request is destroyed, and are overwritten by the next run.
///
/// Fails, and leaves `view` unchanged, with `status_code::missing_field` if the model has no such field or output; with
/// `status_code::wrong_type`, `status_code::wrong_shape`, `status_code::device_memory` or `status_code::bad_count` if
/// an output does not match its field; with `status_code::bad_argument` if OpenVINO refuses, as for a request that is
/// still running. Costs a few lookups by name and small allocations for each field, whatever its size.
template <class... Fields>
[[nodiscard]] status try_detections(padded_view<Fields...>& view, const contract& model,
                                    ov::InferRequest& request) noexcept
{
    return detail::guarded("give the outputs", [&]() -> status {
        const ov::CompiledModel compiled = request.get_compiled_model();
        const auto& outputs = compiled.outputs();
        return padbatch::detail::detections_of(view, model, [&](const char* name, auto& tensor) noexcept -> status {
            return detail::guarded("give an output", [&]() -> status {
                for (const auto& output : outputs) {
                    if (output.get_names().count(name) != 0) {
                        ov::Tensor found = request.get_tensor(output);
                        return try_ref(tensor, found);
                    }
                }
                return {status_code::missing_field,
                        "the request's model has no output '{}', although its metadata name it", name};
            });
        });
    });
}

/// The throwing form: `detections<boxes<const float>, labels<const std::int64_t>>(model, request)`.
template <class... Fields>
[[nodiscard]] padded_view<Fields...> detections(const contract& model, ov::InferRequest& request)
{
    padded_view<Fields...> view;
    padbatch::detail::require(try_detections(view, model, request));
    return view;
}

} // namespace padbatch::inline PADBATCH_ABI::openvino

#endif
