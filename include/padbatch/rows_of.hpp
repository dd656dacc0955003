// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_ROWS_OF_HPP
#define PADBATCH_ROWS_OF_HPP

#include <padbatch/counts.hpp>
#include <padbatch/fields.hpp>
#include <padbatch/item_rows.hpp>
#include <padbatch/rows.hpp>

#include <array>
#include <concepts>
#include <cstddef>
#include <span>
#include <type_traits>
#include <utility>

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

/// A class with the width and the height of a box, such as `cv::Rect`: not its corners, whatever its other numbers are.
template <class U>
concept sized_box = requires(const U& box) { box.width, box.height; } || requires(const U& box) { box.w, box.h; } ||
                    requires(const U& box) { box.x(), box.y(), box.width(), box.height(); } ||
                    requires(const U& box) { box.size.width, box.size.height; };

/// A compile error, with the reason, if values of type `U` cannot be elements or rows of `Tag`.
template <class U, class Of, class Tag>
consteval bool can_be_rows() noexcept
{
    static_assert(
        !std::is_same_v<Tag, t::boxes_t> || std::is_void_v<Of> || !sized_box<U>,
        "a class with a width and a height is not four corners: write t::boxes(xywh(rects)), which turns x, y, "
        "width and height into corners as they are copied, or give the field a tag of your own");
    static_assert(!std::is_floating_point_v<typename value_parts<U>::element> ||
                      element<typename value_parts<U>::element>,
                  "elements are bool, the integers, float, double, float16 and bfloat16; long double is none");
    return true;
}

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

template <class U, class E, class Of, class Tag>
struct tagged_parts : std::enable_if_t<can_be_rows<U, Of, Tag>(), shape_parts<U, E, Of>> {};
template <class U, class Bound>
using parts_of =
    tagged_parts<std::remove_cv_t<U>, typename Bound::extents_type, typename Bound::of_type, typename Bound::tag>;

template <class From, class To>
using copy_const = std::conditional_t<std::is_const_v<From>, const To, To>;

template <class X>
concept has_rows_traits = requires { typename rows_traits<std::remove_cvref_t<X>>::adapted; };

/// Whether `X` is rows already.
template <class X>
inline constexpr bool is_rows = false;
template <class T, class E, class L>
inline constexpr bool is_rows<basic_rows<T, E, L>> = true;
template <class Reader, class Items, class Access>
inline constexpr bool is_rows<item_rows<Reader, Items, Access>> = true;

/// One row in adjacent memory, at `data(value)`.
template <class T, class E>
struct adjacent_row {
    using element = T;
    using extents_type = E;

    /// The row is one piece.
    static constexpr bool is_adjacent = true;

    [[nodiscard]] static decltype(auto) at(const T* data, const E& extents) noexcept
    {
        return basic_rows<const T, E>(data, 1, extents)[0];
    }
};

/// Reads a row from a value that is it: a number, an array, or, with `.of<T>()`, a class.
template <class V, class Bound>
struct value_reader
    : adjacent_row<typename parts_of<V, Bound>::element_type, typename parts_of<V, Bound>::extents_type> {
    static_assert(
        !parts_of<V, Bound>::is_flat,
        "one number is not a row of this field: a row of a box is an array of 4 numbers, std::array<float, 4>, "
        "and numbers one after the other need contiguous memory, such as a vector");
    static_assert(!std::is_pointer_v<V>, "a row is no pointer: give what it points to");
    using base = adjacent_row<typename parts_of<V, Bound>::element_type, typename parts_of<V, Bound>::extents_type>;
    using T = typename base::element;
    using E = typename base::extents_type;
    static constexpr bool is_value = true;

    [[nodiscard]] static const T* data(const V& value) noexcept { return reinterpret_cast<const T*>(&value); }
    [[nodiscard]] static E extents(const V& /*value*/) noexcept { return {}; }
    [[nodiscard]] static status check(const V& /*value*/, const E& /*extents*/, const char* /*name*/) noexcept
    {
        return {};
    }
    [[nodiscard]] static decltype(auto) row(const V& value, const E& extents) noexcept
    {
        return base::at(data(value), extents);
    }
    template <class Use>
    static void pieces(const V& value, const E& extents, const Use& use) noexcept
    {
        use(data(value), extents.size());
    }
};

/// Reads a row from a container of its elements.
template <class V, class Bound>
struct container_reader : adjacent_row<std::remove_cv_t<value_of<const V>>, typename Bound::extents_type> {
    using base = adjacent_row<std::remove_cv_t<value_of<const V>>, typename Bound::extents_type>;
    using E = typename base::extents_type;
    static constexpr bool is_value = false;

    [[nodiscard]] static E extents(const V& value) noexcept
    {
        if constexpr (E::rank == 1 && !E::is_static) {
            return E{std::array<std::size_t, 1>{static_cast<std::size_t>(value.size())}};
        } else {
            return {};
        }
    }
    [[nodiscard]] static status check(const V& value, const E& extents, const char* name) noexcept
    {
        if (value.size() != extents.checked_size()) {
            return {status_code::row_mismatch, "a row of {} has {} elements; expected {}", name,
                    static_cast<std::size_t>(value.size()), extents.to_array()};
        }
        return {};
    }
    [[nodiscard]] static decltype(auto) row(const V& value, const E& extents) noexcept
    {
        return base::at(value.data(), extents);
    }
    template <class Use>
    static void pieces(const V& value, const E& extents, const Use& use) noexcept
    {
        use(value.data(), extents.size());
    }
};

/// Reads a row from a pointer to its first element.
template <class T, class Bound>
struct pointer_reader : adjacent_row<T, typename Bound::extents_type> {
    using base = adjacent_row<T, typename Bound::extents_type>;
    using E = typename base::extents_type;
    static constexpr bool is_value = false;

    [[nodiscard]] static E extents(const T* /*data*/) noexcept { return {}; }
    [[nodiscard]] static status check(const T* /*data*/, const E& extents, const char* name) noexcept
    {
        if (extents.size() == 0) {
            return {status_code::row_mismatch,
                    "{} has rows of unknown extents: give them with the data, as in t::masks(x, 1, 28, 28)", name};
        }
        return {};
    }
    [[nodiscard]] static decltype(auto) row(const T* data, const E& extents) noexcept
    {
        return base::at(data, extents);
    }
    template <class Use>
    static void pieces(const T* data, const E& extents, const Use& use) noexcept
    {
        use(data, extents.size());
    }
};

/// Reads a row from a value of another library.
template <class V, class Bound>
struct adapted_reader {
    using element = std::conditional_t<std::is_void_v<typename Bound::of_type>, typename row_traits<V>::element,
                                       typename Bound::of_type>;
    using extents_type = typename Bound::extents_type;
    using E = extents_type;
    static constexpr bool is_value = false;
    static constexpr bool is_adjacent = false;

    [[nodiscard]] static E extents(const V& value) noexcept { return row_traits<V>::template extents<E>(value); }
    [[nodiscard]] static status check(const V& value, const E& extents, const char* name) noexcept
    {
        return row_traits<V>::template check<element>(value, extents, name);
    }
    // The value is a container's, not a temporary.
    [[nodiscard]] static const V& row(const V& value, const E& /*extents*/) noexcept
    {
        return value; // NOLINT(bugprone-return-const-ref-from-parameter)
    }
    template <class Use>
    static void pieces(const V& value, const E& /*extents*/, const Use& use) noexcept
    {
        row_traits<V>::template pieces<element>(value, use);
    }
};

template <class V>
concept has_row_traits = requires { typename row_traits<V>::element; };
/// A container of the elements of one row. (An array is a value.)
template <class V>
concept holds_row =
    contiguous_values<const V> && element<value_of<const V>> && (is_span<V> || !std::is_trivially_copyable_v<V>);
/// A pointer to a row's first element.
template <class V>
concept row_pointer = std::is_pointer_v<V> && element<std::remove_pointer_t<V>>;
/// A pointer to something that has an address, raw or smart.
template <class V>
concept item_pointer = (std::is_pointer_v<V> && std::is_object_v<std::remove_pointer_t<V>>) ||
                       requires(const V& pointer) { *pointer, pointer.get(), static_cast<bool>(pointer); };

struct itself {
    template <class V>
    [[nodiscard]] const V& operator()(const V& item) const noexcept
    {
        return item; // NOLINT(bugprone-return-const-ref-from-parameter): a container's, not a temporary
    }
};
struct pointed_to {
    template <class V>
    [[nodiscard]] const auto& operator()(const V& item) const noexcept
    {
        return *item;
    }
};

/// How a row of the field that `Bound` names is read from a value.
template <class V, class Bound>
consteval auto reader_for() noexcept
{
    constexpr bool several = Bound::extents_type::rank != 0;
    if constexpr (has_row_traits<V>) {
        return std::type_identity<adapted_reader<V, Bound>>();
    } else if constexpr (several && holds_row<V>) {
        return std::type_identity<container_reader<V, Bound>>();
    } else if constexpr (several && row_pointer<V>) {
        return std::type_identity<pointer_reader<std::remove_cv_t<std::remove_pointer_t<V>>, Bound>>();
    } else {
        return std::type_identity<value_reader<V, Bound>>();
    }
}
template <class V, class Bound>
using reader_of = typename decltype(reader_for<V, Bound>())::type;

template <class X>
using item_of = std::remove_cvref_t<decltype(std::declval<const X&>()[std::size_t{}])>;
/// What an item is or, if it is a pointer, points to.
template <class U, class Bound>
using access_of =
    std::conditional_t<item_pointer<U> && !(Bound::extents_type::rank != 0 && row_pointer<U>), pointed_to, itself>;

/// A container whose items are held where they can be referred to.
template <class X>
concept item_container = requires(const X& x, std::size_t j) {
    { x.size() } -> std::convertible_to<std::size_t>;
    { x.begin() } -> std::random_access_iterator;
    requires std::is_lvalue_reference_v<decltype(x[j])>;
};
/// A container that has to be read item by item: its rows are not adjacent, or somewhere else.
template <class X, class Bound>
concept read_by_item =
    item_container<X> && (!contiguous_values<const X> || item_pointer<item_of<X>> || has_row_traits<item_of<X>> ||
                          (Bound::extents_type::rank != 0 && holds_row<item_of<X>>));

/// The items of a container that is not contiguous.
template <class X>
struct items_in {
    const X* container;
    [[nodiscard]] decltype(auto) operator[](std::size_t j) const noexcept { return (*container)[j]; }
};
template <class X>
[[nodiscard]] auto items_of(const X& x) noexcept
{
    if constexpr (contiguous_values<const X>) {
        return x.data();
    } else {
        return items_in<X>{&x};
    }
}

/// Checks item by item that rows can be read.
template <class Reader, class Bound, class X, class Access, class E>
[[nodiscard]] status check_items(const X& x, const Access& access, const E& extents) noexcept
{
    constexpr bool is_pointer = item_pointer<item_of<X>>;
    if constexpr (is_pointer || !Reader::is_value) {
        for (std::size_t j = 0; j < x.size(); ++j) {
            if constexpr (is_pointer) {
                if (!static_cast<bool>(x[j])) {
                    return {status_code::bad_argument, "row {} of {} is a null pointer", j, Bound::tag::name};
                }
            }
            if (status outcome = Reader::check(access(x[j]), extents, Bound::tag::name); !outcome.ok()) {
                return outcome;
            }
        }
    }
    return {};
}
/// The extents of rows that are read item by item: those that were given, or those of the first.
template <class Reader, class X, class Access, class E>
[[nodiscard]] typename Reader::extents_type item_extents(const X& x, const Access& access, const E& given) noexcept
{
    if constexpr (!std::is_same_v<typename Reader::extents_type, E>) {
        return {};
    } else if constexpr (E::is_static) {
        return given;
    } else {
        if (given.size() != 0 || x.size() == 0) {
            return given;
        }
        if constexpr (item_pointer<item_of<X>>) {
            if (!static_cast<bool>(x[0])) {
                return given;
            }
        }
        return Reader::extents(access(x[0]));
    }
}

template <class Bound, class X>
[[nodiscard]] status check_rows(const X& x, const typename Bound::extents_type& row) noexcept;

/// Whether `x` can be read as rows of the field that `Bound` names; `check_rows` returns why not.
template <class Bound, class X>
[[nodiscard]] bool rows_are_whole(const X& x, const typename Bound::extents_type& row) noexcept
{
    bool whole = true;
    if constexpr (has_rows_traits<X>) {
        whole = rows_traits<X>::check(x, row, Bound::tag::name).ok();
    } else if constexpr (!is_rows<X> && read_by_item<X, Bound>) {
        whole = check_rows<Bound>(x, row).ok();
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
    } else if constexpr (read_by_item<X, Bound>) {
        using access = access_of<item_of<X>, Bound>;
        using reader = reader_of<std::remove_cvref_t<decltype(access{}(x[0]))>, Bound>;
        return check_items<reader, Bound>(x, access{}, item_extents<reader>(x, access{}, row));
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
    } else if constexpr (read_by_item<plain, Bound>) {
        using access = access_of<item_of<plain>, Bound>;
        using reader = reader_of<std::remove_cvref_t<decltype(access{}(x[0]))>, Bound>;
        return item_rows<reader, decltype(items_of(x)), access>(items_of(x), x.size(),
                                                                item_extents<reader>(x, access{}, row), access{});
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
