// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_RAGGED_HPP
#define PADBATCH_RAGGED_HPP

#include <padbatch/detail/buffer.hpp>
#include <padbatch/detail/copy_row.hpp>
#include <padbatch/detail/first_failure.hpp>
#include <padbatch/fields.hpp>
#include <padbatch/ragged_view.hpp>
#include <padbatch/source.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
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
            return {errc::size_mismatch, "the data are not whole rows of their field"};
        }
        return try_append(static_cast<const image_view<TaggedRows...>&>(image));
    }

    /// Ends the current image, which may have no rows; further rows belong to the next image.
    [[nodiscard]] status try_end_image() noexcept
    {
        const std::size_t images = size();
        if (!m_offsets.try_resize(images + 2)) {
            return {errc::out_of_memory, "not enough memory for the offsets of {} images", images + 1};
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
            return {errc::field_mismatch, "image {} has {} rows so far, but has not been ended: call end_image()",
                    size(), open_rows()};
        }
        return {};
    }

    /// Makes room, so that up to `images` images with `rows` rows in all are appended without an allocation. Dynamic
    /// extents must be known.
    [[nodiscard]] status try_reserve(std::size_t images, std::size_t rows) noexcept
    {
        return detail::first_failure(
            [&] { return reserve_rows(values_of<Fields>(), rows, values_of<Fields>().row); }...,
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
        ((values_of<Fields>().shaped = values_of<Fields>().given), ...);
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

    template <class Field>
    struct field_values {
        using field_type = Field;
        using T = typename Field::value_type;
        using E = typename Field::extents_type;

        detail::buffer<T> values;
        [[no_unique_address]] E row{};
        bool given = E::is_static; // the extents are known from the type or the constructor
        bool shaped = given;       // or from rows
    };

    static constexpr std::int64_t s_no_offsets[] = {0};

    std::tuple<field_values<Fields>...> m_values;
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
        field.row = detail::extents_cast<typename found::extents_type>(shape.extents);
        field.given = field.shaped = true;
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

    /// The rows of one field as they will be: their extents, and whether these are known.
    template <class Field>
    struct field_shape {
        using field_type = Field;
        using E = typename Field::extents_type;

        [[no_unique_address]] E row{};
        bool shaped = false;
    };

    /// What a batch will be when everything has been appended. Nothing is, before all of it has been checked.
    struct future {
        std::tuple<field_shape<Fields>...> shapes;
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
        return {{field_shape<Fields>{values_of<Fields>().row,
                                     replaces ? values_of<Fields>().given : values_of<Fields>().shaped}...},
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
            return {errc::size_overflow, "{} and {} rows are too many", then.rows, n};
        }
        const auto is_in = [](const auto& rows, const auto& memory) {
            return detail::rows_overlap(rows, memory.data(), memory.data() + memory.capacity());
        };
        const auto is_here = [&](const auto& rows) { return (is_in(rows, values_of<Fields>().values) || ...); };
        if ((is_here(image[typename Fields::tag{}]) || ...)) {
            return {errc::overlap,
                    "the rows to append are in this batch itself, whose memory may move: copy them first"};
        }
        status outcome = detail::first_failure(
            [&] { return check_rows(then.template shape_of<Fields>(), image[typename Fields::tag{}]); }...);
        if (outcome.ok()) {
            (add_shape(then.template shape_of<Fields>(), image[typename Fields::tag{}]), ...);
            then.rows += n;
        }
        return outcome;
    }

    [[nodiscard]] status reserve_for(future& then) noexcept
    {
        return detail::first_failure(
            [&] { return reserve_rows(values_of<Fields>(), then.rows, then.template shape_of<Fields>().row); }...);
    }

    template <class Image>
    void append_checked(const Image& image) noexcept
    {
        (append_field(values_of<Fields>(), image[typename Fields::tag{}]), ...);
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
            return {errc::out_of_memory, "not enough memory for the offsets of {} images", images};
        }
        return {};
    }

    /// The extents that a field will have once these rows are appended.
    template <class Values, class Rows>
    [[nodiscard]] static typename Values::E extents_for(const Values& field, const Rows& rows) noexcept
    {
        return field.shaped || rows.row_size() == 0 ? field.row
                                                    : detail::extents_cast<typename Values::E>(rows.extents());
    }

    template <class Values>
    [[nodiscard]] static status reserve_rows(Values& field, std::size_t rows,
                                             const typename Values::E& extents) noexcept
    {
        using tag = typename Values::field_type::tag;
        const std::size_t factors[] = {rows, extents.checked_size(), sizeof(typename Values::T)};
        std::size_t bytes = 0;
        if (status outcome = detail::multiply_sizes(factors, tag::name, bytes); !outcome.ok()) {
            return outcome;
        }
        if (!field.values.try_reserve(bytes / sizeof(typename Values::T))) {
            return {errc::out_of_memory, "not enough memory for {} rows of {}", rows, tag::name};
        }
        return {};
    }

    /// Checks that rows can follow those of a field.
    template <class Values, class Rows>
    [[nodiscard]] static status check_rows(const Values& field, const Rows& rows) noexcept
    {
        using tag = typename Values::field_type::tag;
        using E = typename Values::E;
        static_assert(detail::may_be_same<E, typename Rows::extents_type>(),
                      "the rows have another shape than this batch's");
        if (rows.empty()) {
            return {};
        }
        if constexpr (!(E::is_static && Rows::extents_type::is_static)) {
            const auto found = rows.extents().to_array();
            if (field.shaped ? !field.row.same_as(rows.extents()) : !E::matches(found)) {
                return {errc::row_mismatch, "rows of {} of {} cannot follow rows of {}", tag::name, found,
                        field.row.to_array()};
            }
        }
        return {};
    }

    template <class Shape, class Rows>
    static void add_shape(Shape& field, const Rows& rows) noexcept
    {
        field.row = extents_for(field, rows);
        field.shaped = field.shaped || !rows.empty();
    }

    template <class Values, class Rows>
    void append_field(Values& field, const Rows& rows) noexcept
    {
        add_shape(field, rows);
        const std::size_t size = field.row.size();
        typename Values::T* const to = field.values.data() + m_rows * size;
        if constexpr (Rows::is_contiguous && std::is_same_v<typename Rows::value_type, typename Values::T>) {
            if (rows.size() * size != 0) {
                std::memcpy(static_cast<void*>(to), static_cast<const void*>(rows.data()),
                            rows.size() * size * sizeof(typename Values::T));
            }
        } else {
            for (std::size_t j = 0; j < rows.size(); ++j) {
                detail::copy_row_of(to + j * size, field.row, rows, j);
            }
        }
    }

    template <class View, class... ViewFields>
    [[nodiscard]] View make_view() const noexcept
    {
        return View(unchecked, offsets_view(unchecked, offsets()),
                    detail::field_memory<ViewFields>{values_of<Fields>().values.data(), values_of<Fields>().row}...);
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
