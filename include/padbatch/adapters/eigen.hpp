// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_ADAPTERS_EIGEN_HPP
#define PADBATCH_ADAPTERS_EIGEN_HPP

#include <padbatch/element_type.hpp>
#include <padbatch/error.hpp>
#include <padbatch/rows.hpp>
#include <padbatch/rows_of.hpp>

#include <Eigen/Core>

#include <array>
#include <cstddef>
#include <type_traits>

namespace padbatch::inline PADBATCH_ABI {

namespace detail {

template <class T, class From, class To>
using replace_type = std::conditional_t<std::is_same_v<std::remove_const_t<T>, From>, copy_const<T, To>, T>;

/// Eigen's 16-bit types have the same bits as padbatch's; other types are the same in both.
template <class T>
using from_eigen = replace_type<replace_type<T, Eigen::half, float16>, Eigen::bfloat16, bfloat16>;
template <class T>
using to_eigen = replace_type<replace_type<T, float16, Eigen::half>, bfloat16, Eigen::bfloat16>;
static_assert(sizeof(Eigen::half) == sizeof(float16) && sizeof(Eigen::bfloat16) == sizeof(bfloat16));

// By overload, so that classes derived from a matrix are recognised too.
template <class Derived>
std::true_type test_eigen_dense(const Eigen::DenseBase<Derived>*);
template <class X>
concept eigen_dense = requires(const X* x) { test_eigen_dense(x); };

template <class Derived>
std::true_type test_eigen_without_gaps(const Eigen::PlainObjectBase<Derived>*);
template <class Plain, int Options>
std::true_type test_eigen_without_gaps(const Eigen::Map<Plain, Options, Eigen::Stride<0, 0>>*);
std::false_type test_eigen_without_gaps(const void*);

/// How the rows of an Eigen matrix are rows of a field of extents `E`, as far as the types tell.
template <class X, class E>
struct eigen_rows {
    static constexpr int columns = static_cast<int>(X::ColsAtCompileTime);
    static constexpr int inner = static_cast<int>(X::InnerStrideAtCompileTime);
    static constexpr int outer = static_cast<int>(X::OuterStrideAtCompileTime);
    static constexpr bool row_major = static_cast<bool>(X::IsRowMajor);

    /// A row vector or a column vector, with one number for each row of the field.
    static constexpr bool is_vector = E::rank == 0 && static_cast<bool>(X::IsVectorAtCompileTime);

    /// The fixed number of rows is the size of a field's row, and the number of columns is dynamic: detections are
    /// columns.
    static consteval bool is_transposed() noexcept
    {
        constexpr int fixed = static_cast<int>(X::RowsAtCompileTime);
        return E::rank != 0 && E::is_static && columns == Eigen::Dynamic && fixed > 1 &&
               static_cast<std::size_t>(fixed) == E{}.size();
    }
    static consteval bool columns_may_fit() noexcept
    {
        return !is_transposed() && (is_vector || columns == Eigen::Dynamic || !E::is_static ||
                                    static_cast<std::size_t>(columns) == E{}.size());
    }
    static consteval bool without_gaps() noexcept
    {
        if constexpr (is_vector) {
            return inner == 1;
        } else {
            return row_major && (decltype(test_eigen_without_gaps(static_cast<const X*>(nullptr)))::value ||
                                 (inner == 1 && columns != Eigen::Dynamic && outer == columns));
        }
    }

    using layout_type = std::conditional_t<
        without_gaps(), layout::contiguous,
        std::conditional_t<E::rank == 0 || (row_major && inner == 1), layout::strided, layout::element_strided>>;

    [[nodiscard]] static std::size_t count(const X& x) noexcept
    {
        return static_cast<std::size_t>(is_vector ? x.size() : x.rows());
    }
};

} // namespace detail

/// Eigen's matrices, arrays, maps, refs and blocks as the rows of one image, without a copy: n x 4 for boxes, a vector
/// (or n x 1) for scores, n x (C * H * W) for masks, where C, H and W are given with the data, as in
/// `t::masks(x, 1, 28, 28)`. They are row-major or, for rows of rank 1, column-major. The columns of a matrix without
/// rows do not matter.
template <detail::eigen_dense X>
struct rows_traits<X> {
    using adapted = void;

    /// Fails with `status_code::row_mismatch` if the number of columns is not the number of elements of a field's row.
    template <class E>
    [[nodiscard]] static status check(const X& x, const E& row, const char* name) noexcept
    {
        using shape = detail::eigen_rows<X, E>;
        if (shape::is_vector || x.rows() == 0) {
            return {};
        }
        const auto columns = static_cast<std::size_t>(x.cols());
        const auto extents = row.to_array();
        if constexpr (!E::is_static) {
            if (row.size() == 0) {
                return E::rank == 1
                           ? status()
                           : status(status_code::row_mismatch,
                                    "{} has rows of {}: give the extents with the matrix, as in t::masks(x, 1, "
                                    "28, 28)",
                                    name, extents);
            }
        }
        if (columns != row.size()) {
            return {status_code::row_mismatch,
                    "{} is a matrix of {} x {}, but a row of {} is {} columns (if each column is a detection, give its "
                    ".transpose())",
                    name,
                    x.rows(),
                    columns,
                    extents,
                    row.size()};
        }
        return {};
    }

    template <class Self, class E>
    [[nodiscard]] static auto rows(Self& x, const E& row) noexcept
    {
        using shape = detail::eigen_rows<X, E>;
        static_assert(
            (static_cast<unsigned>(X::Flags) & Eigen::DirectAccessBit) != 0,
            "this Eigen expression is not in memory yet: give a matrix, such as its .eval(), that outlives the call");
        static_assert(
            shape::columns_may_fit(),
            "this matrix's number of columns is not the number of elements of a field's row: each row of the matrix is "
            "one detection (if each column is one, give the .transpose(); for flat numbers give a std::span)");
        static_assert(E::rank < 2 || !std::is_same_v<typename shape::layout_type, layout::element_strided>,
                      "rows of this shape must be row-major: use a matrix with Eigen::RowMajor");
        using scalar = std::remove_pointer_t<decltype(x.data())>;
        using T = detail::from_eigen<scalar>;
        auto* const data = reinterpret_cast<T*>(x.data());
        const std::size_t n = shape::count(x);
        E extents = row;
        if constexpr (E::rank == 1 && !E::is_static) {
            extents = n == 0 ? row : E{std::array<std::size_t, 1>{static_cast<std::size_t>(x.cols())}};
        }
        constexpr auto size = static_cast<std::ptrdiff_t>(sizeof(T));
        using L = typename shape::layout_type;
        if constexpr (std::is_same_v<L, layout::contiguous>) {
            return basic_rows<T, E>(data, n, extents);
        } else if constexpr (std::is_same_v<L, layout::strided>) {
            return basic_rows<T, E, L>(data, n, extents, {(shape::is_vector ? x.innerStride() : x.rowStride()) * size});
        } else {
            return basic_rows<T, E, L>(data, n, extents, {x.rowStride() * size, x.colStride() * size});
        }
    }
};

namespace detail {

template <class E>
inline constexpr int eigen_columns = E::is_static ? static_cast<int>(E{}.size()) : Eigen::Dynamic;

/// If `Columns` is 1, this is a column vector, which Eigen wants to be column-major.
template <class T, int Columns>
using eigen_matrix =
    copy_const<T, Eigen::Matrix<std::remove_const_t<to_eigen<T>>, Eigen::Dynamic, Columns,
                                Columns == 1 ? static_cast<int>(Eigen::ColMajor) : static_cast<int>(Eigen::RowMajor)>>;

template <class Layout, int Columns>
struct eigen_stride {
    static_assert(!std::is_same_v<Layout, layout::indexed>,
                  "rows picked by an index are not a matrix: pad or copy them first");
    using type = Eigen::Stride<0, 0>;
};
template <int Columns>
struct eigen_stride<layout::strided, Columns> {
    using type = std::conditional_t<Columns == 1, Eigen::InnerStride<>, Eigen::OuterStride<>>;
};
template <int Columns>
struct eigen_stride<layout::element_strided, Columns> {
    using type = std::conditional_t<Columns == 1, Eigen::InnerStride<>, Eigen::Stride<Eigen::Dynamic, Eigen::Dynamic>>;
};

} // namespace detail

namespace eigen {

/// The type that `map` returns for rows of `T`: n x 4 for boxes, a column vector for rows of one number, otherwise n x
/// row size; row-major.
template <class T, class E, class Layout = layout::contiguous>
using map_type = Eigen::Map<detail::eigen_matrix<T, detail::eigen_columns<E>>, Eigen::Unaligned,
                            typename detail::eigen_stride<Layout, detail::eigen_columns<E>>::type>;

/// Returns why `map` would fail for these rows: `status_code::wrong_shape`. Eigen counts strides in elements, and the
/// distance between rows need not be a multiple of an element's size: members of some structs. Contiguous rows never
/// fail.
template <class T, class E, class Layout>
[[nodiscard]] status check_map(const basic_rows<T, E, Layout>& rows) noexcept
{
    if constexpr (!basic_rows<T, E, Layout>::is_contiguous) {
        constexpr auto size = static_cast<std::ptrdiff_t>(sizeof(T));
        std::ptrdiff_t strides[] = {rows.layout().row_stride, size};
        if constexpr (std::is_same_v<Layout, layout::element_strided>) {
            strides[1] = rows.layout().element_stride;
        }
        for (const std::ptrdiff_t stride : strides) {
            if (stride < 0 || stride % size != 0) {
                return {
                    status_code::wrong_shape,
                    "rows are {} bytes apart and their elements {}; an Eigen matrix needs multiples of {}, the size "
                    "of an element: copy them first",
                    strides[0], strides[1], size};
            }
        }
    }
    return {};
}

/// The form of `map` that validates nothing.
template <class T, class E, class Layout>
[[nodiscard]] map_type<T, E, Layout> map(unchecked_t, const basic_rows<T, E, Layout>& rows) noexcept
{
    static_assert(element<T>, "the elements of a matrix must be numbers");
    auto* const data = reinterpret_cast<detail::to_eigen<T>*>(rows.data());
    const auto n = static_cast<Eigen::Index>(rows.size());
    const auto columns = static_cast<Eigen::Index>(rows.row_size());
    constexpr auto size = static_cast<Eigen::Index>(sizeof(T));
    using stride = typename detail::eigen_stride<Layout, detail::eigen_columns<E>>::type;
    if constexpr (std::is_same_v<Layout, layout::contiguous>) {
        return map_type<T, E, Layout>(data, n, columns);
    } else if constexpr (std::is_same_v<stride, Eigen::Stride<Eigen::Dynamic, Eigen::Dynamic>>) {
        return map_type<T, E, Layout>(data, n, columns,
                                      stride(rows.layout().row_stride / size, rows.layout().element_stride / size));
    } else {
        return map_type<T, E, Layout>(data, n, columns, stride(rows.layout().row_stride / size));
    }
}

/// The rows of one image as an `Eigen::Map`, without a copy: `map(image[t::boxes])` is n x 4, `map(image[t::masks])`
/// n x (C * H * W). Read-only where the rows are; float16 and bfloat16 become `Eigen::half` and `Eigen::bfloat16`.
template <class T, class E>
[[nodiscard]] map_type<T, E> map(const basic_rows<T, E>& rows) noexcept
{
    return map(unchecked, rows);
}

#if PADBATCH_EXCEPTIONS
/// The same for rows that are not contiguous, such as columns of flat rows. Throws `error` if `check_map` fails.
template <class T, class E, detail::non_contiguous_layout Layout>
[[nodiscard]] map_type<T, E, Layout> map(const basic_rows<T, E, Layout>& rows)
{
    detail::require(check_map(rows));
    return map(unchecked, rows);
}
#endif

/// One row of rank 2 or more as a row-major matrix, without a copy: `map(image[t::masks][k])` is H x W for a mask of
/// `[1, H, W]`, and (C * H) x W in general; keypoints are K x 3.
template <class T, class E>
    requires(E::rank >= 2)
[[nodiscard]] auto map(const row<T, E>& row) noexcept
{
    using last = row_extents<E::static_extent(E::rank - 1)>;
    auto* const data = reinterpret_cast<detail::to_eigen<T>*>(row.data());
    const std::size_t columns = row.extent(E::rank - 1);
    return map_type<T, last>(data, static_cast<Eigen::Index>(columns == 0 ? 0 : row.size() / columns),
                             static_cast<Eigen::Index>(columns));
}

} // namespace eigen

} // namespace padbatch::inline PADBATCH_ABI

#endif
