// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_DETECTION_NMS_HPP
#define PADBATCH_DETECTION_NMS_HPP

#include <padbatch/detail/first_failure.hpp>
#include <padbatch/detection/at_most.hpp>
#include <padbatch/detection/detail/keep_rows.hpp>
#include <padbatch/detection/detail/score_order.hpp>
#include <padbatch/detection/detail/suppress.hpp>
#include <padbatch/detection/row_numbers.hpp>
#include <padbatch/fields.hpp>
#include <padbatch/rows_of.hpp>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <type_traits>
#include <utility>

/// Non-maximum suppression: of boxes that overlap by more than a threshold, the one with the highest score stays.
///
/// Rows are taken in the order of their scores, the highest first; of equal scores the earlier row is first, and NaN is
/// below every number. (torchvision's order of equal scores is not defined, and it takes NaN for the highest.) A row is
/// kept unless its IoU with a row kept before it is over the threshold.
///
/// The formula is that of `nms_kernel_impl` in torchvision/csrc/ops/cpu/nms_kernel.cpp, in its order of operations:
/// widths and heights are not negative, inter / (area + area - inter) is a float, the threshold a double. An IoU that
/// is no number, such as that of two boxes of no area (0 / 0), suppresses nothing; nor do boxes that are NaN or
/// inverted.
///
/// Boxes are x1, y1, x2, y2; boxes and scores are float, labels integers. Costs O(n log n + n * kept), of which the
/// second is over as soon as a row is suppressed.
namespace padbatch::inline PADBATCH_ABI {

struct largest_coordinate_t {};
/// For `class_shift`: one more than the largest coordinate of the image's boxes.
inline constexpr largest_coordinate_t largest_coordinate{};

/// An option of `batched_nms`: instead of class by class, boxes are moved by label * distance, in floats, and
/// suppressed in one go. So do exported models. Rounding makes it differ a little from the exact answer, and boxes that
/// reach beyond the distance meet those of other classes.
///
/// `class_shift(largest_coordinate)` is torchvision's `_batched_nms_coordinate_trick`, its way up to 1000 boxes and
/// that of its exports. `class_shift(7680)` is that of most exports of YOLO models, and of `onnx-pad-outputs --from
/// raw`.
class class_shift {
public:
    /// The distance is in pixels; it must be finite.
    constexpr explicit class_shift(float distance) noexcept : m_distance(distance) {}
    constexpr explicit class_shift(largest_coordinate_t /*largest*/) noexcept : m_follows(true) {}

    [[nodiscard]] constexpr bool follows_boxes() const noexcept { return m_follows; }
    [[nodiscard]] constexpr float distance() const noexcept { return m_distance; }

private:
    float m_distance = 0;
    bool m_follows = false;
};

namespace detail {

template <class T>
inline constexpr bool is_class_shift = std::is_same_v<std::remove_cvref_t<T>, class_shift>;

template <bool Labelled, class... Options>
consteval bool nms_options_known() noexcept
{
    static_assert(((is_at_most<Options> || (Labelled && is_class_shift<Options>) || is_batch_option<Options> ||
                    is_fill<std::remove_cvref_t<Options>>) &&
                   ...),
                  "an option of nms is one of at_most(...), a workspace and, for a batch, parallel(...) and "
                  "pad_values(...); batched_nms also takes class_shift(...)");
    static_assert((std::size_t{0} + ... + (is_class_shift<Options> ? 1 : 0)) < 2, "class_shift(...) is given twice");
    return batch_options_fit<Options...>();
}

/// A compile error, with the reason, unless the fields are as suppression needs them.
template <bool Labelled, class Boxes, class Scores, class Labels>
consteval bool can_be_suppressed() noexcept
{
    static_assert(std::is_same_v<typename Boxes::value_type, float> &&
                      std::is_same_v<typename Scores::value_type, float>,
                  "nms takes float boxes and float scores");
    static_assert(are_box_extents<typename Boxes::extents_type>, "a box is 4 numbers, x1, y1, x2, y2");
    static_assert(Scores::extents_type::rank == 0, "a score is one number");
    if constexpr (Labelled) {
        static_assert(std::is_integral_v<typename Labels::value_type> && Labels::extents_type::rank == 0,
                      "a label is one integer");
    }
    return true;
}

template <class... Options>
[[nodiscard]] suppress_rules suppress_rules_of(bool labelled, double threshold, const Options&... options) noexcept
{
    suppress_rules rules;
    rules.threshold = threshold;
    rules.classes = labelled ? class_rule::apart : class_rule::none;
    rules.most = rows_at_most(options...);
    if (const auto* shift = find_option<const class_shift>(options...); shift != nullptr) {
        rules.classes = shift->follows_boxes() ? class_rule::farther : class_rule::shifted;
        rules.distance = shift->distance();
    }
    return rules;
}

[[nodiscard]] inline status check_rules(const suppress_rules& rules) noexcept
{
    if (!(rules.threshold >= 0 && rules.threshold <= 1)) {
        return {status_code::bad_argument,
                "the IoU threshold is {}; expected a number from 0 to 1: boxes that overlap by more are dropped",
                rules.threshold};
    }
    if (rules.classes == class_rule::shifted && !__builtin_isfinite(rules.distance)) {
        return {status_code::bad_argument, "the distance of class_shift is {}; expected a finite number of pixels",
                static_cast<double>(rules.distance)};
    }
    return {};
}

/// Which rows of an image of a batch are kept.
template <bool Labelled>
struct suppress_choice {
    static constexpr bool ascending = false;
    suppress_rules rules;

    template <class Batch>
    [[nodiscard]] status check(const Batch& batch) const noexcept
    {
        return first_failure([&] { return check_rules(rules); }, [&] { return check_batch_boxes(batch); });
    }
    [[nodiscard]] std::size_t scratch_bytes(std::size_t n) const noexcept
    {
        return suppress_scratch::bytes_for(n, Labelled);
    }
    template <class Image>
    [[nodiscard]] std::size_t operator()(const Image& image, std::size_t /*i*/, std::int32_t* kept,
                                         std::byte* scratch) const noexcept
    {
        const auto put = [kept](std::size_t k, std::int32_t row) { kept[k] = row; };
        if constexpr (Labelled) {
            const auto labels = image[t::labels];
            return suppress(
                image[t::boxes], image[t::scores], [&](std::size_t j) { return integer_at(labels, j); }, rules, scratch,
                put);
        } else {
            return suppress(
                image[t::boxes], image[t::scores], [](std::size_t) { return std::int64_t{0}; }, rules, scratch, put);
        }
    }
};

template <bool Labelled, class Batch>
consteval bool batch_can_be_suppressed() noexcept
{
    using fields = typename std::remove_cvref_t<Batch>::fields;
    using boxes_field = field_of<t::boxes_t, fields>;
    using scores_field = field_of<t::scores_t, fields>;
    using labels_field = field_of<t::labels_t, fields>;
    constexpr bool has_all =
        !std::is_void_v<boxes_field> && !std::is_void_v<scores_field> && (!Labelled || !std::is_void_v<labels_field>);
    static_assert(has_all, "nms needs a batch with t::boxes and t::scores, and batched_nms also t::labels");
    if constexpr (has_all) {
        return can_be_suppressed<Labelled, boxes_field, scores_field, labels_field>() && rows_can_be_dropped<Batch>();
    }
    return true;
}

/// Suppression of one image's rows into `kept`.
template <bool Labelled, class Boxes, class Scores, class Label, class... Options>
[[nodiscard]] status suppress_rows(row_numbers& kept, const Boxes& boxes, const Scores& scores, const Label& label_at,
                                   double threshold, Options&... options) noexcept
{
    static_assert(!(is_parallel<std::remove_cv_t<Options>> || ...) && !(is_fill<std::remove_cv_t<Options>> || ...),
                  "parallel(...) and pad_values(...) are for a batch: one image's rows are taken in one go, and its "
                  "numbers returned");
    const suppress_rules rules = suppress_rules_of(Labelled, threshold, options...);
    const std::size_t n = scores.size();
    if (boxes.size() != n) {
        return {status_code::field_mismatch, "there are {} boxes, but {} scores", boxes.size(), n};
    }
    scratch_memory memory(options...);
    if (status outcome = first_failure([&] { return check_box_rows(boxes); }, [&] { return check_rules(rules); },
                                       [&] { return check_row_number(n); },
                                       [&] { return memory.reserve(suppress_scratch::bytes_for(n, Labelled)); },
                                       [&] { return kept.try_resize(n); });
        !outcome.ok()) {
        return outcome;
    }
    const std::size_t m =
        suppress(boxes, scores, label_at, rules, memory.data(),
                 [numbers = kept.data()](std::size_t k, std::int32_t row) { numbers[k] = std::int64_t{row}; });
    return kept.try_resize(m);
}

} // namespace detail

/// The non-throwing form of `nms` on one image's rows: `boxes` `[n, 4]` and `scores` `[n]`, in containers or as rows.
/// A failure leaves `kept` with as many numbers as before or none. Allocates nothing if `kept` and a workspace have
/// been used for as many rows before.
template <detail::bound_values Boxes, detail::bound_values Scores, class... Options>
[[nodiscard]] status try_nms(row_numbers& kept, const Boxes& boxes, const Scores& scores, double iou_threshold,
                             Options&&... options) noexcept
{
    static_assert(std::is_same_v<typename Boxes::tag, t::boxes_t> && std::is_same_v<typename Scores::tag, t::scores_t>,
                  "the order is nms(t::boxes(boxes), t::scores(scores), threshold)");
    static_assert(detail::nms_options_known<false, Options...>());
    static_assert(detail::can_be_suppressed<false, detail::bound_rows<Boxes>, detail::bound_rows<Scores>, void>());
    if (status outcome = detail::first_failure([&] { return detail::check_rows<Boxes>(boxes.value, boxes.row); },
                                               [&] { return detail::check_rows<Scores>(scores.value, scores.row); });
        !outcome.ok()) {
        return outcome;
    }
    return detail::suppress_rows<false>(
        kept, detail::rows_of<Boxes>(boxes.value, boxes.row), detail::rows_of<Scores>(scores.value, scores.row),
        [](std::size_t) { return std::int64_t{0}; }, iou_threshold, options...);
}

/// The non-throwing form of `batched_nms` on one image's rows, with `labels` `[n]`, any integers.
template <detail::bound_values Boxes, detail::bound_values Scores, detail::bound_values Labels, class... Options>
[[nodiscard]] status try_batched_nms(row_numbers& kept, const Boxes& boxes, const Scores& scores, const Labels& labels,
                                     double iou_threshold, Options&&... options) noexcept
{
    static_assert(std::is_same_v<typename Boxes::tag, t::boxes_t> &&
                      std::is_same_v<typename Scores::tag, t::scores_t> &&
                      std::is_same_v<typename Labels::tag, t::labels_t>,
                  "the order is batched_nms(t::boxes(boxes), t::scores(scores), t::labels(labels), threshold)");
    static_assert(detail::nms_options_known<true, Options...>());
    static_assert(detail::can_be_suppressed<true, detail::bound_rows<Boxes>, detail::bound_rows<Scores>,
                                            detail::bound_rows<Labels>>());
    if (status outcome = detail::first_failure([&] { return detail::check_rows<Boxes>(boxes.value, boxes.row); },
                                               [&] { return detail::check_rows<Scores>(scores.value, scores.row); },
                                               [&] { return detail::check_rows<Labels>(labels.value, labels.row); });
        !outcome.ok()) {
        return outcome;
    }
    const auto label_rows = detail::rows_of<Labels>(labels.value, labels.row);
    const auto score_rows = detail::rows_of<Scores>(scores.value, scores.row);
    if (label_rows.size() != score_rows.size()) {
        return {status_code::field_mismatch, "there are {} labels, but {} scores", label_rows.size(),
                score_rows.size()};
    }
    return detail::suppress_rows<true>(
        kept, detail::rows_of<Boxes>(boxes.value, boxes.row), score_rows,
        [&](std::size_t j) { return detail::integer_at(label_rows, j); }, iou_threshold, options...);
}

/// The non-throwing forms on a whole batch, in place. A failure changes nothing.
template <detail::detection_batch Batch, class... Options>
[[nodiscard]] status try_nms(Batch&& batch, double iou_threshold, Options&&... options)
{
    static_assert(detail::nms_options_known<false, Options...>());
    if constexpr (detail::batch_can_be_suppressed<false, Batch>()) {
        return detail::keep_rows(
            batch, detail::suppress_choice<false>{detail::suppress_rules_of(false, iou_threshold, options...)},
            options...);
    }
}
template <detail::detection_batch Batch, class... Options>
[[nodiscard]] status try_batched_nms(Batch&& batch, double iou_threshold, Options&&... options)
{
    static_assert(detail::nms_options_known<true, Options...>());
    if constexpr (detail::batch_can_be_suppressed<true, Batch>()) {
        return detail::keep_rows(
            batch, detail::suppress_choice<true>{detail::suppress_rules_of(true, iou_threshold, options...)},
            options...);
    }
}

#if PADBATCH_EXCEPTIONS
/// Non-maximum suppression of one image's rows: returns the numbers of the rows that are kept, in the order of their
/// scores, as `torchvision.ops.nms` does. Options: `at_most(k)`, a workspace. Throws `error` if the fields have
/// different numbers of rows, or the threshold is not from 0 to 1.
template <detail::bound_values Boxes, detail::bound_values Scores, class... Options>
[[nodiscard]] row_numbers nms(const Boxes& boxes, const Scores& scores, double iou_threshold, Options&&... options)
{
    row_numbers kept;
    detail::require(try_nms(kept, boxes, scores, iou_threshold, options...));
    return kept;
}
/// The same into `kept`, which keeps its memory.
template <detail::bound_values Boxes, detail::bound_values Scores, class... Options>
void nms(row_numbers& kept, const Boxes& boxes, const Scores& scores, double iou_threshold, Options&&... options)
{
    detail::require(try_nms(kept, boxes, scores, iou_threshold, options...));
}

/// Suppression of each image of a batch, in place: what is kept stands at the front of its image, in the order of the
/// scores, in all fields. A padded owner's rows behind it get the owner's pad values, a view's zeros or those of
/// `pad_values(...)`; a ragged batch closes up. Options besides: `parallel(loop)`.
template <detail::detection_batch Batch, class... Options>
void nms(Batch&& batch, double iou_threshold, Options&&... options)
{
    detail::require(try_nms(static_cast<Batch&&>(batch), iou_threshold, options...));
}

/// `nms` within each class: boxes of different labels do not suppress one another. Returns the rows that
/// `_batched_nms_vanilla` in torchvision/ops/boxes.py keeps, in the order of their scores; with `class_shift`, what its
/// other form keeps.
template <detail::bound_values Boxes, detail::bound_values Scores, detail::bound_values Labels, class... Options>
[[nodiscard]] row_numbers batched_nms(const Boxes& boxes, const Scores& scores, const Labels& labels,
                                      double iou_threshold, Options&&... options)
{
    row_numbers kept;
    detail::require(try_batched_nms(kept, boxes, scores, labels, iou_threshold, options...));
    return kept;
}
template <detail::bound_values Boxes, detail::bound_values Scores, detail::bound_values Labels, class... Options>
void batched_nms(row_numbers& kept, const Boxes& boxes, const Scores& scores, const Labels& labels,
                 double iou_threshold, Options&&... options)
{
    detail::require(try_batched_nms(kept, boxes, scores, labels, iou_threshold, options...));
}

/// The same on a batch, in place.
template <detail::detection_batch Batch, class... Options>
void batched_nms(Batch&& batch, double iou_threshold, Options&&... options)
{
    detail::require(try_batched_nms(static_cast<Batch&&>(batch), iou_threshold, options...));
}
#endif

} // namespace padbatch::inline PADBATCH_ABI

#endif
