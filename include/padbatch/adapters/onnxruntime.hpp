// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_ADAPTERS_ONNXRUNTIME_HPP
#define PADBATCH_ADAPTERS_ONNXRUNTIME_HPP

#include <padbatch/adapters/model_contract.hpp>
#include <padbatch/adapters/onnxruntime/value.hpp>
#include <padbatch/detail/buffer.hpp>
#include <padbatch/detail/first_failure.hpp>

#include <onnxruntime_cxx_api.h>

#include <array>
#include <cstddef>
#include <cstring>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

/// ONNX Runtime 1.17 and newer: the outputs of a padded model as a batch of detections, and padded memory as
/// `Ort::Value`, both without a copy.
///
///     const onnxruntime::contract model(session);
///     const auto names = model.output_names();
///     const auto outputs = session.Run({}, input_names, &input, 1, names.data(), names.size());
///     const auto batch = onnxruntime::detections<boxes<const float>, scores<const float>>(model, outputs);
///
/// Nothing here throws `Ort::Exception` or, with `ORT_NO_EXCEPTIONS`, ends the program: an error of ONNX Runtime
/// becomes a status, or a `padbatch::error` in the throwing forms. Threads may share a `contract`.
namespace padbatch::inline PADBATCH_ABI::onnxruntime {

namespace detail {

/// Outputs that may be written if any of the fields may.
template <class... Fields>
using outputs_of = std::span<
    std::conditional_t<(std::is_const_v<typename Fields::element_type> && ...), const Ort::Value, Ort::Value>>;

} // namespace detail

/// What a padded model in a session says about its outputs (see `model_contract`), and the names of all its outputs for
/// `Run`. Read it once and use it for every run; it does not refer to the session.
class contract : public model_contract {
public:
    contract() noexcept = default;

#if PADBATCH_EXCEPTIONS
    /// Takes an `Ort::Session`. Throws `error` if `try_read` fails.
    explicit contract(const OrtSession* session) { padbatch::detail::require(try_read(session)); }
#endif

    /// Reads an `Ort::Session`. Fails, and changes nothing, if the model is not padded (`status_code::missing_field`)
    /// or its metadata are damaged (`status_code::bad_argument`).
    [[nodiscard]] status try_read(const OrtSession* session) noexcept
    {
        const OrtApi& api = Ort::GetApi();
        OrtAllocator* allocator = nullptr;
        OrtModelMetadata* stored = nullptr;
        const char* const keys[] = {padbatch::contract::count_key, padbatch::contract::fields_key,
                                    padbatch::contract::max_detections_key, padbatch::contract::batch_key};
        char* values[4] = {};
        contract taken;
        status outcome = padbatch::detail::first_failure(
            [&] { return detail::outcome_of(api.GetAllocatorWithDefaultOptions(&allocator), "provide an allocator"); },
            [&] { return detail::outcome_of(api.SessionGetModelMetadata(session, &stored), "provide metadata"); },
            [&] {
                OrtStatus* said = nullptr;
                for (std::size_t k = 0; k < 4 && said == nullptr; ++k) {
                    said = api.ModelMetadataLookupCustomMetadataMap(stored, allocator, keys[k], &values[k]);
                }
                return detail::outcome_of(said, "look up metadata");
            },
            [&] { return taken.model_contract::try_read({values[0], values[1], values[2], values[3]}); },
            [&] { return taken.read_names(session, allocator); });
        api.ReleaseModelMetadata(stored);
        for (char* const each : values) {
            if (each != nullptr) {
                allocator->Free(allocator, each);
            }
        }
        if (outcome.ok()) {
            *this = std::move(taken);
        }
        return outcome;
    }

    /// The names of all outputs of the model, in its order.
    [[nodiscard]] std::span<const char* const> output_names() const noexcept
    {
        return {m_names.data(), m_names.size()};
    }

    /// Sets `names` to the outputs of the count and of the fields, in this order, for a run that computes only these:
    /// `model.try_output_names<boxes<>, scores<>>(names)`. Element types do not matter. Fails with
    /// `status_code::missing_field`.
    template <class... Fields>
        requires(sizeof...(Fields) > 0)
    [[nodiscard]] status try_output_names(std::array<const char*, 1 + sizeof...(Fields)>& names) const noexcept
    {
        std::array<const char*, 1 + sizeof...(Fields)> found{count_name()};
        std::size_t k = 0;
        status outcome = padbatch::detail::first_failure(
            [&] { return padbatch::detail::find_output<Fields>(*this, found[++k]); }...);
        if (outcome.ok()) {
            names = found;
        }
        return outcome;
    }

#if PADBATCH_EXCEPTIONS
    /// The throwing form.
    template <class... Fields>
        requires(sizeof...(Fields) > 0)
    [[nodiscard]] std::array<const char*, 1 + sizeof...(Fields)> output_names() const
    {
        std::array<const char*, 1 + sizeof...(Fields)> names{};
        padbatch::detail::require(try_output_names<Fields...>(names));
        return names;
    }
#endif

private:
    padbatch::detail::buffer<char> m_name_text;
    padbatch::detail::buffer<const char*> m_names;

    [[nodiscard]] status read_names(const OrtSession* session, OrtAllocator* allocator) noexcept
    {
        const OrtApi& api = Ort::GetApi();
        std::size_t count = 0;
        status outcome = detail::outcome_of(api.SessionGetOutputCount(session, &count), "count the outputs");
        for (std::size_t i = 0; i < count && outcome.ok(); ++i) {
            char* name = nullptr;
            outcome = detail::outcome_of(api.SessionGetOutputName(session, i, allocator, &name), "name an output");
            if (!outcome.ok()) {
                return outcome;
            }
            const std::size_t begin = m_name_text.size();
            const std::size_t size = std::strlen(name) + 1;
            if (m_name_text.try_resize(begin + size)) {
                std::memcpy(m_name_text.data() + begin, name, size);
            } else {
                outcome = {status_code::out_of_memory, "not enough memory for the names of {} outputs", count};
            }
            allocator->Free(allocator, name);
        }
        if (outcome.ok() && !m_names.try_resize(count)) {
            return {status_code::out_of_memory, "not enough memory for the names of {} outputs", count};
        }
        const char* next = m_name_text.data(); // which moved while it grew
        for (std::size_t i = 0; i < count && outcome.ok(); ++i) {
            m_names[i] = next;
            next += std::strlen(next) + 1;
        }
        return outcome;
    }
};

/// Makes `view` from the outputs of a padded model: its memory is that of `outputs`, which have to outlive it. `names`
/// are the names that the outputs were requested by, in their order; the default is all of `model.output_names()`.
/// Fields whose elements are not const need outputs that are not const.
///
/// Fails, and leaves `view` unchanged, with `status_code::missing_field` if the model has no such field or its output
/// was not requested; with `status_code::size_mismatch` if there are not as many outputs as names; with
/// `status_code::wrong_type`, `status_code::wrong_shape`, `status_code::device_memory` or `status_code::bad_count` if
/// an output does not match its field. Costs about a microsecond for each field, whatever its size, and an allocation
/// inside ONNX Runtime.
template <class... Fields>
[[nodiscard]] status try_detections(padded_view<Fields...>& view, const contract& model,
                                    std::type_identity_t<detail::outputs_of<Fields...>> outputs,
                                    std::span<const char* const> names) noexcept
{
    if (outputs.size() != names.size()) {
        return {status_code::size_mismatch,
                "there are {} outputs and {} names; if these are not all outputs of the model, give the names that "
                "they were "
                "requested by",
                outputs.size(), names.size()};
    }
    return padbatch::detail::detections_of(view, model, [&](const char* name, auto& tensor) noexcept -> status {
        for (std::size_t i = 0; i < names.size(); ++i) {
            if (std::strcmp(names[i], name) == 0) {
                return detail::read_tensor(tensor, outputs[i]);
            }
        }
        return {status_code::missing_field, "the output '{}' is not among the {} that were requested", name,
                names.size()};
    });
}
template <class... Fields>
[[nodiscard]] status try_detections(padded_view<Fields...>& view, const contract& model,
                                    std::type_identity_t<detail::outputs_of<Fields...>> outputs) noexcept
{
    return try_detections(view, model, outputs, model.output_names());
}

// Outputs that nobody keeps: the batch would refer to memory that is gone.
template <class... Fields>
status try_detections(padded_view<Fields...>&, const contract&, std::vector<Ort::Value>&&) = delete;
template <class... Fields>
status try_detections(padded_view<Fields...>&, const contract&, std::vector<Ort::Value>&&,
                      std::span<const char* const>) = delete;

#if PADBATCH_EXCEPTIONS
/// The throwing form: `detections<boxes<const float>, labels<const std::int64_t>>(model, outputs)`.
template <class... Fields>
[[nodiscard]] padded_view<Fields...> detections(const contract& model, detail::outputs_of<Fields...> outputs,
                                                std::span<const char* const> names)
{
    padded_view<Fields...> view;
    padbatch::detail::require(try_detections(view, model, outputs, names));
    return view;
}
template <class... Fields>
[[nodiscard]] padded_view<Fields...> detections(const contract& model, detail::outputs_of<Fields...> outputs)
{
    return detections<Fields...>(model, outputs, model.output_names());
}
// As with try_detections.
template <class... Fields>
padded_view<Fields...> detections(const contract&, std::vector<Ort::Value>&&) = delete;
template <class... Fields>
padded_view<Fields...> detections(const contract&, std::vector<Ort::Value>&&, std::span<const char* const>) = delete;
#endif

} // namespace padbatch::inline PADBATCH_ABI::onnxruntime

#endif
