// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_ADAPTERS_XTENSOR_HPP
#define PADBATCH_ADAPTERS_XTENSOR_HPP

#include <padbatch/element_type.hpp>
#include <padbatch/error.hpp>
#include <padbatch/padded_view.hpp>
#include <padbatch/rows.hpp>
#include <padbatch/rows_of.hpp>
#include <padbatch/tensor_ref.hpp>

#if __has_include(<xtensor/containers/xadapt.hpp>)
#include <xtensor/containers/xadapt.hpp> // 0.26 and newer
#else
#include <xtensor/xadapt.hpp>
#endif

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>

namespace padbatch::inline PADBATCH_ABI {

namespace detail {

/// An xtensor expression.
template <class X>
concept xtensor_expression = xt::is_xexpression<X>::value;

/// An expression that is in memory, with a stride for each extent: a container, an adaptor, or a view of one that does
/// not pick single items.
template <class X>
concept xtensor_memory = requires(X& x) {
    *x.data();
    x.data_offset();
    x.shape()[0];
    x.strides()[0];
};

/// The first element. (The `data()` of a view is where its container begins; an empty container may have no memory.)
template <class X>
[[nodiscard]] auto* xtensor_data(X& x) noexcept
{
    auto* const begin = x.data();
    return begin == nullptr ? begin : begin + static_cast<std::ptrdiff_t>(x.data_offset());
}

/// The layout of rows of extents `E` in an `X`, as far as its type tells.
template <class X, class E>
using xtensor_layout =
    std::conditional_t<X::static_layout == xt::layout_type::row_major ||
                           (E::rank == 0 && X::static_layout == xt::layout_type::column_major),
                       layout::contiguous, std::conditional_t<E::rank == 1, layout::element_strided, layout::strided>>;

} // namespace detail

/// xtensor's containers, adaptors and strided views as the rows of one image, `[n, row...]`, without a copy: `[n, 4]`
/// for boxes, `[n]` for scores, `[n, 1, H, W]` for masks. Dynamic extents are those of the array. Rows of rank 0 and 1
/// may have any strides; others must be row-major. Without rows, `[0]`, the other extents do not matter.
template <detail::xtensor_expression X>
struct rows_traits<X> {
    using adapted = void;

    /// Fails with `status_code::wrong_shape` for another rank or strides that rows cannot have, with
    /// `status_code::row_mismatch` for other extents.
    template <class E>
    [[nodiscard]] static status check(const X& x, const E& row, const char* name) noexcept
    {
        std::int64_t shape[const_tensor_ref::max_rank] = {};
        const std::size_t rank = x.dimension();
        for (std::size_t k = 0; k < rank && k < const_tensor_ref::max_rank; ++k) {
            shape[k] = static_cast<std::int64_t>(x.shape()[k]);
        }
        if (rank != 0 && shape[0] == 0) {
            return {};
        }
        const std::span<const std::int64_t> all(shape,
                                                rank < const_tensor_ref::max_rank ? rank : const_tensor_ref::max_rank);
        if (rank != 1 + E::rank) {
            return {status_code::wrong_shape,
                    "{} of one image has the shape {}; expected {} extents, the first one the number of rows (for a "
                    "whole batch use padbatch::from_tensors and padbatch::xtensor::ref)",
                    name, all, 1 + E::rank};
        }
        std::int64_t dense = 1;
        for (std::size_t k = E::rank; k-- > 0;) {
            const std::size_t wanted = row.extent(k);
            if ((E::static_extent(k) != dynamic || wanted != 0) && static_cast<std::int64_t>(wanted) != shape[1 + k]) {
                return {status_code::row_mismatch, "{} of one image has the shape {}; its rows should be {}", name, all,
                        row.to_array()};
            }
            if (E::rank > 1 && shape[1 + k] != 1 && static_cast<std::int64_t>(x.strides()[1 + k]) != dense) {
                return {
                    status_code::wrong_shape,
                    "{} of one image has the shape {} and rows that are not row-major without gaps: give xt::eval(x) "
                    "or a container with xt::layout_type::row_major",
                    name, all};
            }
            dense *= shape[1 + k];
        }
        return {};
    }

    template <class Self, class E>
    [[nodiscard]] static auto rows(Self& x, const E& row) noexcept
    {
        static_assert(detail::xtensor_memory<Self>,
                      "this xtensor expression is not in memory yet: give a container, such as its xt::eval(x), that "
                      "outlives the call");
        using T = std::remove_pointer_t<decltype(detail::xtensor_data(x))>;
        using L = detail::xtensor_layout<X, E>;
        const std::size_t n = x.dimension() == 0 ? 0 : static_cast<std::size_t>(x.shape()[0]);
        const E extents = n == 0 ? row : E{detail::shape_part<E::rank>(x.shape(), 1)};
        T* const data = detail::xtensor_data(x);
        if constexpr (std::is_same_v<L, layout::contiguous>) {
            return basic_rows<T, E>(data, n, extents);
        } else {
            constexpr auto size = static_cast<std::ptrdiff_t>(sizeof(T));
            L strides{};
            if (n != 0) {
                strides.row_stride = static_cast<std::ptrdiff_t>(x.strides()[0]) * size;
                if constexpr (E::rank == 1) {
                    strides.element_stride = static_cast<std::ptrdiff_t>(x.strides()[1]) * size;
                }
            }
            return basic_rows<T, E, L>(data, n, extents, strides);
        }
    }
};

namespace xtensor {

/// A container, adaptor or strided view as a tensor for `from_tensors`, without a copy, with its element type, shape
/// and strides. Read-only where `x` is.
///
///     xt::xtensor<float, 3> boxes = xt::zeros<float>({8, 100, 4});
///     xt::xtensor<std::int32_t, 1> counts = xt::zeros<std::int32_t>({8});
///     auto batch = from_tensors<padbatch::boxes<>>(xtensor::ref(counts), xtensor::ref(boxes));
template <padbatch::detail::xtensor_expression X>
[[nodiscard]] auto ref(X& x) noexcept
{
    static_assert(
        padbatch::detail::xtensor_memory<X>,
        "this xtensor expression is not in memory yet: give a container, such as its xt::eval(x), that outlives the "
        "call");
    auto* const data = padbatch::detail::xtensor_data(x);
    using T = std::remove_pointer_t<decltype(data)>;
    static_assert(element<T>, "the elements of a tensor must be numbers");
    using void_type = std::conditional_t<std::is_const_v<T>, const void, void>;

    // One extent more than a tensor can have, so that too many remain too many.
    std::array<std::int64_t, const_tensor_ref::max_rank + 1> shape{};
    std::array<std::int64_t, const_tensor_ref::max_rank + 1> strides{};
    const std::size_t rank = x.dimension() < shape.size() ? x.dimension() : shape.size();
    for (std::size_t k = 0; k < rank; ++k) {
        shape[k] = static_cast<std::int64_t>(x.shape()[k]);
        strides[k] = static_cast<std::int64_t>(x.strides()[k]);
    }
    return basic_tensor_ref<void_type>(data, element_type_of<T>, std::span<const std::int64_t>(shape.data(), rank),
                                       std::span<const std::int64_t>(strides.data(), rank));
}

/// One whole field of a padded batch as an xtensor adaptor, without a copy: `view(batch[t::boxes])` is `[B, M, 4]`. It
/// includes padding rows. Read-only where the field is. Assigning to it writes to the batch.
template <class T, class E>
[[nodiscard]] auto view(const padded_field<T, E>& field)
{
    const auto shape = padbatch::detail::shape_part<2 + E::rank>(field.shape(), 0);
    return xt::adapt<xt::layout_type::row_major>(field.data(), field.size(), xt::no_ownership(), shape);
}

/// The rows of one image, contiguous: `view(image[t::boxes])` is `[n, 4]`.
template <class T, class E>
[[nodiscard]] auto view(const basic_rows<T, E>& rows)
{
    const auto shape = padbatch::detail::shape_of<std::size_t>(rows.extents(), rows.size());
    return xt::adapt<xt::layout_type::row_major>(rows.data(), rows.size() * rows.row_size(), xt::no_ownership(), shape);
}

/// Returns why `view` would fail for these rows: `status_code::wrong_shape`. xtensor counts strides in elements, and
/// the distance between rows need not be a multiple of an element's size: members of some structs. Contiguous rows
/// never fail.
template <class T, class E, class Layout>
[[nodiscard]] status check_view(const basic_rows<T, E, Layout>& rows) noexcept
{
    static_assert(!std::is_same_v<Layout, layout::indexed>,
                  "rows picked by an index have no strides: pad or copy them first");
    if constexpr (!basic_rows<T, E, Layout>::is_contiguous) {
        constexpr auto size = static_cast<std::ptrdiff_t>(sizeof(T));
        std::ptrdiff_t element_stride = size;
        if constexpr (std::is_same_v<Layout, layout::element_strided>) {
            element_stride = rows.layout().element_stride;
        }
        const std::ptrdiff_t row_stride = rows.layout().row_stride;
        if (row_stride < 0 || element_stride < 0 || row_stride % size != 0 || element_stride % size != 0) {
            return {
                status_code::wrong_shape,
                "rows are {} bytes apart and their elements {}; an xtensor view needs multiples of {}, the size of an "
                "element: copy them first",
                row_stride, element_stride, size};
        }
    }
    return {};
}

/// The form of `view` for rows that are not contiguous that validates nothing.
template <class T, class E, padbatch::detail::non_contiguous_layout Layout>
[[nodiscard]] auto view(unchecked_t, const basic_rows<T, E, Layout>& rows)
{
    static_assert(!std::is_same_v<Layout, layout::indexed>,
                  "rows picked by an index have no strides: pad or copy them first");
    constexpr auto size = static_cast<std::ptrdiff_t>(sizeof(T));
    const auto shape = padbatch::detail::shape_of<std::size_t>(rows.extents(), rows.size());
    std::array<std::ptrdiff_t, 1 + E::rank> strides{};
    std::ptrdiff_t stride = 1;
    if constexpr (std::is_same_v<Layout, layout::element_strided>) {
        stride = rows.layout().element_stride / size;
    }
    for (std::size_t k = E::rank + 1; k-- > 0;) {
        strides[k] = k == 0 ? rows.layout().row_stride / size : stride;
        stride *= static_cast<std::ptrdiff_t>(shape[k]);
    }
    // The size is that of the shape, as xtensor wants it, although the elements reach farther.
    return xt::adapt(rows.data(), rows.size() * rows.row_size(), xt::no_ownership(), shape, strides);
}

#if PADBATCH_EXCEPTIONS
/// The same for rows that are not contiguous, such as columns of flat rows. Throws `error` if `check_view` fails.
template <class T, class E, padbatch::detail::non_contiguous_layout Layout>
[[nodiscard]] auto view(const basic_rows<T, E, Layout>& rows)
{
    padbatch::detail::require(check_view(rows));
    return view(unchecked, rows);
}
#endif

} // namespace xtensor

} // namespace padbatch::inline PADBATCH_ABI

#endif
