// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_DETECTION_DETAIL_BOX_TARGET_HPP
#define PADBATCH_DETECTION_DETAIL_BOX_TARGET_HPP

#include <padbatch/detail/contiguous.hpp>
#include <padbatch/detection/detail/box_step.hpp>
#include <padbatch/detection/detail/each_image.hpp>
#include <padbatch/error.hpp>
#include <padbatch/extents.hpp>
#include <padbatch/fields.hpp>
#include <padbatch/rows_of.hpp>

#include <cstddef>
#include <type_traits>

namespace padbatch::inline PADBATCH_ABI::detail {

/// What an operation changes: the rows of one image, `t::boxes(x)`, or a batch.
template <class X>
concept box_target = bound_values<X> || detection_batch<X>;

/// A compile error, with the reason, if rows are not boxes of floats. `Rows` is the type of rows of a field.
template <class Tag, class Rows>
consteval bool are_float_boxes() noexcept
{
    static_assert(std::is_same_v<Tag, t::boxes_t>, "boxes are named by their tag: t::boxes(x)");
    static_assert(std::is_same_v<typename Rows::value_type, float>,
                  "boxes must be float; convert others when they are padded, with t::boxes(x).as<float>()");
    static_assert(are_box_extents<typename Rows::extents_type>, "a box is 4 numbers");
    return true;
}

/// Checks that the data of `Bound` are boxes that can be read.
template <class Bound>
[[nodiscard]] status check_boxes(const Bound& bound) noexcept
{
    static_assert(std::is_void_v<typename Bound::as_type>,
                  ".as<T>() converts boxes as they are copied; this operation takes float boxes as they are");
    using rows_type = decltype(rows_of<Bound>(bound.value, bound.row));
    static_assert(are_float_boxes<typename Bound::tag, rows_type>());
    if (status outcome = check_rows<Bound>(bound.value, bound.row); !outcome.ok()) {
        return outcome;
    }
    return check_box_rows(rows_of<Bound>(bound.value, bound.row));
}

/// A compile error, with the reason, if a batch has no boxes of floats.
template <class Batch>
consteval bool has_float_boxes() noexcept
{
    static_assert(!std::is_void_v<field_of<t::boxes_t, typename Batch::fields>>, "the batch has no t::boxes");
    return are_float_boxes<t::boxes_t, field_of<t::boxes_t, typename Batch::fields>>();
}

/// The number of images: 1 for rows.
template <class Target>
[[nodiscard]] std::size_t images_of(const Target& target) noexcept
{
    if constexpr (bound_values<Target>) {
        return 1;
    } else {
        return target.size();
    }
}

/// Changes boxes in place by the `box_step` that `step_of(i)` gives for image i (0 for rows), which has been checked.
template <class Target, class Steps, class... Options>
[[nodiscard]] status change_boxes(Target&& target, const Steps& step_of, Options&&... options)
{
    using type = std::remove_cvref_t<Target>;
    if constexpr (bound_values<type>) {
        static_assert(sizeof...(Options) == 0, "the rows of one image take no options: parallel(...) is for a batch");
        using rows_type = decltype(rows_of<type>(target.value, target.row));
        static_assert(are_float_boxes<typename type::tag, rows_type>());
        if (status outcome = check_boxes(target); !outcome.ok()) {
            return outcome;
        }
        const rows_type rows = rows_of<type>(target.value, target.row);
        static_assert(rows_type::is_contiguous, "boxes are changed in place where their rows are adjacent floats");
        static_assert(!std::is_const_v<typename rows_type::element_type>,
                      "the boxes are const, but the operation changes them in place");
        static_assert(all_outlive_call<decltype(type::value)>());
        if constexpr (std::is_same_v<typename rows_type::value_type, float>) { // as asserted
            step_of(0).run(rows.data(), rows.size());
        }
        return {};
    } else {
        static_assert(values_can_be_changed<t::boxes_t, Target>());
        static_assert((is_batch_option<Options> && ...),
                      "an option of an operation that changes the boxes of a batch is parallel(...) or a workspace");
        static_assert(batch_options_fit<Options...>());
        static_assert(has_float_boxes<type>());
        if (status outcome = check_batch_boxes(target); !outcome.ok()) {
            return outcome;
        }
        return change_images(
            target,
            [&step_of](const auto& image, std::size_t i) noexcept {
                const auto rows = image[t::boxes];
                step_of(i).run(rows.data(), rows.size());
            },
            options...);
    }
}

} // namespace padbatch::inline PADBATCH_ABI::detail

#endif
