// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_DETECTION_DETAIL_MADE_ROWS_HPP
#define PADBATCH_DETECTION_DETAIL_MADE_ROWS_HPP

#include <padbatch/detail/check_source.hpp>
#include <padbatch/detail/copy.hpp>
#include <padbatch/detail/overlap.hpp>
#include <padbatch/detection/detail/each_image.hpp>
#include <padbatch/detection/masks.hpp>
#include <padbatch/item_rows.hpp>
#include <padbatch/pad.hpp>
#include <padbatch/ragged.hpp>
#include <padbatch/source.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <tuple>
#include <type_traits>

// Operations that make one new row for each row of a batch: full masks, bits, boxes of masks. The output is a batch of
// one field, of any kind. It gets its counts and its padding from `try_pad_into`, or its offsets, as if from a source
// whose rows need no copying; then the rows are made where they belong.

namespace padbatch::inline PADBATCH_ABI::detail {

/// The extents of masks, `[1, H, W]` or `[H, W]`.
template <class E>
[[nodiscard]] constexpr std::size_t channels_in(const E& row) noexcept
{
    return E::rank == 2 ? 1 : row.extent(0);
}
template <class E>
[[nodiscard]] constexpr std::size_t height_in(const E& row) noexcept
{
    return row.extent(E::rank - 2);
}
template <class E>
[[nodiscard]] constexpr std::size_t width_in(const E& row) noexcept
{
    return row.extent(E::rank - 1);
}
/// Sets a mask's extents; false if its type cannot have them.
template <class E>
[[nodiscard]] bool set_mask_extents(E& row, std::size_t height, std::size_t width) noexcept
{
    std::array<std::size_t, E::rank> all{};
    all[0] = 1;
    all[E::rank - 2] = height;
    all[E::rank - 1] = width;
    if (!E::matches(all)) {
        return false;
    }
    row = E(all);
    return true;
}

/// The first element of row j, whose elements are adjacent.
template <class Rows>
[[nodiscard]] auto* first_of_row(const Rows& rows, std::size_t j) noexcept
{
    if constexpr (requires { rows.row_data(j); }) {
        static_assert(!std::is_same_v<typename Rows::layout_type, layout::element_strided>,
                      "the elements of a row must be adjacent: copy the columns of a matrix into rows first");
        return rows.row_data(j);
    } else {
        const auto& row = rows[j];
        static_assert(std::is_same_v<std::remove_cvref_t<decltype(*row.data())>, typename Rows::value_type>,
                      "the elements of a row must be adjacent, in memory that can be read");
        return row.data();
    }
}

/// Masks are read as floats or as bytes.
template <class T>
using stored_mask = std::conditional_t<std::is_same_v<T, bool>, std::uint8_t, T>;

template <class Rows>
[[nodiscard]] const stored_mask<typename Rows::value_type>* mask_of_row(const Rows& rows, std::size_t j) noexcept
{
    return reinterpret_cast<const stored_mask<typename Rows::value_type>*>(first_of_row(rows, j));
}

/// A compile error, with the reason, if rows are not masks.
template <class Rows>
consteval bool rows_are_masks() noexcept
{
    static_assert(is_full_mask_element<typename Rows::value_type>, "masks are float, std::uint8_t or bool");
    static_assert(Rows::extents_type::rank == 2 || Rows::extents_type::rank == 3,
                  "masks must have rows of [1, H, W] or [H, W]");
    return true;
}

/// The rows of one field in the images of a batch.
template <class Tag, class Image>
using rows_in = std::remove_cvref_t<decltype(std::declval<const Image&>()[Tag{}])>;

/// Gives `row` the extents of the masks that a batch has: those of the first image with rows.
template <class Batch, class E, class Width>
[[nodiscard]] status take_mask_extents(const Batch& batch, E& row, const Width& width_of) noexcept
{
    for (std::size_t i = 0; i < batch.size(); ++i) {
        if (batch.count(i) != 0) {
            const auto image = batch.image(i);
            const auto from = image[t::masks].extents();
            if (!set_mask_extents(row, height_in(from), width_of(width_in(from)))) {
                return {status_code::row_mismatch, "masks of {} do not fit the output, whose type has rows of {}",
                        from.to_array(), row.to_array()};
            }
            return {};
        }
    }
    return {};
}

/// Rows with a number and extents, but no memory, and nothing to copy.
template <class T, class E>
struct unmade_reader {
    using element = T;
    using extents_type = E;
    static constexpr bool is_value = true;
    static constexpr bool is_adjacent = false;
    template <class Use>
    static void pieces(int /*value*/, const E& /*extents*/, const Use& /*use*/) noexcept
    {
    }
};
struct unmade_items {
    int operator[](std::size_t /*j*/) const noexcept { return 0; }
};
struct unmade_row {
    int operator()(int value) const noexcept { return value; }
};

/// Rows that will be made, as a source.
template <class Field, class Operation, class Batch>
class unmade_source {
    using T = typename Field::value_type;
    using E = typename Field::extents_type;
    using rows_type = item_rows<unmade_reader<T, E>, unmade_items, unmade_row>;

public:
    using fields = field_list<Field>;
    using image_type = image_view<tagged_rows<typename Field::tag, rows_type>>;

    unmade_source(const Operation& operation, const Batch& batch, const E& row) noexcept
        : m_operation(operation), m_batch(batch), m_row(row)
    {
    }

    [[nodiscard]] std::size_t size() const noexcept { return m_batch.size(); }
    [[nodiscard]] std::size_t count(std::size_t i) const noexcept { return m_batch.count(i); }
    [[nodiscard]] image_type image(std::size_t i) const noexcept
    {
        return image_type(tagged_rows<typename Field::tag, rows_type>{rows_type({}, count(i), m_row, {})});
    }
    [[nodiscard]] bool overlaps(const void* first, const void* last) const noexcept
    {
        return source_overlaps(m_batch, {first, last}) || m_operation.overlaps(first, last);
    }
    template <class Slots>
    void copy_to(std::size_t /*i*/, const Slots& /*slots*/) const noexcept
    {
    }

private:
    const Operation& m_operation;
    const Batch& m_batch;
    [[no_unique_address]] E m_row;
};

template <class List>
struct only_field {
    static_assert(sizeof(List) == 0, "the output is a batch of the one field that the operation makes");
};
template <class Field>
struct only_field<field_list<Field>> {
    using type = Field;
};

/// A batch that rows can be made in.
template <class X>
concept made_output = detection_batch<X> && !is_ragged_view<std::remove_cvref_t<X>>;

/// A compile error, with the reason, for options that the output does not take.
template <class Output, class Operation, class... Options>
consteval bool made_options_fit() noexcept
{
    static_assert(((Operation::template takes<std::remove_cvref_t<Options>> || is_batch_option<Options> ||
                    is_pad_option<std::remove_cvref_t<Options>>) &&
                   ...),
                  "an option is one that the operation names, parallel(...), or one of pad_into's");
    static_assert(!is_ragged_owner<Output> ||
                      ((Operation::template takes<std::remove_cvref_t<Options>> || is_batch_option<Options>) && ...),
                  "a ragged output takes all rows and has no padding: its options are those that the operation names, "
                  "parallel(...) and a workspace");
    static_assert((!std::is_same_v<std::remove_cvref_t<Options>, overflow::top_scores_t<t::scores_t>> && ...),
                  "rows are made in their order: overflow::error or overflow::truncate");
    static_assert((std::size_t{0} + ... + (Operation::template takes<std::remove_cvref_t<Options>> ? 1 : 0)) < 2,
                  "mask_threshold is given twice");
    return batch_options_fit<Options&...>(); // temporaries are looked for where they are
}

template <class Option>
[[nodiscard]] auto if_pad_option(Option& option) noexcept
{
    if constexpr (is_pad_option<std::remove_cv_t<Option>>) {
        return std::tuple<Option&>(option);
    } else {
        return std::tuple<>();
    }
}

/// Gives the output its counts and padding, or its offsets.
template <class Output, class Source, class... Options>
[[nodiscard]] status shape_made(Output& output, const Source& source, Options&... options)
{
    if constexpr (is_ragged_owner<std::remove_const_t<Output>>) {
        using tag = typename only_field<typename Output::fields>::type::tag;
        const auto all = output[tag{}];
        if (source.overlaps(all.data(), all.data() + all.size() * all.extents().size())) {
            return {status_code::overlap, "the output's {} overlap the source's rows: take another batch", tag::name};
        }
        return ragged_access::append(output, source, true);
    } else {
        return std::apply([&](auto&... own) { return try_pad_into(output, source, own...); },
                          std::tuple_cat(if_pad_option(options)...));
    }
}

/// Makes a row of `output` for each row of `batch`. `Operation` has
///
/// - `takes<Option>`: whether an option is its own.
/// - `check()`: a status for the options.
/// - `check_batch(batch, row)`: a status, and sets `row`, the extents of the output's rows, if the batch gives them.
/// - `check_image(image, i, row)`: a status for an image with rows.
/// - `overlaps(first, last)`: whether this memory may overlap what it reads besides the batch.
/// - `make(rows, image, i, streams)`: makes the first `rows.size()` rows of image i.
template <class Output, source Batch, class Operation, class... Options>
[[nodiscard]] status make_rows(Output& output, const Batch& batch, const Operation& operation, Options&... options)
{
    using field_type = typename only_field<typename Output::fields>::type;
    using tag = typename field_type::tag;
    static_assert(made_options_fit<std::remove_const_t<Output>, Operation, Options...>());
    typename field_type::extents_type row = output[tag{}].extents();
    if (status outcome = first_failure([&] { return check_source(batch); }, [&] { return operation.check(); },
                                       [&] { return operation.check_batch(batch, row); });
        !outcome.ok()) {
        return outcome;
    }
    const std::size_t images = batch.size();
    std::size_t total = 0;
    for (std::size_t i = 0; i < images; ++i) {
        if (const std::size_t n = batch.count(i); n != 0) {
            total += n;
            if (status outcome = operation.check_image(batch.image(i), i, row); !outcome.ok()) {
                return outcome;
            }
        }
    }
    const unmade_source<field_type, Operation, Batch> shape(operation, batch, row);
    if (status outcome = shape_made(output, shape, options...); !outcome.ok()) {
        return outcome;
    }
    // An estimate: rows that did not fit are not written.
    const bool streams = total * row.size() * sizeof(typename field_type::value_type) >= stream_total;
    const auto body = [&](std::size_t i) noexcept {
        const auto made = output.image(i);
        if (!made.empty()) {
            operation.make(made[tag{}], batch.image(i), i, streams);
            if (streams) {
                stream_fence();
            }
        }
    };
    for_each_image(images, body, options...);
    return {};
}

/// The same for the rows of one image: a row of `output` for each row of `values`.
template <class Operation, class Tag, class X, class E, class First, class... Rest>
[[nodiscard]] status make_rows_of(const bound<Tag, X, E>& output, const Operation& operation, const First& first,
                                  const Rest&... rest) noexcept
{
    using output_type = bound<Tag, X, E>;
    using view = padded_view<field_of_values<output_type>>;
    static_assert(view::is_writable, "the output is const");
    const std::size_t n = [&] {
        return check_rows<First>(first.value, first.row).ok() ? rows_of<First>(first.value, first.row).size() : 0;
    }();
    if (status outcome = first_failure([&] { return check_rows<First>(first.value, first.row); },
                                       [&] { return check_rows<Rest>(rest.value, rest.row); }...,
                                       [&] { return check_rows<output_type>(output.value, output.row); },
                                       [&] { return view::check_sizes(1, n, output); });
        !outcome.ok()) {
        return outcome;
    }
    const auto rows = rows_of<output_type>(output.value, output.row);
    std::int64_t count = 0; // of the one image
    const view one(unchecked, 1, n, &count, element_type::int64, {rows.data(), rows.extents()});
    return make_rows(one, generated(1, [&](std::size_t /*image*/) { return image_of(first, rest...); }), operation);
}

/// The threshold among the options, or the default.
template <class... Options>
[[nodiscard]] float threshold_among(const Options&... options) noexcept
{
    if constexpr ((is_mask_threshold<Options> || ...)) {
        return find_option<const mask_threshold>(options...)->value();
    } else {
        return mask_threshold().value();
    }
}

[[nodiscard]] inline status check_finite_threshold(float threshold) noexcept
{
    if (!__builtin_isfinite(threshold)) {
        return {status_code::bad_argument, "the threshold is {}; expected a finite number",
                static_cast<double>(threshold)};
    }
    return {};
}

} // namespace padbatch::inline PADBATCH_ABI::detail

#endif
