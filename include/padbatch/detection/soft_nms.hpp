// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_DETECTION_SOFT_NMS_HPP
#define PADBATCH_DETECTION_SOFT_NMS_HPP

#include <padbatch/detail/first_failure.hpp>
#include <padbatch/detection/at_most.hpp>
#include <padbatch/detection/detail/decay_scores.hpp>
#include <padbatch/detection/detail/keep_rows.hpp>
#include <padbatch/detection/detail/score_order.hpp>
#include <padbatch/detection/row_numbers.hpp>
#include <padbatch/fields.hpp>
#include <padbatch/rows_of.hpp>

#include <cstddef>
#include <cstdint>
#include <type_traits>

/// Soft non-maximum suppression: boxes that overlap one with a higher score are not dropped, but lose a part of their
/// score. Of the rows that are left, the one with the highest score (the earliest of equal ones) is taken again and
/// again; then the scores of all others that are left decay by their IoU with it:
///
/// - linear: score * (1 - iou) if the IoU is over the threshold,
/// - Gaussian: score * exp(-iou * iou / sigma).
///
/// Rows whose score is below a floor are dropped, before the first row is taken and after each; so is NaN. The formulas
/// are those of Bodla, Singh, Chellappa and Davis, "Soft-NMS" (2017), section 3, and of `soft_nms` in their
/// lib/nms/cpu_nms.pyx, which adds 1 to widths and heights; here these are x2 - x1, as in `nms`.
///
/// The IoU is that of `nms`, a float: inter / (area + area - inter). `1 - iou` and the products are floats, in the
/// order in which rows are taken. The threshold is a double. The exponential is computed in double, within 1e-11 of its
/// value, and rounded to float: the same as a double `exp` rounded to float, but where that lies within 1e-11 of the
/// middle of two floats. An IoU that is no number decays nothing.
///
/// Boxes are x1, y1, x2, y2; boxes and scores are float. Costs O(n * kept); rows that overlap nothing cost a fraction
/// of a nanosecond for each row that is taken.
namespace padbatch::inline PADBATCH_ABI {

/// Scores decay by 1 - IoU where the IoU is over a threshold, from 0 to 1.
class soft_nms_linear {
public:
    constexpr explicit soft_nms_linear(double iou_threshold) noexcept : m_iou_threshold(iou_threshold) {}

    [[nodiscard]] constexpr double iou_threshold() const noexcept { return m_iou_threshold; }

private:
    double m_iou_threshold;
};

/// Scores decay by exp(-IoU^2 / sigma), whatever the IoU; sigma is finite and at least 1e-30. The authors use 0.5.
class soft_nms_gaussian {
public:
    constexpr explicit soft_nms_gaussian(double sigma) noexcept : m_sigma(sigma) {}

    [[nodiscard]] constexpr double sigma() const noexcept { return m_sigma; }

private:
    double m_sigma;
};

namespace detail {

template <class Rule>
concept decay_rule = std::is_same_v<Rule, soft_nms_linear> || std::is_same_v<Rule, soft_nms_gaussian>;

template <bool IsBatch, class... Options>
consteval bool soft_nms_options_known() noexcept
{
    static_assert(((is_at_most<Options> || is_batch_option<Options> || is_fill<std::remove_cvref_t<Options>>) && ...),
                  "an option of soft_nms is one of at_most(...), a workspace and, for a batch, parallel(...) and "
                  "pad_values(...)");
    static_assert(IsBatch ||
                      !((is_parallel<std::remove_cvref_t<Options>> || is_fill<std::remove_cvref_t<Options>>) || ...),
                  "parallel(...) and pad_values(...) are for a batch: one image's rows are taken in one go, and their "
                  "numbers returned");
    return batch_options_fit<Options...>();
}

/// A compile error, with the reason, unless the fields are as soft suppression needs them.
template <class Boxes, class Scores>
consteval bool scores_can_decay() noexcept
{
    constexpr bool has_both = !std::is_void_v<Boxes> && !std::is_void_v<Scores>;
    static_assert(has_both, "soft_nms needs a batch with t::boxes and t::scores");
    if constexpr (has_both) {
        static_assert(std::is_same_v<typename Boxes::value_type, float> &&
                          std::is_same_v<typename Scores::value_type, float>,
                      "soft_nms takes float boxes and float scores");
        static_assert(are_box_extents<typename Boxes::extents_type>, "a box is 4 numbers, x1, y1, x2, y2");
        static_assert(Scores::extents_type::rank == 0, "a score is one number");
    }
    return true;
}

template <class Rule, class... Options>
[[nodiscard]] decay_rules decay_rules_of(const Rule& rule, float score_floor, const Options&... options) noexcept
{
    decay_rules rules;
    rules.floor = score_floor;
    if constexpr (std::is_same_v<Rule, soft_nms_gaussian>) {
        rules.gaussian = true;
        rules.sigma = rule.sigma();
    } else {
        rules.threshold = rule.iou_threshold();
    }
    rules.most = rows_at_most(options...);
    return rules;
}

[[nodiscard]] inline status check_rules(const decay_rules& rules) noexcept
{
    if (!(rules.threshold >= 0 && rules.threshold <= 1)) {
        return {status_code::bad_argument,
                "the IoU threshold is {}; expected a number from 0 to 1: boxes that overlap by more lose a part of "
                "their score",
                rules.threshold};
    }
    if (!(rules.sigma >= 1e-30 && __builtin_isfinite(rules.sigma))) {
        return {status_code::bad_argument, "sigma is {}; expected a finite number of at least 1e-30, such as 0.5",
                rules.sigma};
    }
    if (!(rules.floor >= 0 && __builtin_isfinite(rules.floor))) {
        return {status_code::bad_argument,
                "the floor of the scores is {}; expected a finite number from 0 on: rows with lower scores are dropped",
                static_cast<double>(rules.floor)};
    }
    return {};
}

/// Which rows of an image of a batch are kept; sets their scores.
struct decay_choice {
    static constexpr bool ascending = false;
    decay_rules rules;

    template <class Batch>
    [[nodiscard]] status check(const Batch& batch) const noexcept
    {
        return first_failure([&] { return check_rules(rules); }, [&] { return check_batch_boxes(batch); });
    }
    [[nodiscard]] std::size_t scratch_bytes(std::size_t n) const noexcept
    {
        return decaying_rows::bytes_for(n) + n * sizeof(float);
    }
    template <class Image>
    [[nodiscard]] std::size_t operator()(const Image& image, std::size_t /*i*/, std::int32_t* kept,
                                         std::byte* scratch) const noexcept
    {
        auto* const left = reinterpret_cast<float*>(scratch + decaying_rows::bytes_for(image.size()));
        const auto scores = image[t::scores];
        const std::size_t m = decay_scores(image[t::boxes], scores, rules, scratch, kept, left);
        for (std::size_t j = 0; j < m; ++j) {
            scores[static_cast<std::size_t>(kept[j])] = left[j];
        }
        return m;
    }
};

} // namespace detail

/// The non-throwing form of `soft_nms` on one image's rows. A failure writes nothing to `left`, and leaves `kept` with
/// as many numbers as before or none. Allocates nothing if `kept` and a workspace have been used for as many rows
/// before.
template <detail::bound_values Left, detail::bound_values Boxes, detail::bound_values Scores, detail::decay_rule Rule,
          class... Options>
[[nodiscard]] status try_soft_nms(row_numbers& kept, const Left& left, const Boxes& boxes, const Scores& scores,
                                  const Rule& rule, float score_floor, Options&&... options) noexcept
{
    static_assert(std::is_same_v<typename Left::tag, t::scores_t> && std::is_same_v<typename Boxes::tag, t::boxes_t> &&
                      std::is_same_v<typename Scores::tag, t::scores_t>,
                  "the order is soft_nms(kept, t::scores(left), t::boxes(boxes), t::scores(scores), rule, floor)");
    using left_rows = detail::bound_rows<Left>;
    static_assert(
        requires(const left_rows& rows) { rows.flat(); } && std::is_same_v<typename left_rows::element_type, float>,
        "the scores that are left are written to contiguous floats, such as a vector");
    static_assert(detail::soft_nms_options_known<false, Options...>());
    static_assert(detail::scores_can_decay<detail::bound_rows<Boxes>, detail::bound_rows<Scores>>());
    const detail::decay_choice choice{detail::decay_rules_of(rule, score_floor, options...)};
    if (status outcome = detail::first_failure([&] { return detail::check_rows<Left>(left.value, left.row); },
                                               [&] { return detail::check_rows<Boxes>(boxes.value, boxes.row); },
                                               [&] { return detail::check_rows<Scores>(scores.value, scores.row); });
        !outcome.ok()) {
        return outcome;
    }
    const auto box_rows = detail::rows_of<Boxes>(boxes.value, boxes.row);
    const auto score_rows = detail::rows_of<Scores>(scores.value, scores.row);
    const auto to = detail::rows_of<Left>(left.value, left.row);
    const std::size_t n = score_rows.size();
    if (box_rows.size() != n) {
        return {status_code::field_mismatch, "there are {} boxes, but {} scores", box_rows.size(), n};
    }
    if (status outcome = detail::check_box_rows(box_rows); !outcome.ok()) {
        return outcome;
    }
    if (to.size() < n) {
        return {status_code::size_mismatch,
                "there is room for {} of the scores that are left, but there are {} rows, all of which may be kept",
                to.size(), n};
    }
    detail::scratch_memory memory(options...);
    const std::size_t own = detail::decaying_rows::bytes_for(n);
    if (status outcome = detail::first_failure(
            [&] { return detail::check_rules(choice.rules); }, [&] { return detail::check_row_number(n); },
            [&] { return memory.reserve(own + n * sizeof(std::int32_t)); }, [&] { return kept.try_resize(n); });
        !outcome.ok()) {
        return outcome;
    }
    auto* const rows = reinterpret_cast<std::int32_t*>(memory.data() + own);
    const std::size_t m = detail::decay_scores(box_rows, score_rows, choice.rules, memory.data(), rows, to.data());
    for (std::size_t j = 0; j < m; ++j) {
        kept[j] = rows[j];
    }
    return kept.try_resize(m);
}

/// The non-throwing form on a whole batch, in place. A failure changes nothing.
template <detail::detection_batch Batch, detail::decay_rule Rule, class... Options>
[[nodiscard]] status try_soft_nms(Batch&& batch, const Rule& rule, float score_floor, Options&&... options)
{
    static_assert(detail::soft_nms_options_known<true, Options...>());
    using fields = typename std::remove_cvref_t<Batch>::fields;
    if constexpr (detail::scores_can_decay<detail::field_of<t::boxes_t, fields>,
                                           detail::field_of<t::scores_t, fields>>() &&
                  detail::rows_can_be_dropped<Batch>()) {
        return detail::keep_rows(batch, detail::decay_choice{detail::decay_rules_of(rule, score_floor, options...)},
                                 options...);
    }
}

#if PADBATCH_EXCEPTIONS
/// Soft suppression of one image's rows, `boxes` `[n, 4]` and `scores` `[n]`, in containers or as rows. Writes the
/// numbers of the rows that are kept to `kept`, in the order in which they are taken, and what is left of their scores
/// to the first values of `left`, which has room for n; it may be the memory of the scores.
///
///     soft_nms(kept, t::scores(left), t::boxes(boxes), t::scores(scores), soft_nms_gaussian(0.5), 0.001F);
///
/// Options: `at_most(k)`, a workspace. Throws `error` if the fields have different numbers of rows, or if the threshold
/// is not from 0 to 1, sigma not positive, the floor negative or not finite.
template <detail::bound_values Left, detail::bound_values Boxes, detail::bound_values Scores, detail::decay_rule Rule,
          class... Options>
void soft_nms(row_numbers& kept, const Left& left, const Boxes& boxes, const Scores& scores, const Rule& rule,
              float score_floor, Options&&... options)
{
    detail::require(try_soft_nms(kept, left, boxes, scores, rule, score_floor, options...));
}

/// Soft suppression of each image of a batch, in place: what is kept stands at the front of its image, in the order in
/// which rows are taken, in all fields, with what is left of the scores. A padded owner's rows behind it get the
/// owner's pad values, a view's zeros or those of `pad_values(...)`; a ragged batch closes up. Options besides:
/// `parallel(loop)`.
template <detail::detection_batch Batch, detail::decay_rule Rule, class... Options>
void soft_nms(Batch&& batch, const Rule& rule, float score_floor, Options&&... options)
{
    detail::require(try_soft_nms(static_cast<Batch&&>(batch), rule, score_floor, options...));
}
#endif

} // namespace padbatch::inline PADBATCH_ABI

#endif
