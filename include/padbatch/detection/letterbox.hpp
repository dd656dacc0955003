// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_DETECTION_LETTERBOX_HPP
#define PADBATCH_DETECTION_LETTERBOX_HPP

#include <padbatch/detection/detail/box_step.hpp>
#include <padbatch/detection/detail/box_target.hpp>
#include <padbatch/detection/detail/per_image.hpp>
#include <padbatch/detection/image_size.hpp>
#include <padbatch/error.hpp>

#include <cstddef>

/// Letterboxes: an image is resized by one ratio until it fits into the size that a model takes, and the rest is
/// padding on both sides. Sizes and boxes are those of Ultralytics (ultralytics/data/augment.py, `LetterBox`, and
/// ultralytics/utils/ops.py, `scale_boxes`) to the last bit.
namespace padbatch::inline PADBATCH_ABI {

/// How an image is fitted. Names and defaults are those of Ultralytics' `LetterBox`.
struct letterbox_options {
    /// Whether smaller images are enlarged; otherwise they are only padded.
    bool scaleup = true;
    /// Ultralytics' `auto`, as its predictor uses for PyTorch models: pads only to the next multiple of `stride`, so
    /// that the result may be smaller than the target.
    bool auto_pad = false;
    /// At least 1; for `auto_pad` alone.
    std::size_t stride = 32;
    /// Boxes are scaled by the ratio of each side after rounding to whole pixels, in place of the one ratio of both:
    /// what `scale_boxes` of Ultralytics 8.4.190 does when it is given no `ratio_pad`. 8.4.100 used the one
    /// ratio, as all versions do with a `ratio_pad`. The two differ by at most half a pixel at the far border of the
    /// resized image.
    bool side_ratios = false;
};

/// How one image was fitted into the size that a model takes.
///
/// With r = min(target height / height, target width / width) in double, at most 1 without `scaleup`, the image is
/// resized to round(height * r) x round(width * r), halves to even, at least 1 x 1. What is left of the target, or with
/// `auto_pad` its remainder by `stride`, is divided: d / 2 pixels, round(d / 2 - 0.1) of them left or above and round(d
/// / 2 + 0.1) right or below.
class letterbox {
public:
    /// That of no image; operations refuse it. To be assigned to.
    letterbox() noexcept = default;

    /// Checks that sides are from 1 to 2^31 - 1 pixels and the stride is at least 1.
    [[nodiscard]] static status check(const image_size& source, const image_size& target,
                                      const letterbox_options& options = {}) noexcept
    {
        if (status outcome = detail::check_image_size(source, 1, "the image"); !outcome.ok()) {
            return outcome;
        }
        if (status outcome = detail::check_image_size(target, 1, "the letterbox"); !outcome.ok()) {
            return outcome;
        }
        if (options.stride == 0 || options.stride > detail::most_pixels) {
            return {status_code::bad_argument, "the stride is {}; expected 1 to {}", options.stride,
                    detail::most_pixels};
        }
        return {};
    }

    /// For arguments that `check` accepts.
    letterbox(unchecked_t, const image_size& source, const image_size& target,
              const letterbox_options& options = {}) noexcept
        : m_source(source)
    {
        const double vertical = ratio(target.height, source.height);
        const double horizontal = ratio(target.width, source.width);
        double r = vertical < horizontal ? vertical : horizontal;
        r = !options.scaleup && r > 1 ? 1 : r;
        m_resized = {resized_side(source.height, r), resized_side(source.width, r)};
        const auto split = [&](std::size_t whole, std::size_t used, std::size_t& before, std::size_t& after) {
            std::size_t rest = whole - used;
            rest = options.auto_pad ? rest % options.stride : rest;
            before = rest / 2; // round(rest / 2 - 0.1)
            after = rest - before;
        };
        split(target.height, m_resized.height, m_top, m_bottom);
        split(target.width, m_resized.width, m_left, m_right);
        m_gain_x = options.side_ratios ? ratio(m_resized.width, source.width) : r;
        m_gain_y = options.side_ratios ? ratio(m_resized.height, source.height) : r;
    }

#if PADBATCH_EXCEPTIONS
    /// Throws `error` if `check` fails.
    letterbox(const image_size& source, const image_size& target, const letterbox_options& options = {})
        : letterbox((detail::require(check(source, target, options)), unchecked), source, target, options)
    {
    }
#endif

    /// The image as it was.
    [[nodiscard]] const image_size& source() const noexcept { return m_source; }
    /// The image after it was resized, without padding.
    [[nodiscard]] const image_size& resized() const noexcept { return m_resized; }
    /// The whole letterbox: the target, or a smaller one with `auto_pad`.
    [[nodiscard]] image_size size() const noexcept
    {
        return {m_top + m_resized.height + m_bottom, m_left + m_resized.width + m_right};
    }
    /// Pixels of padding.
    [[nodiscard]] std::size_t left() const noexcept { return m_left; }
    [[nodiscard]] std::size_t top() const noexcept { return m_top; }
    [[nodiscard]] std::size_t right() const noexcept { return m_right; }
    [[nodiscard]] std::size_t bottom() const noexcept { return m_bottom; }
    /// What coordinates are multiplied by; the same number twice unless `side_ratios` is set.
    [[nodiscard]] double gain_x() const noexcept { return m_gain_x; }
    [[nodiscard]] double gain_y() const noexcept { return m_gain_y; }

private:
    image_size m_source;
    image_size m_resized;
    std::size_t m_left = 0;
    std::size_t m_top = 0;
    std::size_t m_right = 0;
    std::size_t m_bottom = 0;
    double m_gain_x = 1;
    double m_gain_y = 1;

    [[nodiscard]] static double ratio(std::size_t now, std::size_t before) noexcept
    {
        return static_cast<double>(now) / static_cast<double>(before);
    }
    /// round(side * r) as Python rounds, at least 1.
    [[nodiscard]] static std::size_t resized_side(std::size_t side, double r) noexcept
    {
        const double exact = detail::rounded(static_cast<double>(side) * r);
        auto whole = static_cast<std::size_t>(exact);
        const double rest = exact - static_cast<double>(whole);
        whole += rest > 0.5 || (rest == 0.5 && whole % 2 == 1) ? 1 : 0;
        return whole == 0 ? 1 : whole;
    }
};

namespace detail {

using letterboxes = per_image<letterbox>;

[[nodiscard]] inline status check_letterboxes(const letterboxes& boxes, std::size_t images) noexcept
{
    return boxes.check(images, "letterboxes", [](const letterbox& lb) {
        return check_image_size(lb.source(), 1, "the image of a letterbox");
    });
}

[[nodiscard]] inline box_step letterbox_step(const letterbox& lb, box_step::kind work) noexcept
{
    box_step step;
    step.work = work;
    step.scale = twice(static_cast<float>(lb.gain_x()), static_cast<float>(lb.gain_y()));
    step.shift = twice(static_cast<float>(lb.left()), static_cast<float>(lb.top()));
    step.limit = size_vector(lb.source());
    return step;
}

} // namespace detail

/// The non-throwing form of `letterbox_boxes`.
template <detail::box_target Target, class... Options>
[[nodiscard]] status try_letterbox_boxes(Target&& boxes, const detail::per_image<letterbox>& lb, Options&&... options)
{
    if (status outcome = detail::check_letterboxes(lb, detail::images_of(boxes)); !outcome.ok()) {
        return outcome;
    }
    const auto step_of = [&](std::size_t i) noexcept {
        return detail::letterbox_step(lb[i], detail::box_step::kind::multiply_add);
    };
    return detail::change_boxes(static_cast<Target&&>(boxes), step_of, static_cast<Options&&>(options)...);
}

/// The non-throwing form of `unletterbox_boxes`.
template <detail::box_target Target, class... Options>
[[nodiscard]] status try_unletterbox_boxes(Target&& boxes, const detail::per_image<letterbox>& lb, Options&&... options)
{
    if (status outcome = detail::check_letterboxes(lb, detail::images_of(boxes)); !outcome.ok()) {
        return outcome;
    }
    const auto step_of = [&](std::size_t i) noexcept {
        return detail::letterbox_step(lb[i], detail::box_step::kind::subtract_divide_clamp);
    };
    return detail::change_boxes(static_cast<Target&&>(boxes), step_of, static_cast<Options&&>(options)...);
}

#if PADBATCH_EXCEPTIONS
/// Corners in the image to corners in the letterbox, in place: x * gain_x + left, y * gain_y + top, as Ultralytics does
/// with the labels of its training data. `boxes` is rows of one image, `t::boxes(x)`, or a batch; `lb` one letterbox
/// for all images or, for a batch, a contiguous container of one for each. Rows, batches and options are as for
/// `clip_boxes`.
template <detail::box_target Target, class... Options>
void letterbox_boxes(Target&& boxes, const detail::per_image<letterbox>& lb, Options&&... options)
{
    detail::require(try_letterbox_boxes(static_cast<Target&&>(boxes), lb, static_cast<Options&&>(options)...));
}

/// Corners that a model found in the letterbox to corners in the image, in place: (x - left) / gain_x, clipped to [0,
/// width], and the same for y, as `scale_boxes` in ultralytics/utils/ops.py. NaN stays NaN.
template <detail::box_target Target, class... Options>
void unletterbox_boxes(Target&& boxes, const detail::per_image<letterbox>& lb, Options&&... options)
{
    detail::require(try_unletterbox_boxes(static_cast<Target&&>(boxes), lb, static_cast<Options&&>(options)...));
}
#endif

} // namespace padbatch::inline PADBATCH_ABI

#endif
