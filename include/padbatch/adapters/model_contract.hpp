// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_ADAPTERS_MODEL_CONTRACT_HPP
#define PADBATCH_ADAPTERS_MODEL_CONTRACT_HPP

// What the adapters of inference engines share. It depends on no engine; an engine's adapter includes it.

#include <padbatch/contract.hpp>
#include <padbatch/detail/buffer.hpp>
#include <padbatch/detail/field_memory.hpp>
#include <padbatch/detail/first_failure.hpp>
#include <padbatch/element_type.hpp>
#include <padbatch/padded_view.hpp>
#include <padbatch/tensors.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <tuple>
#include <type_traits>
#include <utility>

namespace padbatch::inline PADBATCH_ABI {

/// What a model that `onnx-pad-outputs` wrote says about its outputs: their names, M and B. Move only.
class model_contract {
public:
    /// The values of the metadata's keys (see contract.hpp); null if a key is missing.
    struct metadata {
        const char* count = nullptr;
        const char* fields = nullptr;
        const char* max_detections = nullptr;
        const char* batch = nullptr;
    };

    /// A padded field and the output that holds it.
    struct field_output {
        const char* field;
        const char* output;
    };

    /// Has nothing read yet.
    model_contract() noexcept = default;

    /// Copies the entries. Fails, and changes nothing, with `status_code::missing_field` if there is no count or there
    /// are no fields, since the model is not padded then; with `status_code::bad_argument` if the fields are not in the
    /// form `boxes=NAME,labels=NAME`.
    [[nodiscard]] status try_read(const metadata& entries) noexcept
    {
        if (entries.count == nullptr || entries.fields == nullptr) {
            return {status_code::missing_field,
                    "the model has no '{}' in its metadata: it was not written by onnx-pad-outputs, or in a layout "
                    "without it, or another program has removed the metadata",
                    entries.count == nullptr ? contract::count_key : contract::fields_key};
        }
        // The name of the count, the fields as they are written, and the fields again, cut into names.
        const std::size_t count_size = std::strlen(entries.count) + 1;
        const std::size_t fields_size = std::strlen(entries.fields) + 1;
        padbatch::detail::buffer<char> text;
        padbatch::detail::buffer<field_output> fields;
        if (!text.try_resize(count_size + 2 * fields_size)) {
            return {status_code::out_of_memory, "not enough memory for the names of the outputs"};
        }
        std::memcpy(text.data(), entries.count, count_size);
        std::memcpy(text.data() + count_size, entries.fields, fields_size);
        std::memcpy(text.data() + count_size + fields_size, entries.fields, fields_size);
        for (char* next = text.data() + count_size + fields_size; next != nullptr;) {
            char* const field = next;
            char* const comma = std::strchr(field, ',');
            if (comma != nullptr) {
                *comma = '\0';
            }
            next = comma != nullptr ? comma + 1 : nullptr;
            char* const equals = std::strchr(field, '=');
            if (equals == nullptr || equals == field || equals[1] == '\0') {
                return {status_code::bad_argument,
                        "the model's metadata give '{}' for '{}'; expected FIELD=OUTPUT,FIELD=OUTPUT", entries.fields,
                        contract::fields_key};
            }
            *equals = '\0';
            if (!fields.try_resize(fields.size() + 1)) {
                return {status_code::out_of_memory, "not enough memory for the names of the outputs"};
            }
            fields[fields.size() - 1] = {field, equals + 1};
        }
        m_text = std::move(text);
        m_fields = std::move(fields);
        m_count_size = count_size;
        m_max_detections = number(entries.max_detections);
        m_batch = number(entries.batch);
        return {};
    }

    /// The name of the output with the counts, `[B, 1]` or `[B]`; empty before anything has been read.
    [[nodiscard]] const char* count_name() const noexcept { return m_text.size() == 0 ? "" : m_text.data(); }
    /// The padded fields in the order of the model's outputs.
    [[nodiscard]] std::span<const field_output> fields() const noexcept { return {m_fields.data(), m_fields.size()}; }
    /// The same as one text, `boxes=NAME,labels=NAME`.
    [[nodiscard]] const char* field_list() const noexcept
    {
        return m_text.size() == 0 ? "" : m_text.data() + m_count_size;
    }
    /// The name of the output that holds a field, such as `"boxes"`; null if the model has no such field.
    [[nodiscard]] const char* output_of(const char* field) const noexcept
    {
        for (const field_output& each : fields()) {
            if (std::strcmp(each.field, field) == 0) {
                return each.output;
            }
        }
        return nullptr;
    }
    /// M, the number of rows of each image; empty if it is the largest count of each batch.
    [[nodiscard]] std::optional<std::size_t> max_detections() const noexcept { return m_max_detections; }
    /// B, the number of images; empty if the model takes any number.
    [[nodiscard]] std::optional<std::size_t> batch() const noexcept { return m_batch; }

private:
    padbatch::detail::buffer<char> m_text;
    padbatch::detail::buffer<field_output> m_fields;
    std::size_t m_count_size = 0;
    std::optional<std::size_t> m_max_detections;
    std::optional<std::size_t> m_batch;

    [[nodiscard]] static std::optional<std::size_t> number(const char* text) noexcept
    {
        std::size_t value = 0;
        std::size_t digits = 0;
        for (; text != nullptr && text[digits] >= '0' && text[digits] <= '9' && digits < 18; ++digits) {
            value = 10 * value + static_cast<std::size_t>(text[digits] - '0');
        }
        return digits != 0 && text[digits] == '\0' ? std::optional(value) : std::nullopt;
    }
};

/// The counts of a batch as a tensor `[B, 1]`, the shape that padded models and other programs use.
template <class... Fields>
[[nodiscard]] auto counts_ref(const padded_view<Fields...>& batch) noexcept
{
    using tensor = padbatch::detail::tensor_for<padded_view<Fields...>::is_writable>;
    const std::int64_t shape[] = {static_cast<std::int64_t>(batch.size()), 1};
    return tensor(batch.count_data(), batch.count_type(), std::span<const std::int64_t>(shape));
}

namespace detail {

/// How an element type is written in C++, for messages.
[[nodiscard]] constexpr const char* code_name_of(element_type type) noexcept
{
    switch (type) {
    case element_type::float32: return "float";
    case element_type::float64: return "double";
    case element_type::float16: return "float16";
    case element_type::bfloat16: return "bfloat16";
    case element_type::int8: return "std::int8_t";
    case element_type::int16: return "std::int16_t";
    case element_type::int32: return "std::int32_t";
    case element_type::int64: return "std::int64_t";
    case element_type::uint8: return "std::uint8_t";
    case element_type::uint16: return "std::uint16_t";
    case element_type::uint32: return "std::uint32_t";
    case element_type::uint64: return "std::uint64_t";
    case element_type::boolean: return "bool";
    }
    return "";
}

/// Sets `name` to the name of the output that holds a field. Fails if the model has no such field.
template <class Field>
[[nodiscard]] status find_output(const model_contract& model, const char*& name) noexcept
{
    name = model.output_of(Field::tag::name);
    if (name == nullptr) {
        return {status_code::missing_field, "the model has no padded field '{}'; it has {}", Field::tag::name,
                model.fields().empty() ? "none, since its metadata have not been read" : model.field_list()};
    }
    return {};
}

/// Finds the tensor of one field with `find(output, tensor)`, which returns a status.
template <class Field, class Find>
[[nodiscard]] status find_tensor(tensor_for<!std::is_const_v<typename Field::element_type>>& tensor,
                                 const model_contract& model, const Find& find) noexcept
{
    const char* output = nullptr;
    if (status outcome =
            first_failure([&] { return find_output<Field>(model, output); }, [&] { return find(output, tensor); });
        !outcome.ok()) {
        return outcome;
    }
    if (const element_type wanted = element_type_of<typename Field::value_type>; tensor.type() != wanted) {
        return {status_code::wrong_type,
                "the output '{}' is {}, but {} was requested: write {}<{}{}>",
                output,
                name_of(tensor.type()),
                name_of(wanted),
                Field::tag::name,
                std::is_const_v<typename Field::element_type> ? "const " : "",
                code_name_of(tensor.type())};
    }
    return {};
}

/// Makes `view` from the outputs of a padded model, which `find(name, tensor)` finds. A failure leaves `view`
/// unchanged.
template <class... Fields, class Find>
[[nodiscard]] status detections_of(padded_view<Fields...>& view, const model_contract& model, const Find& find) noexcept
{
    tensor_for<padded_view<Fields...>::is_writable> counts;
    std::tuple<tensor_for<!std::is_const_v<typename Fields::element_type>>...> tensors;
    return [&]<std::size_t... F>(std::index_sequence<F...>) -> status {
        return first_failure([&] { return find_tensor<Fields>(std::get<F>(tensors), model, find); }...,
                             [&] { return find(model.count_name(), counts); },
                             [&] { return try_from_tensors(view, counts, std::get<F>(tensors)...); });
    }(std::index_sequence_for<Fields...>{});
}

/// Checks that `tensor` can be passed to an engine as it is, and sets `bytes` to its size.
[[nodiscard]] inline status check_passed_on(const tensor_ref& tensor, std::size_t& bytes) noexcept
{
    if (tensor.device() != device::host) {
        return {status_code::device_memory,
                "this tensor is in device memory, but is passed on as host memory: copy it there first"};
    }
    constexpr const char* expected =
        "a tensor that is passed on must have at most {} extents, in row-major order without gaps";
    if (tensor.shape().size() != tensor.rank()) {
        return {status_code::wrong_shape, expected, tensor_ref::max_rank};
    }
    std::int64_t elements = 0;
    if (status outcome = try_element_count(tensor.shape(), elements); !outcome.ok()) {
        return outcome;
    }
    if (!tensor.is_contiguous()) { // which multiplies the extents, so these must have been checked
        return {status_code::wrong_shape, expected, tensor_ref::max_rank};
    }
    const std::size_t factors[] = {static_cast<std::size_t>(elements), size_of(tensor.type())};
    return multiply_sizes(factors, "this tensor", bytes);
}

} // namespace detail

} // namespace padbatch::inline PADBATCH_ABI

#endif
