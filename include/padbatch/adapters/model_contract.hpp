// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_ADAPTERS_MODEL_CONTRACT_HPP
#define PADBATCH_ADAPTERS_MODEL_CONTRACT_HPP

// What the adapters of inference engines share, and what needs none of them. An engine's adapter includes it.

#include <padbatch/contract.hpp>
#include <padbatch/detail/buffer.hpp>
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

namespace padbatch::inline PADBATCH_MODE {

/// What a model that `onnx-pad-outputs` wrote says of its outputs: their names, M and B. Move only.
class model_contract {
public:
    /// The values of the metadata's keys (see contract.hpp); null where a key is missing.
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

    /// Says nothing yet.
    model_contract() noexcept = default;

    /// Copies what `entries` say. Fails, and changes nothing: `errc::missing_field` without a count or fields, since
    /// the model is not padded then; `errc::bad_argument` for fields in another form than `boxes=NAME,labels=NAME`.
    [[nodiscard]] status try_read(const metadata& entries) noexcept
    {
        if (entries.count == nullptr || entries.fields == nullptr) {
            return {errc::missing_field,
                    "the model has no '{}' in its metadata: onnx-pad-outputs did not write it, or in a layout that has "
                    "none, "
                    "or another program dropped its metadata since",
                    entries.count == nullptr ? contract::count_key : contract::fields_key};
        }
        // The count's name, the fields as they are written, and the fields again, cut into names.
        const std::size_t count_size = std::strlen(entries.count) + 1;
        const std::size_t fields_size = std::strlen(entries.fields) + 1;
        padbatch::detail::buffer<char> text;
        padbatch::detail::buffer<field_output> fields;
        if (!text.try_resize(count_size + 2 * fields_size)) {
            return {errc::out_of_memory, "there is no memory for the names of the outputs"};
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
                return {errc::bad_argument,
                        "the model's metadata say '{}' of '{}'; expected is FIELD=OUTPUT,FIELD=OUTPUT", entries.fields,
                        contract::fields_key};
            }
            *equals = '\0';
            if (!fields.try_resize(fields.size() + 1)) {
                return {errc::out_of_memory, "there is no memory for the names of the outputs"};
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

    /// The name of the output with the counts, `[B, 1]` or `[B]`; empty before anything was read.
    [[nodiscard]] const char* count_name() const noexcept { return m_text.size() == 0 ? "" : m_text.data(); }
    /// The padded fields in the order of the model's outputs.
    [[nodiscard]] std::span<const field_output> fields() const noexcept { return {m_fields.data(), m_fields.size()}; }
    /// The same as one text, `boxes=NAME,labels=NAME`.
    [[nodiscard]] const char* field_list() const noexcept
    {
        return m_text.size() == 0 ? "" : m_text.data() + m_count_size;
    }
    /// The name of the output that holds a field, such as `"boxes"`; null where the model has no such field.
    [[nodiscard]] const char* output_of(const char* field) const noexcept
    {
        for (const field_output& each : fields()) {
            if (std::strcmp(each.field, field) == 0) {
                return each.output;
            }
        }
        return nullptr;
    }
    /// M, the rows of each image; nothing where it is the largest count of the batch at hand.
    [[nodiscard]] std::optional<std::size_t> max_detections() const noexcept { return m_max_detections; }
    /// B, the number of images; nothing where the model does not fix it.
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

/// The counts of a batch as a tensor `[B, 1]`, the shape in which padded models give them and other programs take them.
template <class... Fields>
[[nodiscard]] auto counts_ref(const padded_view<Fields...>& batch) noexcept
{
    using tensor = padbatch::detail::tensor_for<padded_view<Fields...>::is_writable>;
    using padbatch::detail::number_type;
    const std::int64_t shape[] = {static_cast<std::int64_t>(batch.size()), 1};
    const element_type type = batch.count_type() == number_type::int64     ? element_type::int64
                              : batch.count_type() == number_type::float32 ? element_type::float32
                                                                           : element_type::int32;
    return tensor(batch.count_data(), type, std::span<const std::int64_t>(shape));
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

/// The output of a field's name; null, with `outcome` saying what there is instead, where the model lacks it.
template <class Field>
[[nodiscard]] const char* output_of(const model_contract& model, status& outcome) noexcept
{
    const char* const output = model.output_of(Field::tag::name);
    if (output == nullptr) {
        outcome = {errc::missing_field, "the model has no padded field '{}'; it has {}", Field::tag::name,
                   model.fields().empty() ? "none, since its metadata were not read" : model.field_list()};
    }
    return output;
}

/// Finds the tensor of one field with `find(output, tensor)`, which returns a status.
template <class Field, class Find>
[[nodiscard]] status find_tensor(tensor_for<!std::is_const_v<typename Field::element_type>>& tensor,
                                 const model_contract& model, const Find& find) noexcept
{
    status outcome;
    const char* const output = output_of<Field>(model, outcome);
    if (output == nullptr || !(outcome = find(output, tensor)).ok()) {
        return outcome;
    }
    if (const element_type wanted = element_type_of<typename Field::value_type>; tensor.type() != wanted) {
        return {errc::wrong_type,
                "the output '{}' is {}, and {} was asked for: write {}<{}{}>",
                output,
                name_of(tensor.type()),
                name_of(wanted),
                Field::tag::name,
                std::is_const_v<typename Field::element_type> ? "const " : "",
                code_name_of(tensor.type())};
    }
    return {};
}

/// Makes `view` of the outputs of a padded model, which `find(name, tensor)` finds. When it fails, `view` stays.
template <class... Fields, class Find>
[[nodiscard]] status detections_of(padded_view<Fields...>& view, const model_contract& model, const Find& find) noexcept
{
    tensor_for<padded_view<Fields...>::is_writable> counts;
    std::tuple<tensor_for<!std::is_const_v<typename Fields::element_type>>...> tensors;
    return [&]<std::size_t... F>(std::index_sequence<F...>) -> status {
        status outcome;
        static_cast<void>(((outcome = find_tensor<Fields>(std::get<F>(tensors), model, find), outcome.ok()) && ...));
        if (!outcome.ok() || !(outcome = find(model.count_name(), counts)).ok()) {
            return outcome;
        }
        return try_from_tensors(view, counts, std::get<F>(tensors)...);
    }(std::index_sequence_for<Fields...>{});
}

/// Why `tensor` cannot be handed to an engine as it is, if so; sets `bytes` to its size.
[[nodiscard]] inline status check_handed_on(const tensor_ref& tensor, std::size_t& bytes) noexcept
{
    if (tensor.device() != device::host) {
        return {errc::device_memory,
                "this tensor is in the memory of a device, and is handed on as memory of the host"};
    }
    constexpr const char* expected =
        "a tensor that is handed on has at most {} extents and lies in row-major order without gaps";
    if (tensor.shape().size() != tensor.rank()) {
        return {errc::wrong_shape, expected, tensor_ref::max_rank};
    }
    std::int64_t elements = 0;
    if (status outcome = try_element_count(tensor.shape(), elements); !outcome.ok()) {
        return outcome;
    }
    if (!tensor.is_contiguous()) { // which multiplies extents, so these have to be checked by now
        return {errc::wrong_shape, expected, tensor_ref::max_rank};
    }
    const std::size_t factors[] = {static_cast<std::size_t>(elements), size_of(tensor.type())};
    return multiply_sizes(factors, "this tensor", bytes);
}

} // namespace detail

} // namespace padbatch::inline PADBATCH_MODE

#endif
