// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_DETECTION_DECODE_HPP
#define PADBATCH_DETECTION_DECODE_HPP

#include <padbatch/detection/detail/each_image.hpp>
#include <padbatch/detection/detail/head_image.hpp>
#include <padbatch/detection/detail/head_results.hpp>
#include <padbatch/detection/detail/head_tensors.hpp>
#include <padbatch/detection/heads.hpp>
#include <padbatch/detection/parallel.hpp>
#include <padbatch/pad.hpp>
#include <padbatch/pad_options.hpp>
#include <padbatch/padded.hpp>
#include <padbatch/padded_view.hpp>
#include <padbatch/ragged.hpp>

#include <cstddef>
#include <tuple>
#include <type_traits>

/// Detections from a raw head: what a YOLO or DETR that was exported without its post-processing leaves to the program
/// that runs it.
///
///     padded<boxes<>, scores<>, labels<>> found(8, 300);
///     auto head = heads::yolov8(80);
///     head.selection.score_above = 0.4F;
///     decode_head(found, head, tensor_ref(numbers, shape), space);
///
/// The result is bit for bit that of the graph that `onnx-pad-outputs --from raw` writes (docs/raw-heads.md), on which
/// the tests hold it. All numbers are float32 from the first step on:
///
/// 1. A score is the class's number, its sigmoid or softmax, times the objectness if there is one. The candidate of an
///    anchor is its best class, the first of equal ones; with `every_class` each class is one.
/// 2. Candidates have a score above `score_above`, and a label that `only` or `without` leaves. NaN is no score. The
/// best
///    30000 go on, or, without suppression, `at_most`; of equal scores the lower anchor (and class) comes first.
/// 3. Their boxes become x1, y1, x2, y2 in pixels: centers minus and plus half the size; from a grid, (xy + cell) x
/// stride
///    and exp(wh) x stride before that; fractions times the image's size after that. No other box is decoded.
/// 4. From the highest score on, a candidate is dropped if its intersection over union with a kept one, in float, is
/// above
///    `iou_above`. Classes are kept apart by adding label x 7680 to all coordinates, or as `suppression` says. Any two
///    opposite corners make a box. A box with a NaN overlaps nothing, and is kept.
/// 5. The best `at_most` are left, the best first.
///
/// (Where a sigmoid, a softmax or the grid's exp is computed here, it is the C library's, and engines have their own:
/// scores then differ in the last bits.)
namespace padbatch::inline PADBATCH_ABI {

namespace detail {

template <class Option>
inline constexpr bool is_decode_option =
    is_parallel<Option> ||
    (is_pad_option<Option> && (!is_overflow<Option> || std::is_same_v<Option, overflow::error_t> ||
                               std::is_same_v<Option, overflow::truncate_t>));

template <class... Options>
consteval bool decode_options_known() noexcept
{
    static_assert((is_decode_option<std::remove_cvref_t<Options>> && ...),
                  "an option of decode_head is one of overflow::error, overflow::truncate, capacity::..., "
                  "pad_values(...), padding::reuse, parallel(...), a workspace; what is selected is said in "
                  "head.selection");
    return batch_options_fit<Options...>();
}

/// Decodes, and gives the detections of all images to `use`, as a padded view of scratch memory.
template <class List, class Use, class... Options>
[[nodiscard]] status decode_and(const detector_head& head, const head_output& output, const Use& use,
                                Options&... options)
{
    head_plan plan;
    if (status outcome = plan.make(head, output); !outcome.ok()) {
        return outcome;
    }
    workspace* const space = find_option<workspace>(options...);
    buffer<std::byte> own;
    head_results<List> results(head, plan, has_parallel<Options...>);
    if (status outcome = results.prepare(space == nullptr ? own : pad_access::scratch(*space)); !outcome.ok()) {
        return outcome;
    }
    const auto body = [&results](std::size_t i) noexcept { results.decode_image(i); };
    for_each_image(plan.images, body, options...);
    return use(results.view());
}

template <class Option>
[[nodiscard]] auto unless_parallel(Option& option) noexcept
{
    if constexpr (is_parallel<std::remove_cv_t<Option>>) {
        return std::tuple<>();
    } else {
        return std::tuple<Option&>(option);
    }
}

/// The same into a padded batch. (Nothing in the workspace that the rows are in is written when they are padded: that
/// is for choosing rows by score.)
template <class... Fields, class Output, class... Options>
[[nodiscard]] status decode_padded(field_list<Fields...> /*fields*/, Output& found, const detector_head& head,
                                   const head_output& output, Options&... options)
{
    static_assert(decode_options_known<Options&...>());
    const auto pad_rows = [&](const auto& rows) {
        return std::apply(
            [&](auto&... own) {
                if constexpr ((is_overflow<std::remove_cvref_t<Options>> || ...)) {
                    return try_pad_into(found, rows, own...);
                } else {
                    return try_pad_into(found, rows, overflow::truncate, own...);
                }
            },
            std::tuple_cat(unless_parallel(options)...));
    };
    return decode_and<field_list<Fields...>>(head, output, pad_rows, options...);
}

} // namespace detail

/// The non-throwing form of `decode_head`. A failure writes nothing. Sets a `pad_result` that is among the options.
template <class... Fields, class... Options>
[[nodiscard]] status try_decode_head(const padded_view<Fields...>& found, const detector_head& head,
                                     const head_output& output, Options&&... options)
{
    static_assert(padded_view<Fields...>::is_writable, "the output is const");
    return detail::decode_padded(detail::field_list<Fields...>{}, found, head, output, options...);
}

/// The same into an owner, which takes the batch's size and grows if it must.
template <class... Fields, class... Options>
[[nodiscard]] status try_decode_head(padded<Fields...>& found, const detector_head& head, const head_output& output,
                                     Options&&... options)
{
    return detail::decode_padded(detail::field_list<Fields...>{}, found, head, output, options...);
}

/// The same into a ragged batch, in the place of what it holds. Options: a workspace, `parallel(...)`.
template <class... Fields, class... Options>
[[nodiscard]] status try_decode_head(ragged<Fields...>& found, const detector_head& head, const head_output& output,
                                     Options&&... options)
{
    static_assert(
        (detail::is_batch_option<Options> && ...),
        "an option of decode_head into a ragged batch is a workspace or parallel(...): it has no padding and no "
        "capacity");
    return detail::decode_and<detail::field_list<Fields...>>(
        head, output, [&](const auto& rows) { return detail::ragged_access::append(found, rows, true); }, options...);
}

#if PADBATCH_EXCEPTIONS
/// Selects the detections of a batch, from what a model gave for a raw head.
///
/// `output` is a tensor, or the boxes and the scores of a head that has two: `decode_head(found, head, {boxes,
/// scores})`. `found` is a padded owner or view, or a ragged owner, with any of the fields boxes (float), scores
/// (float), labels (integers or float), mask_coefficients `[P]` (float) and keypoints `[K, 3]` (float; visibility 1
/// where the head has none). Rows beyond the capacity of a padded one are dropped, the best stay, unless
/// `overflow::error` is among the options. Other options are those of `pad_into`, and `parallel(...)`. Detections of
/// one image without a batch: a padded view of B = 1.
///
/// Reads each score once (each objectness, where there is one), decodes few boxes, and allocates nothing if a
/// `workspace` that has been used before is among the options: it needs 16 bytes for each anchor (or each pair of
/// anchor and class, with `every_class`), and some 70 for each detection that an image can have; with `parallel` so
/// many for each image.
///
/// Throws `error`, having written nothing, if the tensor is not such a head, if a number of `head` is out of range, or
/// as `pad_into` does.
template <class... Fields, class... Options>
pad_result decode_head(const padded_view<Fields...>& found, const detector_head& head, const head_output& output,
                       Options&&... options)
{
    pad_result result;
    detail::require(try_decode_head(found, head, output, options..., result));
    return result;
}
template <class... Fields, class... Options>
pad_result decode_head(padded<Fields...>& found, const detector_head& head, const head_output& output,
                       Options&&... options)
{
    pad_result result;
    detail::require(try_decode_head(found, head, output, options..., result));
    return result;
}
template <class... Fields, class... Options>
void decode_head(ragged<Fields...>& found, const detector_head& head, const head_output& output, Options&&... options)
{
    detail::require(try_decode_head(found, head, output, options...));
}
#endif

} // namespace padbatch::inline PADBATCH_ABI

#endif
