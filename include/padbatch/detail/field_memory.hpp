// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_DETAIL_FIELD_MEMORY_HPP
#define PADBATCH_DETAIL_FIELD_MEMORY_HPP

#include <padbatch/fields.hpp>
#include <padbatch/image.hpp>
#include <padbatch/rows_of.hpp>

#include <cstddef>
#include <limits>
#include <span>
#include <type_traits>
#include <utility>

namespace padbatch::inline PADBATCH_ABI::detail {

/// The memory of one field of a padded or ragged view.
template <class Field>
struct field_memory {
    using tag = typename Field::tag;
    typename Field::element_type* data = nullptr;
    [[no_unique_address]] typename Field::extents_type row{};
};

template <class Field>
using field_rows =
    tagged_rows<typename Field::tag, basic_rows<typename Field::element_type, typename Field::extents_type>>;

/// The type of the rows in the data of a bound field.
template <class Bound>
using bound_rows = decltype(rows_of<Bound>(std::declval<const Bound&>().value, std::declval<const Bound&>().row));

/// The field that the data of `Bound` hold.
template <class Bound>
using field_of_values =
    field<typename Bound::tag, typename bound_rows<Bound>::element_type, typename bound_rows<Bound>::extents_type>;

/// The rows in the data of `Bound`, whose type and kind must be those of `Field`.
template <class Field, class Bound>
[[nodiscard]] auto rows_of_field(const Bound& bound) noexcept
{
    using rows_type = bound_rows<Bound>;
    static_assert(std::is_same_v<typename Bound::tag, typename Field::tag>,
                  "the data are in another order than the fields of this view");
    static_assert(all_outlive_call<decltype(Bound::value)>());
    static_assert(rows_type::is_contiguous,
                  "this view needs contiguous memory; use columns(...) for columns of a matrix");
    static_assert(std::is_same_v<typename rows_type::value_type, typename Field::value_type>,
                  "the data have another element type than the field");
    static_assert(std::is_const_v<typename Field::element_type> || !std::is_const_v<typename rows_type::element_type>,
                  "the data are const, but the field is not");
    static_assert(may_be_same<typename rows_type::extents_type, typename Field::extents_type>(),
                  "the data have rows of another shape than the field");
    static_assert(
        std::is_void_v<typename Bound::as_type>,
        ".as<T>() converts data as they are copied; a view copies nothing, so give it data of the right type");
    return rows_of<Bound>(bound.value, bound.row);
}

/// Checks that the data of `Bound` are rows of `Field`, and sets `n` to their number.
template <class Field, class Bound>
[[nodiscard]] status check_field_rows(const Bound& bound, std::size_t& n) noexcept
{
    if (status outcome = check_rows<Bound>(bound.value, bound.row); !outcome.ok()) {
        return outcome;
    }
    const auto rows = rows_of_field<Field>(bound);
    if (!Field::extents_type::matches(rows.extents().to_array())) {
        return {status_code::row_mismatch, "{} has rows of {}, which the field's type does not allow", Field::tag::name,
                rows.extents().to_array()};
    }
    n = rows.size();
    return {};
}

template <class Field>
using const_field = field<typename Field::tag, const typename Field::value_type, typename Field::extents_type>;

template <bool Const, class Field>
using maybe_const_field = std::conditional_t<Const, const_field<Field>, Field>;

/// Whether `To` is a list of the fields of `From`, all const, and `From` is not: then a view of `From`, which may
/// write, converts to a read-only one.
template <class From, class To>
inline constexpr bool are_const_of = false;
template <class... From, class... To>
    requires(sizeof...(From) == sizeof...(To))
inline constexpr bool are_const_of<field_list<From...>, field_list<To...>> =
    !std::is_same_v<field_list<From...>, field_list<To...>> && (std::is_same_v<const_field<From>, To> && ...);

/// Sets `product` to the product of the factors. Fails if that is more bytes than memory can have.
[[nodiscard]] inline status multiply_sizes(std::span<const std::size_t> factors, const char* what,
                                           std::size_t& product) noexcept
{
    std::size_t result = 1;
    bool zero = false;
    for (const std::size_t factor : factors) {
        if (factor == 0) {
            zero = true;
        } else if (result > static_cast<std::size_t>(std::numeric_limits<std::ptrdiff_t>::max()) / factor) {
            return {status_code::size_overflow, "{}: the product of {} is more bytes than memory can have", what,
                    factors};
        } else {
            result *= factor;
        }
    }
    product = zero ? 0 : result;
    return {};
}

} // namespace padbatch::inline PADBATCH_ABI::detail

#endif
