// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_ROWS_OF_HPP
#define PADBATCH_ROWS_OF_HPP

#include <padbatch/counts.hpp>
#include <padbatch/fields.hpp>
#include <padbatch/rows.hpp>

#include <array>
#include <cstddef>
#include <type_traits>

namespace padbatch::inline PADBATCH_ABI {

/// How to read a container of another library as the rows of one image. An adapter specialises it with `using adapted =
/// void;`, `template <class E> static status check(const X&, const E&, const char* name)` and `template <class E>
/// static basic_rows<...> rows(X&, const E&)`.
template <class X>
struct rows_traits {};

namespace detail {

/// The parts of a value in memory: elements of one type, and the extents of nested arrays.
template <class U>
struct value_parts {
    using element = U;
    using extents_type = row_extents<>;
    static constexpr std::size_t count = 1;
};
template <class E, std::size_t N>
struct prepend;
template <std::size_t... Inner, std::size_t N>
struct prepend<row_extents<Inner...>, N> {
    using type = row_extents<N, Inner...>;
};
template <class T, std::size_t N>
struct value_parts<T[N]> {
    using element = typename value_parts<T>::element;
    using extents_type = typename prepend<typename value_parts<T>::extents_type, N>::type;
    static constexpr std::size_t count = N * value_parts<T>::count;
};
template <class T, std::size_t N>
struct value_parts<std::array<T, N>> : value_parts<T[N]> {};

template <class Narrow, class Wide>
struct extents_fit : std::false_type {};
template <std::size_t... A, std::size_t... B>
    requires(sizeof...(A) == sizeof...(B))
struct extents_fit<row_extents<A...>, row_extents<B...>> : std::bool_constant<((A == B || B == dynamic) && ...)> {};

/// How values of type `U` make up rows of extents `E`: each value is a row, or an element of a row.
template <class U, class E, class Of>
struct shape_parts {
    using parts = value_parts<U>;
    static constexpr bool is_flat = parts::extents_type::rank == 0 && E::rank != 0 && element<U>;
    using element_type = typename parts::element;
    using extents_type = std::conditional_t<is_flat, E, typename parts::extents_type>;

    static_assert(std::is_trivially_copyable_v<U>, "rows are copied as bytes: their type must be trivially copyable");
    static_assert(is_flat || parts::extents_type::rank != 0 || E::rank == 0,
                  "rows of a class type: say what they consist of, as in t::boxes(x).of<float>()");
    static_assert(
        is_flat || parts::extents_type::rank == 0 || extents_fit<extents_type, E>::value,
        "rows are arrays of another length than this field's rows: a box is 4 numbers. Give the field its own tag, or "
        "other extents");
};
template <class U, class E, class Of>
    requires(!std::is_void_v<Of>)
struct shape_parts<U, E, Of> {
    static constexpr bool is_flat = false;
    using element_type = Of;
    using extents_type = E;

    static_assert(std::is_trivially_copyable_v<U>, "rows are copied as bytes: their type must be trivially copyable");
    static_assert(E::is_static, ".of<T>() needs rows whose extents are known at compile time");
    static_assert(!E::is_static || sizeof(U) == E{}.size() * sizeof(Of),
                  "the class given to .of<T>() has another size than a row of T");
};

template <class U, class Bound>
using parts_of = shape_parts<std::remove_cv_t<U>, typename Bound::extents_type, typename Bound::of_type>;

template <class From, class To>
using copy_const = std::conditional_t<std::is_const_v<From>, const To, To>;

template <class X>
concept has_rows_traits = requires { typename rows_traits<std::remove_cvref_t<X>>::adapted; };

/// Whether `X` is rows already.
template <class X>
inline constexpr bool is_rows = false;
template <class T, class E, class L>
inline constexpr bool is_rows<basic_rows<T, E, L>> = true;

/// Whether `x` can be read as rows of the field that `Bound` names; `check_rows` returns why not.
template <class Bound, class X>
[[nodiscard]] bool rows_are_whole(const X& x, const typename Bound::extents_type& row) noexcept
{
    bool whole = true;
    if constexpr (has_rows_traits<X>) {
        whole = rows_traits<X>::check(x, row, Bound::tag::name).ok();
    } else if constexpr (!is_rows<X>) {
        if constexpr (parts_of<value_of<const X>, Bound>::is_flat) {
            const std::size_t size = row.checked_size();
            whole = size == 0 ? x.size() == 0 : size != dynamic && x.size() % size == 0;
        }
    }
    return whole;
}

/// Checks that `x` can be read as rows of the field that `Bound` names.
template <class Bound, class X>
[[nodiscard]] status check_rows(const X& x, const typename Bound::extents_type& row) noexcept
{
    if constexpr (is_rows<X>) {
        return {};
    } else if constexpr (has_rows_traits<X>) {
        return rows_traits<X>::check(x, row, Bound::tag::name);
    } else {
        using parts = parts_of<value_of<const X>, Bound>;
        if constexpr (parts::is_flat) {
            if (!rows_are_whole<Bound>(x, row)) {
                const std::size_t size = row.checked_size();
                if (size == dynamic) {
                    return {status_code::size_overflow, "{} has rows of {}, which is not possible", Bound::tag::name,
                            row.to_array()};
                }
                if (size == 0) {
                    return {status_code::row_mismatch,
                            "{} has rows of unknown extents: give them with the data, as in t::masks(x, 1, 28, 28)",
                            Bound::tag::name};
                }
                return {status_code::size_mismatch,
                        "{} has {} values, which is not a multiple of {}, the size of a row {}",
                        Bound::tag::name,
                        static_cast<std::size_t>(x.size()),
                        size,
                        row.to_array()};
            }
        }
        return {};
    }
}

/// `x` as rows of the field that `Bound` names. `x` is rows, a contiguous container of rows or of their elements, or a
/// container that an adapter knows.
template <class Bound, class X>
[[nodiscard]] auto rows_of(X& x, const typename Bound::extents_type& row) noexcept
{
    using plain = std::remove_cv_t<X>;
    if constexpr (is_rows<plain>) {
        return x;
    } else if constexpr (has_rows_traits<plain>) {
        return rows_traits<plain>::rows(x, row);
    } else {
        static_assert(
            contiguous_values<X>,
            "rows of one image have to be contiguous memory with data() and size(), such as a vector of rows or "
            "of their elements; for a pointer or an array write std::span(pointer, size); for a type of another "
            "library include the adapter's header; each(...) takes one container for each image");
        using parts = parts_of<value_of<X>, Bound>;
        using T = copy_const<value_of<X>, typename parts::element_type>;
        typename parts::extents_type extents{}; // the type's own, or, for flat values, the field's
        if constexpr (std::is_same_v<typename parts::extents_type, typename Bound::extents_type>) {
            extents = row;
        }
        std::size_t n = x.size();
        if constexpr (parts::is_flat) {
            const std::size_t size = extents.size();
            n = size == 0 ? 0 : n / size;
        }
        T* data = nullptr;
        if constexpr (std::is_same_v<std::remove_const_t<T>, std::remove_cv_t<value_of<X>>>) {
            data = x.data();
        } else {
            data = reinterpret_cast<T*>(x.data());
        }
        return basic_rows<T, typename parts::extents_type>(data, n, extents);
    }
}

} // namespace detail

} // namespace padbatch::inline PADBATCH_ABI

#endif
