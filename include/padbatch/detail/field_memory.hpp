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

namespace padbatch::inline PADBATCH_MODE::detail {

/// Where one field of a padded or ragged view begins.
template <class Field>
struct field_memory {
    using tag = typename Field::tag;
    typename Field::element_type* data = nullptr;
    [[no_unique_address]] typename Field::extents_type row{};
};

template <class Field>
using field_rows =
    tagged_rows<typename Field::tag, basic_rows<typename Field::element_type, typename Field::extents_type>>;

/// The rows that the data of a bound field are.
template <class Bound>
using bound_rows = decltype(rows_of<Bound>(std::declval<const Bound&>().value, std::declval<const Bound&>().row));

/// The field that the data of `Bound` are.
template <class Bound>
using field_of_values =
    field<typename Bound::tag, typename bound_rows<Bound>::element_type, typename bound_rows<Bound>::extents_type>;

/// The data of `Bound`, found to be of the type and kind of `Field`.
template <class Field, class Bound>
[[nodiscard]] auto rows_of_field(const Bound& bound) noexcept
{
    using rows_type = bound_rows<Bound>;
    static_assert(std::is_same_v<typename Bound::tag, typename Field::tag>,
                  "the data are in another order than the fields of this view");
    static_assert(all_outlive_call<decltype(Bound::value)>());
    static_assert(rows_type::is_contiguous, "this view needs contiguous memory; columns() reads columns of it");
    static_assert(std::is_same_v<typename rows_type::value_type, typename Field::value_type>,
                  "the data have another element type than the field");
    static_assert(std::is_const_v<typename Field::element_type> || !std::is_const_v<typename rows_type::element_type>,
                  "the data are const, and the field is not");
    static_assert(may_be_same<typename rows_type::extents_type, typename Field::extents_type>(),
                  "the data have rows of another shape than the field");
    static_assert(std::is_void_v<typename Bound::as_type>,
                  ".as<T>() converts what is copied; a view copies nothing, so give it data of the right type");
    return rows_of<Bound>(bound.value, bound.row);
}

/// Why the data of `Bound` are no rows of `Field`, if so; sets `n` to their number.
template <class Field, class Bound>
[[nodiscard]] status check_field_rows(const Bound& bound, std::size_t& n) noexcept
{
    if (status outcome = check_rows<Bound>(bound.value, bound.row); !outcome.ok()) {
        return outcome;
    }
    const auto rows = rows_of_field<Field>(bound);
    using E = typename Field::extents_type;
    std::size_t all[E::rank + 1] = {};
    rows.extents().copy_to(all);
    if (!E::matches(std::span<const std::size_t>(all, E::rank))) {
        return {errc::row_mismatch, "{} has rows of {}, which the field's type does not allow", Field::tag::name,
                std::span<const std::size_t>(all, E::rank)};
    }
    n = rows.size();
    return {};
}

template <class Field>
using const_field = field<typename Field::tag, const typename Field::value_type, typename Field::extents_type>;

template <bool Const, class Field>
using maybe_const_field = std::conditional_t<Const, const_field<Field>, Field>;

/// Sets `product` to that of the factors, unless it does not fit.
[[nodiscard]] inline status multiply_sizes(std::span<const std::size_t> factors, const char* what,
                                           std::size_t& product) noexcept
{
    std::size_t result = 1;
    bool zero = false;
    for (const std::size_t factor : factors) {
        if (factor == 0) {
            zero = true;
        } else if (result > static_cast<std::size_t>(std::numeric_limits<std::ptrdiff_t>::max()) / factor) {
            return {errc::size_overflow, "{}: the product of {} is more than memory can have bytes", what, factors};
        } else {
            result *= factor;
        }
    }
    product = zero ? 0 : result;
    return {};
}

} // namespace padbatch::inline PADBATCH_MODE::detail

#endif
