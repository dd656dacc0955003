// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_DETECTION_MASK_BITS_HPP
#define PADBATCH_DETECTION_MASK_BITS_HPP

#include <padbatch/detection/detail/made_rows.hpp>
#include <padbatch/detection/detail/mask_pixels.hpp>
#include <padbatch/detection/masks.hpp>

#include <cstddef>
#include <cstdint>
#include <type_traits>

/// Masks in other element types: probabilities to bytes, and bytes or probabilities to bits and back.
///
/// Bits are bytes of 8 pixels of one row, `[1, H, (W + 7) / 8]` (or without the 1), the first pixel in the highest bit:
/// those of `numpy.packbits(mask, axis=-1)`. The last bits of a row that is not a multiple of 8 are 0.
///
/// A mask is float, std::uint8_t or bool. Of float masks, pixels that reach `mask_threshold` (`>=`, 0.5 if not given,
/// any finite number) belong to the object; a NaN does not. Of bytes, all that are not 0.
///
/// Every operation takes the rows of one image, or a whole batch. The output comes first: `t::masks(memory, 1, H, W)`
/// for rows; for a batch (any source with t::masks) a `padded_view`, a padded owner or a ragged owner of the one field
/// `masks<...>`. Padded outputs get the batch's counts, and zeros in the rows behind them; their options are
/// `pad_into`'s (`overflow::truncate`, `capacity`, `padding::reuse`, `pad_values`, a `pad_result`, a `workspace`). All
/// take `parallel`. Owners take the shape of the rows from the batch, where it has it; for `unpack_masks`, W has to be
/// given to the owner. Nothing is allocated, unless an owner has to grow.
///
/// A failure writes nothing: masks of other shapes in a batch, a view of another shape, an output that overlaps what
/// is read, and what `try_pad_into` refuses.
namespace padbatch::inline PADBATCH_ABI {

namespace detail {

/// What the operations of this header have in common: one mask to one mask.
template <class Self>
struct mask_operation {
    float threshold = mask_threshold().value();

    template <class Option>
    static constexpr bool takes = is_mask_threshold<Option>;

    [[nodiscard]] status check() const noexcept { return check_finite_threshold(threshold); }
    [[nodiscard]] static bool overlaps(const void* /*first*/, const void* /*last*/) noexcept { return false; }

    template <class Batch, class E>
    [[nodiscard]] status check_batch(const Batch& batch, E& row) const noexcept
    {
        static_assert(!std::is_void_v<field_of<t::masks_t, typename Batch::fields>>, "the batch has no t::masks");
        using rows = decltype(batch.image(0)[t::masks]);
        static_assert(rows_are_masks<rows>() && Self::template reads<typename rows::value_type>());
        if constexpr (Self::gives_extents) {
            return take_mask_extents(batch, row, [](std::size_t width) { return Self::width_from(width); });
        } else {
            static_cast<void>(row);
            return {};
        }
    }

    template <class Image, class E>
    [[nodiscard]] status check_image(const Image& image, std::size_t i, const E& row) const noexcept
    {
        const auto from = image[t::masks].extents();
        if (channels_in(from) != 1) {
            return {status_code::row_mismatch, "image {} has masks of {}; expected [1, H, W]", i, from.to_array()};
        }
        if (channels_in(row) != 1 || height_in(from) != height_in(row) || !Self::fits(width_in(from), width_in(row))) {
            return {status_code::row_mismatch,
                    "image {} has masks of {}, which give no masks of {}: all images need masks of one size, and the "
                    "output the one that goes with it ((W + 7) / 8 bytes for a row of bits)",
                    i, from.to_array(), row.to_array()};
        }
        return {};
    }

    template <class Rows, class Image>
    void make(const Rows& made, const Image& image, std::size_t /*i*/, bool streams) const noexcept
    {
        const auto masks = image[t::masks];
        auto* to = reinterpret_cast<std::uint8_t*>(made.data());
        const std::size_t height = height_in(made.extents());
        const std::size_t width = width_in(made.extents());
        for (std::size_t j = 0; j < made.size(); ++j, to += height * width) {
            static_cast<const Self&>(*this).make_one(to, mask_of_row(masks, j), height, width,
                                                     width_in(masks.extents()), streams);
        }
    }
};

template <class T>
struct pack_operation : mask_operation<pack_operation<T>> {
    static_assert(std::is_same_v<T, std::uint8_t>, "bits are packed into bytes, std::uint8_t");
    static constexpr bool gives_extents = true;
    template <class From>
    static consteval bool reads() noexcept
    {
        return true;
    }
    [[nodiscard]] static std::size_t width_from(std::size_t width) noexcept
    {
        return width / 8 + (width % 8 == 0 ? 0 : 1);
    }
    [[nodiscard]] static bool fits(std::size_t from, std::size_t to) noexcept { return width_from(from) == to; }

    template <class From>
    void make_one(std::uint8_t* to, const From* from, std::size_t height, std::size_t width, std::size_t from_width,
                  bool /*streams*/) const noexcept
    {
        by_whole_bytes(to, width, from, from_width, height, from_width % 8 == 0,
                       [&](std::uint8_t* bits, const From* pixels, std::size_t rows) {
                           bits_from(bits, pixels, rows * from_width, this->threshold);
                       });
    }
};

template <class T>
struct unpack_operation : mask_operation<unpack_operation<T>> {
    static_assert(std::is_same_v<T, std::uint8_t> || std::is_same_v<T, bool>,
                  "bits are unpacked into std::uint8_t or bool");
    template <class Option>
    static constexpr bool takes = false;
    static constexpr bool gives_extents = false;
    template <class From>
    static consteval bool reads() noexcept
    {
        static_assert(std::is_same_v<From, std::uint8_t>, "bits are bytes, std::uint8_t");
        return true;
    }
    [[nodiscard]] static bool fits(std::size_t from, std::size_t to) noexcept
    {
        return pack_operation<std::uint8_t>::fits(to, from);
    }

    void make_one(std::uint8_t* to, const std::uint8_t* from, std::size_t height, std::size_t width,
                  std::size_t from_width, bool streams) const noexcept
    {
        by_whole_bytes(to, width, from, from_width, height, width % 8 == 0,
                       [&](std::uint8_t* pixels, const std::uint8_t* bits, std::size_t rows) {
                           if (streams) {
                               stream_pieces(pixels, rows * width,
                                             [bits](std::uint8_t* piece, std::size_t first, std::size_t n) {
                                                 pixels_from_bits(piece, bits + first / 8, n);
                                             });
                           } else {
                               pixels_from_bits(pixels, bits, rows * width);
                           }
                       });
    }
};

template <class T>
struct threshold_operation : mask_operation<threshold_operation<T>> {
    static_assert(std::is_same_v<T, std::uint8_t> || std::is_same_v<T, bool>,
                  "pixels that reach the threshold are std::uint8_t or bool");
    static constexpr bool gives_extents = true;
    template <class From>
    static consteval bool reads() noexcept
    {
        static_assert(std::is_same_v<From, float>, "a threshold is for float masks");
        return true;
    }
    [[nodiscard]] static std::size_t width_from(std::size_t width) noexcept { return width; }
    [[nodiscard]] static bool fits(std::size_t from, std::size_t to) noexcept { return from == to; }

    void make_one(std::uint8_t* to, const float* from, std::size_t height, std::size_t width,
                  std::size_t /*from_width*/, bool streams) const noexcept
    {
        if (streams) {
            stream_pixels_from(to, from, height * width, this->threshold);
        } else {
            pixels_from(to, from, height * width, this->threshold);
        }
    }
};

template <class T, class... Options>
consteval bool threshold_fits() noexcept
{
    static_assert(std::is_same_v<T, float> || !(is_mask_threshold<Options> || ...),
                  "a threshold is for float masks: of bytes, all that are not 0 belong to the object");
    return true;
}

/// `make_rows` of an operation on masks, for rows or batches.
template <template <class> class Operation, class Output, class Masks, class... Options>
[[nodiscard]] status make_masks(Output&& output, const Masks& masks, Options&... options)
{
    if constexpr (bound_values<Output>) {
        using output_type = std::remove_cvref_t<Output>;
        static_assert(bound_values<Masks>, "rows are made from rows: the order is (t::masks(output, 1, H, W), "
                                           "t::masks(masks, 1, H, W))");
        static_assert(std::is_same_v<typename output_type::tag, t::masks_t> &&
                          std::is_same_v<typename Masks::tag, t::masks_t>,
                      "masks are made from masks: both are named t::masks");
        using operation = Operation<typename bound_rows<output_type>::value_type>;
        static_assert((operation::template takes<std::remove_cvref_t<Options>> && ...),
                      "the rows of one image take no other option than mask_threshold, and only where masks are float");
        operation made;
        static_assert(threshold_fits<typename bound_rows<Masks>::value_type, Options...>());
        made.threshold = threshold_among(options...);
        return make_rows_of(output, made, masks);
    } else {
        static_assert(made_output<Output>, "the output is a padded_view, a padded or ragged owner that is a variable, "
                                           "or t::masks(...) for one image");
        static_assert(batch_can_be_changed<Output>());
        using field_type = typename only_field<typename std::remove_cvref_t<Output>::fields>::type;
        static_assert(std::is_same_v<typename field_type::tag, t::masks_t>, "the output is a batch of t::masks");
        using operation = Operation<typename field_type::value_type>;
        operation made;
        static_assert(threshold_fits<typename field_of<t::masks_t, typename Masks::fields>::value_type, Options...>());
        made.threshold = threshold_among(options...);
        return make_rows(output, masks, made, options...);
    }
}

} // namespace detail

/// Packs masks into bits. `bits` are `std::uint8_t`, with rows of `[1, H, (W + 7) / 8]`. Reads each pixel once, at the
/// speed of memory. See above for what outputs and batches may be. `mask_threshold` is for float masks.
template <class Output, class Masks, class... Options>
[[nodiscard]] status try_pack_masks(Output&& bits, const Masks& masks, Options&&... options)
{
    static_assert(detail::batch_options_fit<Options...>());
    return detail::make_masks<detail::pack_operation>(static_cast<Output&&>(bits), masks, options...);
}

/// Unpacks bits into bytes of 0 and 1, or bools. The output says how wide masks are: `[1, H, W]` from bits of
/// `[1, H, (W + 7) / 8]`.
template <class Output, class Bits, class... Options>
[[nodiscard]] status try_unpack_masks(Output&& masks, const Bits& bits, Options&&... options)
{
    static_assert(detail::batch_options_fit<Options...>());
    return detail::make_masks<detail::unpack_operation>(static_cast<Output&&>(masks), bits, options...);
}

/// Bytes of 0 and 1, or bools, from float masks: 1 where a pixel reaches `mask_threshold`.
template <class Output, class Masks, class... Options>
[[nodiscard]] status try_threshold_masks(Output&& pixels, const Masks& masks, Options&&... options)
{
    static_assert(detail::batch_options_fit<Options...>());
    return detail::make_masks<detail::threshold_operation>(static_cast<Output&&>(pixels), masks, options...);
}

#if PADBATCH_EXCEPTIONS
/// The throwing forms.
template <class Output, class Masks, class... Options>
void pack_masks(Output&& bits, const Masks& masks, Options&&... options)
{
    detail::require(try_pack_masks(static_cast<Output&&>(bits), masks, static_cast<Options&&>(options)...));
}
template <class Output, class Bits, class... Options>
void unpack_masks(Output&& masks, const Bits& bits, Options&&... options)
{
    detail::require(try_unpack_masks(static_cast<Output&&>(masks), bits, static_cast<Options&&>(options)...));
}
template <class Output, class Masks, class... Options>
void threshold_masks(Output&& pixels, const Masks& masks, Options&&... options)
{
    detail::require(try_threshold_masks(static_cast<Output&&>(pixels), masks, static_cast<Options&&>(options)...));
}
#endif

} // namespace padbatch::inline PADBATCH_ABI

#endif
