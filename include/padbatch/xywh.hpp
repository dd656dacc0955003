// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_XYWH_HPP
#define PADBATCH_XYWH_HPP

#include <padbatch/detail/index_iterator.hpp>
#include <padbatch/rows_of.hpp>

#include <array>
#include <concepts>
#include <cstddef>
#include <limits>
#include <type_traits>
#include <utility>

namespace padbatch::inline PADBATCH_ABI {

namespace detail {

/// a + b; integers out of range become the lowest or the highest.
template <class T>
[[nodiscard]] constexpr T plus(T a, T b) noexcept
{
    if constexpr (std::integral<T>) {
        T sum{};
        return !__builtin_add_overflow(a, b, &sum) ? sum
               : b < T{0}                          ? std::numeric_limits<T>::lowest()
                                                   : std::numeric_limits<T>::max();
    } else if constexpr (half<T>) {
        return convert<T>(convert<float>(a) + convert<float>(b));
    } else {
        return a + b;
    }
}

template <class T>
[[nodiscard]] constexpr std::array<T, 4> corners(T x, T y, T width, T height) noexcept
{
    return {x, y, plus(x, width), plus(y, height)};
}

/// x, y, width and height of a box as its corners.
struct to_corners {
    template <class Box>
    [[nodiscard]] constexpr auto operator()(const Box& box) const noexcept
    {
        if constexpr (requires { box[3]; }) {
            return corners(box[0], box[1], box[2], box[3]);
        } else if constexpr (requires { box.x, box.y, box.width, box.height; }) {
            return corners(box.x, box.y, box.width, box.height);
        } else if constexpr (requires { box.x, box.y, box.w, box.h; }) {
            return corners(box.x, box.y, box.w, box.h);
        } else if constexpr (requires { box.left, box.top, box.width, box.height; }) {
            return corners(box.left, box.top, box.width, box.height);
        } else {
            return corners(box.x(), box.y(), box.width(), box.height());
        }
    }
};

/// A box that `to_corners` takes: four numbers, or a class with names for them.
template <class Box>
concept xywh_class = requires(const Box& box) { box.x, box.y, box.width, box.height; } ||
                     requires(const Box& box) { box.x, box.y, box.w, box.h; } ||
                     requires(const Box& box) { box.left, box.top, box.width, box.height; } ||
                     requires(const Box& box) { box.x(), box.y(), box.width(), box.height(); };
template <class Box>
concept xywh_array = value_parts<Box>::count == 4 && requires(const Box& box) { box[3]; };

using xywh_numbers = bound<t::boxes_t, int>;

template <class X>
inline constexpr bool has_items_of_xywh = false;
template <item_container X>
inline constexpr bool has_items_of_xywh<X> = xywh_class<item_of<X>> || xywh_array<item_of<X>>;

/// The boxes of one image as rows of their corners.
template <class X>
[[nodiscard]] auto corner_rows(const X& boxes) noexcept
{
    const auto make = [](const auto& items, std::size_t size) {
        using items_type = std::remove_cvref_t<decltype(items)>;
        using corners_type = decltype(to_corners{}(items[0]));
        return item_rows<value_reader<corners_type, xywh_numbers>, items_type, to_corners>(items, size, {}, {});
    };
    static_assert(
        !item_container<X> || has_items_of_xywh<X> || element<item_of<X>>,
        "xywh(...) takes boxes of x, y, width and height: four numbers, or a class with members or functions of "
        "these names (or left and top, w and h)");
    if constexpr (has_items_of_xywh<X>) {
        return make(items_of(boxes), static_cast<std::size_t>(boxes.size()));
    } else {
        const auto numbers = rows_of<xywh_numbers>(boxes, {});
        return make(numbers, numbers.size());
    }
}

} // namespace detail

/// Boxes of x, y, width and height, of one image or of several, to be read as corners; made by `xywh`.
template <class X>
struct xywh_boxes {
    X value;

    [[nodiscard]] std::size_t size() const noexcept { return value.size(); }
    [[nodiscard]] auto begin() const noexcept { return value.begin(); }
    /// The boxes of image i.
    [[nodiscard]] auto operator[](std::size_t i) const noexcept
    {
        using item = decltype(std::as_const(value)[i]);
        static_assert(
            std::is_lvalue_reference_v<item> || std::is_trivially_destructible_v<item>,
            "indexing this container makes a temporary copy of an image's boxes, which would be gone before it "
            "is read: give a container that holds them");
        return xywh_boxes<item>{std::as_const(value)[i]};
    }
};

template <class X>
struct rows_traits<xywh_boxes<X>> {
    using adapted = void;

    template <class E>
    [[nodiscard]] static status check(const xywh_boxes<X>& boxes, const E& /*row*/, const char* /*name*/) noexcept
    {
        if constexpr (detail::has_items_of_xywh<std::remove_cvref_t<X>>) {
            return {};
        } else {
            return detail::check_rows<detail::xywh_numbers>(boxes.value, {});
        }
    }
    template <class E>
    [[nodiscard]] static auto rows(const xywh_boxes<X>& boxes, const E& /*row*/) noexcept
    {
        return detail::corner_rows(std::as_const(boxes.value));
    }
};

/// Boxes of x, y, width and height (the format of COCO and of `cv::Rect`) as a field's corners, x, y, x + width, y +
/// height, computed as rows are copied:
///
///     std::vector<std::vector<cv::Rect>> rects;
///     pad(each(t::boxes(xywh(rects)).as<float>(), t::scores(scores)))
///
/// A box is a class with members `x`, `y` or `left`, `top`, and `width`, `height` or `w`, `h`, or with functions `x()`,
/// `y()`, `width()` and `height()`, or four numbers. Corners have the type of the numbers; an integer that is out of
/// range becomes the lowest or the highest of its type. The boxes have to live as long as the source does.
template <class X>
[[nodiscard]] constexpr xywh_boxes<detail::held<X>> xywh(X&& boxes) noexcept
{
    return {static_cast<X&&>(boxes)};
}

/// The corners of one such box, for a function of `project`: `t::boxes([](const detection& d) { return
/// xywh_to_corners(d.box); })`.
template <class Box>
    requires(detail::xywh_class<Box> || detail::xywh_array<Box>)
[[nodiscard]] constexpr auto xywh_to_corners(const Box& box) noexcept
{
    return detail::to_corners{}(box);
}

} // namespace padbatch::inline PADBATCH_ABI

#endif
