// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_DETECTION_PROTOTYPES_HPP
#define PADBATCH_DETECTION_PROTOTYPES_HPP

#include <padbatch/detail/copy_row.hpp>
#include <padbatch/detection/detail/made_rows.hpp>
#include <padbatch/detection/detail/prototype_mask.hpp>
#include <padbatch/fields.hpp>

#include <cstddef>
#include <cstdint>
#include <type_traits>

/// Full-size masks of a YOLO segmentation model, which gives each image P prototypes `[P, h, w]`, and each detection P
/// coefficients. A detection's mask is the sum of the prototypes, each times its coefficient; it is resized to the
/// image (bilinear, `align_corners=False`) and cut to the detection's box; a pixel belongs to the object if the sum is
/// above 0.
///
/// There are two orders, which differ at the borders of boxes; both are those of ultralytics/utils/ops.py, version
/// 8.3.0:
///
/// - `prototype_masks`, as `process_mask(..., upsample=True)`: cut to the box among the cells of the prototypes, then
///   resized. `[H, W]` is the size of the model's input, in whose pixels boxes are. Boxes are scaled by float32(w / W)
///   and float32(h / H).
/// - `prototype_masks_native`, as `process_mask_native`: resized, then cut to the box among the pixels. `[H, W]` is the
///   size of the original image, in whose pixels boxes are; the border that letterboxing added to it is left out of the
///   prototypes (`scale_masks`: of h, w cells, the padding is cut to whole cells, toward zero).
///
/// (Version 8.4.190 resizes before it cuts in `process_mask` too: that is `prototype_masks_native` with the size of the
/// model's input. Its `process_mask_native` rounds the letterbox in another way, and resizes twice.)
///
/// Cells and pixels inside are those with x1 <= x < x2 and y1 <= y < y2; a box that ends before it begins, or has a
/// NaN, gives an empty mask. Sums are floats, added in the order of the prototypes; products may be fused with sums
/// where the compiler is told to (-march=native), so sums can differ from PyTorch's in the last bits. What is outside
/// is 0 even where a prototype is NaN or infinite; inside, a NaN is not above 0.
namespace padbatch::inline PADBATCH_ABI {

namespace t {

/// The prototypes of an image's masks, `[P, h, w]`: one row for each image.
struct prototypes_t : tag<prototypes_t, dynamic, dynamic, dynamic> {
    static constexpr char name[] = "prototypes";
};
inline constexpr prototypes_t prototypes{};

} // namespace t

namespace detail {

/// Which of the two orders.
enum class prototype_order : unsigned char {
    cut_first,
    resize_first,
};

template <prototype_order Order, class T, class Planes>
struct prototype_operation {
    static_assert(is_full_mask_element<T>, "full masks are std::uint8_t or bool, or float for the sums themselves");
    static_assert(Planes::extents_type::rank == 3 && std::is_same_v<typename Planes::value_type, float>,
                  "prototypes are float, with rows of [P, h, w], one for each image");

    const Planes& planes; // a row for each image

    template <class Option>
    static constexpr bool takes = false;

    [[nodiscard]] static status check() noexcept { return {}; }
    [[nodiscard]] bool overlaps(const void* first, const void* last) const noexcept
    {
        return rows_overlap(planes, first, last);
    }

    template <class Batch, class E>
    [[nodiscard]] status check_batch(const Batch& batch, E& row) const noexcept
    {
        static_assert(!std::is_void_v<field_of<t::boxes_t, typename Batch::fields>> &&
                          !std::is_void_v<field_of<t::mask_coefficients_t, typename Batch::fields>>,
                      "masks are made from t::boxes and t::mask_coefficients: the batch needs both");
        using boxes = decltype(batch.image(0)[t::boxes]);
        using coefficients = decltype(batch.image(0)[t::mask_coefficients]);
        static_assert(std::is_same_v<typename boxes::value_type, float> &&
                          std::is_same_v<typename coefficients::value_type, float>,
                      "boxes and coefficients must be float, as the model returns them");
        static_assert(boxes::extents_type::rank == 1 && may_be_same<typename boxes::extents_type, row_extents<4>>(),
                      "a box is 4 numbers, x1, y1, x2, y2");
        static_assert(coefficients::extents_type::rank == 1, "coefficients are rows of [P]");
        static_assert(E::rank == 2 || E::rank == 3, "masks must have rows of [1, H, W] or [H, W]");
        if (planes.size() != batch.size()) {
            return {status_code::batch_mismatch, "there are prototypes of {} images, but detections of {}",
                    planes.size(), static_cast<std::size_t>(batch.size())};
        }
        const auto fits = [](std::size_t size) { return size > 0 && size <= most_cells; };
        if (channels_in(row) != 1 || !fits(height_in(row)) || !fits(width_in(row))) {
            return {status_code::row_mismatch,
                    "the full masks have rows of {}; expected [1, H, W], the size of the image, from 1 to {}: give it "
                    "with the memory, or to the owner as t::masks.shape(1, H, W)",
                    row.to_array(), most_cells};
        }
        const auto all = planes.extents();
        if (planes.size() != 0 && !(fits(all.extent(1)) && fits(all.extent(2)))) {
            return {status_code::row_mismatch,
                    "the prototypes have rows of {}; expected [P, h, w], h and w from 1 to {}", all.to_array(),
                    most_cells};
        }
        if (planes.size() != 0) {
            const prototype_planes window = window_of(0, height_in(row), width_in(row));
            if (window.rows == 0 || window.columns == 0) {
                return {status_code::bad_argument,
                        "an image of {} x {} pixels covers less than one cell of prototypes of {}, letterboxed",
                        height_in(row), width_in(row), all.to_array()};
            }
        }
        return {};
    }

    template <class Image, class E>
    [[nodiscard]] status check_image(const Image& image, std::size_t i, const E& /*row*/) const noexcept
    {
        if (image[t::boxes].row_size() != 4) {
            return {status_code::row_mismatch, "image {} has boxes of {} numbers; expected 4: x1, y1, x2, y2", i,
                    image[t::boxes].row_size()};
        }
        if (const std::size_t count = image[t::mask_coefficients].row_size(); count != planes.extents().extent(0)) {
            return {status_code::row_mismatch, "image {} has {} coefficients for each mask, but {} prototypes", i,
                    count, planes.extents().extent(0)};
        }
        return {};
    }

    template <class Rows, class Image>
    void make(const Rows& made, const Image& image, std::size_t i, bool streams) const noexcept
    {
        const auto boxes = image[t::boxes];
        const auto coefficients = image[t::mask_coefficients];
        const std::size_t height = height_in(made.extents());
        const std::size_t width = width_in(made.extents());
        const prototype_planes window = window_of(i, height, width);
        auto* to = reinterpret_cast<stored_mask<T>*>(made.data());
        for (std::size_t j = 0; j < made.size(); ++j, to += height * width) {
            float box[4];
            copy_row_of(box, row_extents<4>{}, boxes, j);
            make_prototype_mask(to, height, width, window, first_of_row(coefficients, j),
                                part_of({box[0], box[1], box[2], box[3]}, window, height, width), streams);
        }
    }

private:
    [[nodiscard]] prototype_planes window_of(std::size_t i, std::size_t height, std::size_t width) const noexcept
    {
        const auto all = planes.extents();
        prototype_planes window{first_of_row(planes, i), all.extent(0), all.extent(1), all.extent(2)};
        window.rows = window.height;
        window.columns = window.width;
        if constexpr (Order == prototype_order::resize_first) {
            letterbox_window(window, height, width);
        }
        return window;
    }

    [[nodiscard]] static prototype_part part_of(const float (&box)[4], const prototype_planes& window,
                                                std::size_t height, std::size_t width) noexcept
    {
        prototype_part part;
        if constexpr (Order == prototype_order::resize_first) {
            part.cells_x = {0, window.columns};
            part.cells_y = {0, window.rows};
            part.x = pixels_between(box[0], box[2], width);
            part.y = pixels_between(box[1], box[3], height);
        } else {
            const auto cut = [](float low, float high, std::size_t cells, std::size_t pixels, pixel_range& inside,
                                pixel_range& touched) {
                const auto ratio = static_cast<float>(static_cast<double>(cells) / static_cast<double>(pixels));
                inside = pixels_between(low * ratio, high * ratio, cells);
                if (!inside.empty()) {
                    const resized_axis axis(cells, pixels);
                    touched = {axis.first_touched(inside.begin, pixels), axis.first_beyond(inside.end, pixels)};
                }
            };
            cut(box[0], box[2], window.columns, width, part.cells_x, part.x);
            cut(box[1], box[3], window.rows, height, part.cells_y, part.y);
        }
        return part;
    }
};

template <prototype_order Order, detail::bound_values Full, class Coefficients, class Prototypes, class Boxes>
[[nodiscard]] status prototype_rows(const Full& full, const Coefficients& coefficients, const Prototypes& prototypes,
                                    const Boxes& boxes) noexcept
{
    static_assert(std::is_same_v<typename Full::tag, t::masks_t> &&
                      std::is_same_v<typename Coefficients::tag, t::mask_coefficients_t> &&
                      std::is_same_v<typename Prototypes::tag, t::prototypes_t> &&
                      std::is_same_v<typename Boxes::tag, t::boxes_t>,
                  "the order is (t::masks(full, 1, H, W), t::mask_coefficients(coefficients, P), "
                  "t::prototypes(prototypes, P, h, w), t::boxes(boxes))");
    if (status outcome = check_rows<Prototypes>(prototypes.value, prototypes.row); !outcome.ok()) {
        return outcome;
    }
    const auto planes = rows_of<Prototypes>(prototypes.value, prototypes.row);
    using operation =
        prototype_operation<Order, typename bound_rows<Full>::value_type, std::remove_cvref_t<decltype(planes)>>;
    return make_rows_of(full, operation{planes}, boxes, coefficients);
}

template <prototype_order Order, class Output, class Batch, class Prototypes, class... Options>
[[nodiscard]] status prototype_batch(Output&& full, const Batch& batch, const Prototypes& prototypes,
                                     Options&... options)
{
    static_assert(made_output<Output>, "the output is a padded_view, or a padded or ragged owner that is a variable");
    static_assert(batch_can_be_changed<Output>());
    static_assert(std::is_same_v<typename Prototypes::tag, t::prototypes_t>,
                  "the order is (full, batch, t::prototypes(prototypes, P, h, w))");
    using field_type = typename only_field<typename std::remove_cvref_t<Output>::fields>::type;
    static_assert(std::is_same_v<typename field_type::tag, t::masks_t>, "full masks go into a batch of t::masks");
    if (status outcome = check_rows<Prototypes>(prototypes.value, prototypes.row); !outcome.ok()) {
        return outcome;
    }
    const auto planes = rows_of<Prototypes>(prototypes.value, prototypes.row);
    using operation =
        prototype_operation<Order, typename field_type::value_type, std::remove_cvref_t<decltype(planes)>>;
    return make_rows(full, batch, operation{planes}, options...);
}

} // namespace detail

/// The masks of one image, cut to the boxes at the resolution of the prototypes and then resized: n masks `[n, 1, H,
/// W]` from coefficients `[n, P]`, prototypes `[P, h, w]` and boxes `[n, 4]`, all float. `std::uint8_t` and bool masks
/// are 1 where the sum is above 0; float masks are the sums. Fails, and writes nothing, if numbers or shapes do not go
/// together or memory overlaps.
///
///     try_prototype_masks(t::masks(pixels, 1, 640, 640), t::mask_coefficients(coefficients, 32),
///                         t::prototypes(prototypes, 32, 160, 160), t::boxes(boxes))
///
/// Computes only what is inside the boxes, writes each byte once, and allocates nothing.
template <detail::bound_values Full, detail::bound_values Coefficients, detail::bound_values Prototypes,
          detail::bound_values Boxes>
[[nodiscard]] status try_prototype_masks(const Full& full, const Coefficients& coefficients,
                                         const Prototypes& prototypes, const Boxes& boxes) noexcept
{
    return detail::prototype_rows<detail::prototype_order::cut_first>(full, coefficients, prototypes, boxes);
}

/// The masks of a whole batch with t::boxes and t::mask_coefficients; other fields are ignored. Prototypes are `[B, P,
/// h, w]`, a row for each image. `full` is a `padded_view`, a padded owner or a ragged owner of `masks<...>`, which
/// knows the image's size: `padded<masks<bool>>(B, M, t::masks.shape(1, 640, 640))`. Padded outputs get the batch's
/// counts, and zeros in the rows behind them; options are `pad_into`'s (not `overflow::top_scores`), and `parallel`.
template <class Output, source Batch, detail::bound_values Prototypes, class... Options>
    requires(!detail::bound_values<Output>)
[[nodiscard]] status try_prototype_masks(Output&& full, const Batch& batch, const Prototypes& prototypes,
                                         Options&&... options)
{
    static_assert(detail::batch_options_fit<Options...>());
    return detail::prototype_batch<detail::prototype_order::cut_first>(static_cast<Output&&>(full), batch, prototypes,
                                                                       options...);
}

/// The same two, resized first and then cut to the boxes at the resolution of the image, whose letterbox is undone.
template <detail::bound_values Full, detail::bound_values Coefficients, detail::bound_values Prototypes,
          detail::bound_values Boxes>
[[nodiscard]] status try_prototype_masks_native(const Full& full, const Coefficients& coefficients,
                                                const Prototypes& prototypes, const Boxes& boxes) noexcept
{
    return detail::prototype_rows<detail::prototype_order::resize_first>(full, coefficients, prototypes, boxes);
}
template <class Output, source Batch, detail::bound_values Prototypes, class... Options>
    requires(!detail::bound_values<Output>)
[[nodiscard]] status try_prototype_masks_native(Output&& full, const Batch& batch, const Prototypes& prototypes,
                                                Options&&... options)
{
    static_assert(detail::batch_options_fit<Options...>());
    return detail::prototype_batch<detail::prototype_order::resize_first>(static_cast<Output&&>(full), batch,
                                                                          prototypes, options...);
}

#if PADBATCH_EXCEPTIONS
/// The throwing forms.
template <class Output, class... Rest>
void prototype_masks(Output&& full, Rest&&... rest)
{
    detail::require(try_prototype_masks(static_cast<Output&&>(full), static_cast<Rest&&>(rest)...));
}
template <class Output, class... Rest>
void prototype_masks_native(Output&& full, Rest&&... rest)
{
    detail::require(try_prototype_masks_native(static_cast<Output&&>(full), static_cast<Rest&&>(rest)...));
}
#endif

} // namespace padbatch::inline PADBATCH_ABI

#endif
