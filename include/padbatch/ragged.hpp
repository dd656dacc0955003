// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_RAGGED_HPP
#define PADBATCH_RAGGED_HPP

#include <padbatch/detail/buffer.hpp>
#include <padbatch/detail/first_failure.hpp>
#include <padbatch/detail/ragged_values.hpp>
#include <padbatch/fields.hpp>
#include <padbatch/ragged_view.hpp>
#include <padbatch/source.hpp>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <tuple>
#include <type_traits>
#include <utility>

namespace padbatch::inline PADBATCH_ABI {

namespace detail {
struct ragged_access;
}

/// Owns a ragged batch that grows row by row, image by image:
///
///     ragged<boxes<>, scores<>> batch;
///     batch.append(t::boxes(boxes), t::scores(scores)); // to the current image; again for another model or tile
///     batch.end_image();
///
/// It keeps its memory when it is cleared. The images that have been ended are a source, and `view()` is a
/// `ragged_view` of them. Offsets are int64. Move only. Threads may read one batch at the same time, but not while it
/// grows.
template <class... Fields>
class ragged {
    static_assert((!std::is_const_v<typename Fields::element_type> && ...), "an owner's fields are not const");
    static_assert(detail::tags_differ<Fields...>, "each field of a batch needs a tag of its own");

public:
    using view_type = ragged_view<Fields...>;
    using const_view_type = ragged_view<detail::const_field<Fields>...>;
    using fields = detail::field_list<Fields...>;

    /// Has no images. Dynamic extents of rows become those of the first rows that are appended.
    ragged() noexcept = default;
    /// Takes extents by tag, `t::masks.shape(1, 28, 28)`, which then stay.
    template <class... Tags>
        requires(sizeof...(Tags) > 0)
    explicit ragged(const row_shape<Tags>&... shapes) noexcept
    {
        (set_shape(shapes), ...);
    }

    ragged(ragged&& other) noexcept { swap(other); }
    ragged& operator=(ragged&& other) noexcept
    {
        ragged taken(std::move(other));
        swap(taken);
        return *this;
    }
    ragged(const ragged&) = delete;
    ragged& operator=(const ragged&) = delete;
    ~ragged() = default;

    /// Appends rows to the current image, the same number of each field: each a contiguous container of rows or of
    /// their elements, or rows. Fails, and appends nothing, if the numbers of rows differ, if rows have another shape
    /// than those before, or if there is not enough memory.
    template <detail::bound_values... Bounds>
        requires(sizeof...(Bounds) == sizeof...(Fields))
    [[nodiscard]] status try_append(const Bounds&... values) noexcept
    {
        return detail::first_failure([&] { return detail::check_rows<Bounds>(values.value, values.row); }...,
                                     [&] { return try_append(image_of(values...)); });
    }
    template <class... X>
        requires(!detail::bound_values<X> || ...)
    [[nodiscard]] status try_append(const X&...) noexcept
    {
        static_assert(sizeof...(X) == 0,
                      "name each field, append(t::boxes(boxes), t::scores(scores)), or append an image of a batch");
        return {};
    }
    /// Appends the rows of an image of another batch.
    template <class... TaggedRows>
    [[nodiscard]] status try_append(const image_view<TaggedRows...>& image) noexcept
    {
        static_assert((has_type_of<Fields, image_view<TaggedRows...>>() && ...),
                      "the rows have another element type than this batch");
        return append_image(image);
    }

    template <class... TaggedRows>
    [[nodiscard]] status try_append(const made_image<TaggedRows...>& image) noexcept
    {
        if (!image.is_whole) {
            return {status_code::size_mismatch, "the data are not whole rows of their field"};
        }
        return try_append(static_cast<const image_view<TaggedRows...>&>(image));
    }

    /// Ends the current image, which may have no rows; further rows belong to the next image.
    [[nodiscard]] status try_end_image() noexcept
    {
        const std::size_t images = size();
        if (!m_offsets.try_resize(images + 2)) {
            return {status_code::out_of_memory, "not enough memory for the offsets of {} images", images + 1};
        }
        if (images == 0) {
            m_offsets[0] = 0;
        }
        m_offsets[images + 1] = static_cast<std::int64_t>(m_rows);
        return {};
    }

    /// Checks, as a source, that the last image has been ended.
    [[nodiscard]] status check() const noexcept
    {
        if (open_rows() != 0) {
            return {status_code::field_mismatch,
                    "image {} has {} rows so far, but has not been ended: call end_image()", size(), open_rows()};
        }
        return {};
    }

    /// Makes room, so that up to `images` images with `rows` rows in all are appended without an allocation. Dynamic
    /// extents must be known.
    [[nodiscard]] status try_reserve(std::size_t images, std::size_t rows) noexcept
    {
        return detail::first_failure(
            [&] { return values_of<Fields>().reserve(rows, values_of<Fields>().shape.row); }...,
            [&] { return reserve_images(images); });
    }

#if PADBATCH_EXCEPTIONS
    /// The throwing forms.
    template <class... Values>
    void append(const Values&... values)
    {
        detail::require(try_append(values...));
    }
    void end_image() { detail::require(try_end_image()); }
    void reserve(std::size_t images, std::size_t rows) { detail::require(try_reserve(images, rows)); }
#endif

    /// Removes all images and rows. The memory stays, and so do extents that were given to the constructor.
    void clear() noexcept
    {
        ((values_of<Fields>().shape.known = values_of<Fields>().given), ...);
        m_offsets.clear();
        m_rows = 0;
    }

    /// The number of images that have been ended.
    [[nodiscard]] std::size_t size() const noexcept { return m_offsets.size() == 0 ? 0 : m_offsets.size() - 1; }
    [[nodiscard]] std::size_t count(std::size_t i) const noexcept { return view().count(i); }
    /// The number of rows of the current image, which has not been ended yet.
    [[nodiscard]] std::size_t open_rows() const noexcept
    {
        return m_rows - (size() == 0 ? 0 : static_cast<std::size_t>(m_offsets[size()]));
    }
    [[nodiscard]] auto image(std::size_t i) & noexcept { return view().image(i); }
    [[nodiscard]] auto image(std::size_t i) const& noexcept { return view().image(i); }
    template <field_tag Tag>
    [[nodiscard]] auto operator[](const Tag& field) & noexcept
    {
        return view()[field];
    }
    template <field_tag Tag>
    [[nodiscard]] auto operator[](const Tag& field) const& noexcept
    {
        return view()[field];
    }
    // Views of a temporary would refer to memory that is gone.
    void view() && = delete;
    void image(std::size_t i) && = delete;
    template <field_tag Tag>
    void operator[](const Tag& field) && = delete;
    [[nodiscard]] auto begin() noexcept { return view().begin(); }
    [[nodiscard]] auto end() noexcept { return view().end(); }
    [[nodiscard]] auto begin() const noexcept { return view().begin(); }
    [[nodiscard]] auto end() const noexcept { return view().end(); }
    [[nodiscard]] bool overlaps(const void* first, const void* last) const noexcept
    {
        return view().overlaps(first, last);
    }

    /// The offsets, `[B + 1]`; one, 0, if there are no images.
    [[nodiscard]] std::span<const std::int64_t> offsets() const noexcept
    {
        return size() == 0 ? std::span<const std::int64_t>(s_no_offsets)
                           : std::span<const std::int64_t>(m_offsets.data(), size() + 1);
    }

    [[nodiscard]] view_type view() & noexcept { return make_view<view_type, Fields...>(); }
    [[nodiscard]] const_view_type view() const& noexcept
    {
        return make_view<const_view_type, detail::const_field<Fields>...>();
    }
    operator view_type() & noexcept { return view(); }
    operator const_view_type() const& noexcept { return view(); }

private:
    friend struct detail::ragged_access;

    static constexpr std::int64_t s_no_offsets[] = {0};

    std::tuple<detail::ragged_values<Fields>...> m_values;
    detail::buffer<std::int64_t> m_offsets;
    std::size_t m_rows = 0;

    template <class Field>
    [[nodiscard]] auto& values_of() noexcept
    {
        return std::get<detail::index_in<Field, Fields...>>(m_values);
    }
    template <class Field>
    [[nodiscard]] const auto& values_of() const noexcept
    {
        return std::get<detail::index_in<Field, Fields...>>(m_values);
    }

    template <class Tag>
    void set_shape(const row_shape<Tag>& shape) noexcept
    {
        using found = detail::field_of<Tag, fields>;
        static_assert(!std::is_void_v<found>, "a row shape is given for a field that this batch lacks");
        auto& field = values_of<found>();
        field.shape.row = detail::extents_cast<typename found::extents_type>(shape.extents);
        field.given = field.shape.known = true;
    }

    template <class Field, class Image>
    static consteval bool has_type_of() noexcept
    {
        using rows = std::remove_cvref_t<decltype(std::declval<const Image&>()[typename Field::tag{}])>;
        return std::is_same_v<typename rows::value_type, typename Field::value_type>;
    }

    void swap(ragged& other) noexcept
    {
        std::swap(m_values, other.m_values);
        std::swap(m_offsets, other.m_offsets);
        std::swap(m_rows, other.m_rows);
    }

    /// What this batch will be when everything has been appended. Nothing is, before all of it has been checked.
    struct future {
        std::tuple<detail::ragged_shape<Fields>...> shapes;
        std::size_t rows = 0;

        template <class Field>
        [[nodiscard]] auto& shape_of() noexcept
        {
            return std::get<detail::index_in<Field, Fields...>>(shapes);
        }
    };

    /// As it is, or, if the images here will be replaced, as it is without them.
    [[nodiscard]] future begin_future(bool replaces) const noexcept
    {
        return {
            {detail::ragged_shape<Fields>{values_of<Fields>().shape.row,
                                          replaces ? values_of<Fields>().given : values_of<Fields>().shape.known}...},
            replaces ? 0 : m_rows};
    }

    /// Checks that the rows of an image can follow, and adds them to what will be.
    template <class Image>
    [[nodiscard]] status foresee(future& then, const Image& image, std::size_t number) const noexcept
    {
        if (status outcome = detail::check_same_count(image, number); !outcome.ok()) {
            return outcome;
        }
        const std::size_t n = image.size();
        if (n > std::numeric_limits<std::size_t>::max() - then.rows) {
            return {status_code::size_overflow, "{} and {} rows are too many", then.rows, n};
        }
        const auto is_here = [&](const auto& rows) { return (values_of<Fields>().overlaps(rows) || ...); };
        if ((is_here(image[typename Fields::tag{}]) || ...)) {
            return {status_code::overlap,
                    "the rows to append are in this batch itself, whose memory may move: copy them first"};
        }
        status outcome = detail::first_failure(
            [&] { return then.template shape_of<Fields>().check(image[typename Fields::tag{}]); }...);
        if (outcome.ok()) {
            (then.template shape_of<Fields>().add(image[typename Fields::tag{}]), ...);
            then.rows += n;
        }
        return outcome;
    }

    [[nodiscard]] status reserve_for(future& then) noexcept
    {
        return detail::first_failure(
            [&] { return values_of<Fields>().reserve(then.rows, then.template shape_of<Fields>().row); }...);
    }

    template <class Image>
    void append_checked(const Image& image) noexcept
    {
        (values_of<Fields>().append(m_rows, image[typename Fields::tag{}]), ...);
        m_rows += image.size();
    }

    /// Appends the rows of an image, of the same element types.
    template <class Image>
    [[nodiscard]] status append_image(const Image& image) noexcept
    {
        future then = begin_future(false);
        status outcome =
            detail::first_failure([&] { return foresee(then, image, size()); }, [&] { return reserve_for(then); });
        if (outcome.ok()) {
            append_checked(image);
        }
        return outcome;
    }

    /// Appends all images of a source, in the place of those that are here if `replaces` is set, and converts elements
    /// if the source asks for it. Fails like `append_image`, and then changes nothing.
    template <class Source>
    [[nodiscard]] status append_images(const Source& source, bool replaces) noexcept
    {
        future then = begin_future(replaces);
        const std::size_t images = source.size();
        const std::size_t kept = replaces ? 0 : size();
        for (std::size_t i = 0; i < images; ++i) {
            if (status outcome = foresee(then, source.image(i), i); !outcome.ok()) {
                return outcome;
            }
        }
        status outcome =
            detail::first_failure([&] { return reserve_for(then); }, [&] { return reserve_images(kept + images); });
        if (!outcome.ok()) {
            return outcome;
        }
        if (replaces) {
            clear();
        }
        for (std::size_t i = 0; i < images; ++i) {
            append_checked(source.image(i));
            static_cast<void>(try_end_image()); // there is memory
        }
        return {};
    }

    [[nodiscard]] status reserve_images(std::size_t images) noexcept
    {
        if (images + 1 == 0 || !m_offsets.try_reserve(images + 1)) {
            return {status_code::out_of_memory, "not enough memory for the offsets of {} images", images};
        }
        return {};
    }

    template <class View, class... ViewFields>
    [[nodiscard]] View make_view() const noexcept
    {
        return View(
            unchecked, offsets_view(unchecked, offsets()),
            detail::field_memory<ViewFields>{values_of<Fields>().values.data(), values_of<Fields>().shape.row}...);
    }
};

namespace detail {

/// For padbatch's own algorithms.
struct ragged_access {
    template <class... Fields, class Source>
    [[nodiscard]] static status append(ragged<Fields...>& batch, const Source& source, bool replaces) noexcept
    {
        return batch.append_images(source, replaces);
    }

    /// Keeps only the first `counts[i]` rows of each image i, at most as many as it has, and closes up.
    template <class... Fields>
    static void keep_first(ragged<Fields...>& batch, const std::size_t* counts) noexcept
    {
        std::size_t from = 0; // where the image's rows are, and where they go
        std::size_t to = 0;
        for (std::size_t i = 0; i < batch.size(); ++i) {
            const auto end = static_cast<std::size_t>(batch.m_offsets[i + 1]);
            if (from != to && counts[i] != 0) {
                (batch.template values_of<Fields>().move(to, from, counts[i]), ...);
            }
            from = end;
            to += counts[i];
            batch.m_offsets[i + 1] = static_cast<std::int64_t>(to);
        }
        batch.m_rows = to;
    }

    /// Whether a source reads the offsets of a batch, which move while it grows.
    template <class... Fields, class Source>
    [[nodiscard]] static bool reads_offsets(const ragged<Fields...>& batch, const Source& source) noexcept
    {
        if constexpr (requires { source.offsets().first_offset(); }) {
            const void* const first = source.offsets().first_offset();
            return ranges_overlap(first, static_cast<const std::byte*>(first) + 1, batch.m_offsets.data(),
                                  batch.m_offsets.data() + batch.m_offsets.capacity());
        } else {
            return std::is_same_v<Source, ragged<Fields...>> &&
                   static_cast<const void*>(&batch) == static_cast<const void*>(&source);
        }
    }
};

} // namespace detail

} // namespace padbatch::inline PADBATCH_ABI

#endif
