// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_TENSORS_HPP
#define PADBATCH_TENSORS_HPP

#include <padbatch/counts.hpp>
#include <padbatch/padded_view.hpp>
#include <padbatch/tensor_ref.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <tuple>
#include <type_traits>

namespace padbatch::inline PADBATCH_MODE {

namespace detail {

/// Tensors of const fields may be read-only.
template <bool Writable>
using tensor_for = std::conditional_t<Writable, tensor_ref, const_tensor_ref>;

[[nodiscard]] inline status check_count_tensor(const const_tensor_ref& counts, number_type& type) noexcept
{
    switch (counts.type()) {
    case element_type::int32: type = number_type::int32; break;
    case element_type::int64: type = number_type::int64; break;
    case element_type::float32: type = number_type::float32; break;
    default:
        return {errc::wrong_type, "the counts have elements of type {}; expected are int32, int64 or float32",
                name_of(counts.type())};
    }
    const std::size_t rank = counts.rank();
    if (rank == 0 || rank > 2 || (rank == 2 && counts.shape()[1] != 1)) {
        return {errc::wrong_shape, "the counts have the shape {}; expected is [B] or [B, 1]", counts.shape()};
    }
    const std::int64_t batch[] = {counts.shape()[0]};
    return check_tensor(counts, "the tensor of counts", counts.type(), batch, rank);
}

[[nodiscard]] inline status check_count_values(const void* data, number_type type, std::size_t batch,
                                               std::size_t capacity) noexcept
{
    switch (type) {
    case number_type::int64:
        return counts_view::check(std::span(static_cast<const std::int64_t*>(data), batch), capacity);
    case number_type::float32: return counts_view::check(std::span(static_cast<const float*>(data), batch), capacity);
    case number_type::int32: break;
    }
    return counts_view::check(std::span(static_cast<const std::int32_t*>(data), batch), capacity);
}

/// Checks one field's tensor against `[B, M, row...]`.
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
    std::size_t row[E::rank + 1] = {};
    for (std::size_t k = 0; k < E::rank; ++k) {
        row[k] = static_cast<std::size_t>(tensor.shape()[2 + k]);
    }
    if (!E::matches(std::span<const std::size_t>(row, E::rank))) {
        return {errc::wrong_shape, "{} has the shape {}, whose rows are not those of the field", Field::tag::name,
                tensor.shape()};
    }
    memory = {static_cast<typename Field::element_type*>(tensor.data()),
              E{std::span<const std::size_t, E::rank>(row, E::rank)}};
    return {};
}

} // namespace detail

/// Makes `view` of tensors whose types and shapes are known at run time: counts (`[B]` or `[B, 1]`; int32, int64 or
/// float), and a tensor `[B, M, row...]` for each field, in order. Fails, and leaves `view` as it is, when one has
/// another element type or shape than its field, is on a device, or not contiguous, or when a count is out of range.
template <class... Fields>
[[nodiscard]] status
try_from_tensors(padded_view<Fields...>& view, const detail::tensor_for<padded_view<Fields...>::is_writable>& counts,
                 const detail::tensor_for<!std::is_const_v<typename Fields::element_type>>&... tensors) noexcept
{
    detail::number_type type{};
    if (status outcome = detail::check_count_tensor(counts, type); !outcome.ok()) {
        return outcome;
    }
    const std::int64_t batch = counts.shape()[0];
    const std::int64_t ranks[] = {tensors.rank() > 1 && tensors.shape().size() > 1 ? tensors.shape()[1] : -1 ...};
    if (ranks[0] < 0) {
        const const_tensor_ref first[] = {tensors...};
        return {errc::wrong_shape, "a padded field has at least the extents [B, M]; this one has the shape {}",
                first[0].shape()};
    }
    std::tuple<detail::field_memory<Fields>...> memory;
    status outcome;
    static_cast<void>(((outcome = detail::take_tensor<Fields>(tensors, batch, ranks[0],
                                                              std::get<detail::field_memory<Fields>>(memory)),
                        outcome.ok()) &&
                       ...));
    if (outcome.ok()) {
        outcome = detail::check_count_values(counts.data(), type, static_cast<std::size_t>(batch),
                                             static_cast<std::size_t>(ranks[0]));
    }
    if (outcome.ok()) {
        view = padded_view<Fields...>(unchecked, static_cast<std::size_t>(batch), static_cast<std::size_t>(ranks[0]),
                                      const_cast<void*>(static_cast<const void*>(counts.data())), type,
                                      std::get<detail::field_memory<Fields>>(memory)...);
    }
    return outcome;
}

#if PADBATCH_EXCEPTIONS
/// The same, thrown as `error`: `from_tensors<boxes<const float>, labels<const std::int64_t>>(counts, boxes, labels)`.
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

} // namespace padbatch::inline PADBATCH_MODE

#endif
