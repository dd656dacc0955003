// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_DETAIL_FILL_VALUES_HPP
#define PADBATCH_DETAIL_FILL_VALUES_HPP

#include <padbatch/detail/fill.hpp>
#include <padbatch/detail/first_failure.hpp>
#include <padbatch/detail/raw_value.hpp>
#include <padbatch/element_type.hpp>
#include <padbatch/fields.hpp>
#include <padbatch/pad_options.hpp>

#include <cstddef>
#include <limits>
#include <tuple>
#include <type_traits>

namespace padbatch::inline PADBATCH_ABI::detail {

/// The pad value of one field, as a value and as a pattern of bytes.
template <class Field>
struct field_fill {
    raw_value<typename Field::value_type> value;
    fill_pattern pattern;
};

/// The pad values of all fields: zeros, which are known when this is compiled, or those of `pad_values(...)`.
struct zero_fill {
    static constexpr bool is_zero = true;
};
template <class... Fields>
struct given_fill {
    static constexpr bool is_zero = false;
    std::tuple<field_fill<Fields>...> fields;
};

/// The pad values as `padding_record` keeps them.
template <class... Fields>
[[nodiscard]] std::tuple<raw_value<typename Fields::value_type>...> values_in(const zero_fill& /*values*/) noexcept
{
    return {};
}
template <class... Fields>
[[nodiscard]] std::tuple<raw_value<typename Fields::value_type>...>
values_in(const given_fill<Fields...>& values) noexcept
{
    return {std::get<field_fill<Fields>>(values.fields).value...};
}

/// Sets `to` to a pad value. Fails if the field's type cannot hold it.
template <class T, class Value>
[[nodiscard]] status convert_fill(const char* name, const Value& value, raw_value<T>& to) noexcept
{
    if constexpr (std::is_same_v<T, Value>) {
        to.set(value);
    } else {
        static_assert(element<T> && element<Value>,
                      "the pad value has another type than the field; it is one number, for all elements of a row");
        const T result = convert<T>(value);
        to.set(result);
        if constexpr (std::is_integral_v<T>) {
            bool same = false;
            if constexpr (std::is_same_v<T, bool>) {
                same = value == Value{0} || value == Value{1};
            } else if constexpr (std::is_floating_point_v<Value>) {
                same = static_cast<double>(result) == static_cast<double>(value) &&
                       static_cast<double>(value) < 2.0 * static_cast<double>(std::make_unsigned_t<T>{1}
                                                                              << (std::numeric_limits<T>::digits - 1));
            } else {
                same = static_cast<Value>(result) == value && (result < T{0}) == (value < Value{0});
            }
            if (!same) {
                return {status_code::bad_argument, "the pad value {} of {} does not fit its type, {}",
                        static_cast<double>(value), name, name_of(element_type_of<T>)};
            }
        }
    }
    return {};
}

template <class Field, class... Bounds>
[[nodiscard]] status make_fill(const pad_values_t<Bounds...>& given, field_fill<Field>& result) noexcept
{
    status outcome;
    const auto take = [&](const auto& bound) {
        using tag = typename std::remove_cvref_t<decltype(bound)>::tag;
        if constexpr (std::is_same_v<tag, typename Field::tag>) {
            outcome = convert_fill(tag::name, bound.value, result.value);
        }
    };
    std::apply([&](const auto&... bound) { (take(bound), ...); }, given.values);
    if (sizeof...(Bounds) != 0) {
        result.pattern = fill_pattern(result.value.bytes, sizeof(result.value.bytes));
    }
    return outcome;
}

/// The type that holds the pad values that the options give.
template <class List, class... Options>
struct fill_holder;
template <class... Fields, class... Options>
struct fill_holder<field_list<Fields...>, Options...> {
    using type = std::conditional_t<(is_fill<std::remove_cvref_t<Options>> || ...), given_fill<Fields...>, zero_fill>;
};

/// Sets the pad values of all fields.
inline status make_fills(const pad_values_t<>& /*given*/, zero_fill& /*values*/) noexcept
{
    return {};
}
template <class... Fields, class... Bounds>
[[nodiscard]] status make_fills(const pad_values_t<Bounds...>& given, given_fill<Fields...>& values) noexcept
{
    static_assert(((times_named<typename Bounds::tag, Fields...> == 1) && ...),
                  "a pad value is given for a field that the output lacks");
    static_assert(tags_differ<Bounds...>, "a field's pad value is given twice");
    return first_failure([&] { return make_fill(given, std::get<field_fill<Fields>>(values.fields)); }...);
}

} // namespace padbatch::inline PADBATCH_ABI::detail

#endif
