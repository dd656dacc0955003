// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_TENSORS_HPP
#define PADBATCH_TENSORS_HPP

#include <padbatch/counts.hpp>
#include <padbatch/detail/first_failure.hpp>
#include <padbatch/padded_view.hpp>
#include <padbatch/tensor_ref.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <tuple>
#include <type_traits>

namespace padbatch::inline PADBATCH_ABI {

namespace detail {

/// The tensor for a field; that of a const field may be read-only.
template <bool Writable>
using tensor_for = std::conditional_t<Writable, tensor_ref, const_tensor_ref>;

[[nodiscard]] inline status check_count_tensor(const const_tensor_ref& counts) noexcept
{
    const element_type type = counts.type();
    if (type != element_type::int32 && type != element_type::int64 && type != element_type::float32) {
        return {status_code::wrong_type, "the counts have elements of type {}; expected int32, int64 or float32",
                name_of(type)};
    }
    const std::size_t rank = counts.rank();
    if (rank == 0 || rank > 2 || (rank == 2 && counts.shape()[1] != 1)) {
        return {status_code::wrong_shape, "the counts have the shape {}; expected [B] or [B, 1]", counts.shape()};
    }
    const std::int64_t batch[] = {counts.shape()[0]};
    return check_tensor(counts, "the tensor of counts", type, batch, rank);
}

[[nodiscard]] inline status check_count_values(const const_tensor_ref& counts, std::size_t batch,
                                               std::size_t capacity) noexcept
{
    const void* const data = counts.data();
    switch (counts.type()) {
    case element_type::int64:
        return counts_view::check(std::span(static_cast<const std::int64_t*>(data), batch), capacity);
    case element_type::float32: return counts_view::check(std::span(static_cast<const float*>(data), batch), capacity);
    default: return counts_view::check(std::span(static_cast<const std::int32_t*>(data), batch), capacity);
    }
}

/// Checks that one field's tensor is `[B, M, row...]`, and sets `memory` to its memory.
template <class Field>
[[nodiscard]] status take_tensor(const tensor_for<!std::is_const_v<typename Field::element_type>>& tensor,
                                 std::int64_t batch, std::int64_t capacity, field_memory<Field>& memory) noexcept
{
    using E = typename Field::extents_type;
    static_assert(element<typename Field::value_type>, "a tensor has elements that are numbers");
    const std::int64_t leading[] = {batch, capacity};
    if (status outcome =
            check_tensor(tensor, Field::tag::name, element_type_of<typename Field::value_type>, leading, 2 + E::rank);
        !outcome.ok()) {
        return outcome;
    }
    const auto row = shape_part<E::rank>(tensor.shape(), 2);
    if (!E::matches(row)) {
        return {status_code::wrong_shape, "{} has the shape {}, whose rows are not those of the field",
                Field::tag::name, tensor.shape()};
    }
    memory = {static_cast<typename Field::element_type*>(tensor.data()), E{row}};
    return {};
}

} // namespace detail

/// Makes `view` from tensors whose types and shapes are known at run time: counts (`[B]` or `[B, 1]`; int32, int64 or
/// float), and a tensor `[B, M, row...]` for each field, in order. Fails, and leaves `view` unchanged, if the element
/// type or shape of a tensor is not its field's, if a tensor is on a device, not contiguous or not aligned to its
/// elements, or if a count is out of range.
template <class... Fields>
[[nodiscard]] status
try_from_tensors(padded_view<Fields...>& view, const detail::tensor_for<padded_view<Fields...>::is_writable>& counts,
                 const detail::tensor_for<!std::is_const_v<typename Fields::element_type>>&... tensors) noexcept
{
    if (status outcome = detail::check_count_tensor(counts); !outcome.ok()) {
        return outcome;
    }
    const std::int64_t batch = counts.shape()[0];
    const std::int64_t capacities[] = {tensors.rank() > 1 && tensors.shape().size() > 1 ? tensors.shape()[1] : -1 ...};
    const std::int64_t capacity = capacities[0];
    if (capacity < 0) {
        const const_tensor_ref first[] = {tensors...};
        return {status_code::wrong_shape, "a padded field has at least the extents [B, M]; this one has the shape {}",
                first[0].shape()};
    }
    std::tuple<detail::field_memory<Fields>...> memory;
    const auto images = static_cast<std::size_t>(batch);
    const auto rows = static_cast<std::size_t>(capacity);
    status outcome = detail::first_failure(
        [&] {
            return detail::take_tensor<Fields>(tensors, batch, capacity,
                                               std::get<detail::field_memory<Fields>>(memory));
        }...,
        [&] { return detail::check_count_values(counts, images, rows); });
    if (outcome.ok()) {
        view =
            padded_view<Fields...>(unchecked, images, rows, const_cast<void*>(static_cast<const void*>(counts.data())),
                                   counts.type(), std::get<detail::field_memory<Fields>>(memory)...);
    }
    return outcome;
}

#if PADBATCH_EXCEPTIONS
/// The throwing form: `from_tensors<boxes<const float>, labels<const std::int64_t>>(counts, boxes, labels)`.
template <class... Fields>
[[nodiscard]] padded_view<Fields...> from_tensors(
    const detail::tensor_for<padded_view<Fields...>::is_writable>& counts,
    const std::type_identity_t<detail::tensor_for<!std::is_const_v<typename Fields::element_type>>>&... tensors)
{
    padded_view<Fields...> view;
    detail::require(try_from_tensors<Fields...>(view, counts, tensors...));
    return view;
}
#endif

} // namespace padbatch::inline PADBATCH_ABI

#endif
