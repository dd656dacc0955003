// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_PADDED_HPP
#define PADBATCH_PADDED_HPP

#include <padbatch/detail/first_failure.hpp>
#include <padbatch/detail/padding_record.hpp>
#include <padbatch/detail/slab_layout.hpp>
#include <padbatch/element_type.hpp>
#include <padbatch/memory.hpp>
#include <padbatch/pad_options.hpp>
#include <padbatch/padded_view.hpp>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <tuple>
#include <type_traits>
#include <utility>

namespace padbatch::inline PADBATCH_ABI {

namespace detail {
struct padded_access;
}

/// Owns a padded batch: one block of memory with int32 counts and each field `[B, M, row...]`, all aligned to 64 bytes.
/// Nothing is initialised. It keeps its memory, so that one made for the largest batch serves all smaller ones without
/// an allocation; it grows if a batch does not fit.
///
/// Move only. `view()` returns the view that the algorithms read and write. Threads may read one owner at the same
/// time, or fill different slots of it.
template <class... Fields>
class padded {
public:
    using view_type = padded_view<Fields...>;
    using const_view_type = padded_view<detail::const_field<Fields>...>;
    using fields = detail::field_list<Fields...>;

    static_assert(((alignof(typename Fields::value_type) <= memory::alignment) && ...),
                  "a row's type needs a larger alignment than an owner gives");
    static_assert(view_type::is_writable, "an owner's fields are not const");

    /// Has no memory, and no capacity of its own: `pad_into` makes M the largest count of the batch.
    padded() noexcept = default;

#if PADBATCH_EXCEPTIONS
    /// Makes room for up to `batch` images (B) of `capacity` rows (M). Give dynamic extents of rows by tag:
    /// `padded<boxes<>, masks<>>(8, 100, t::masks.shape(1, 28, 28))`. All counts are 0; the rows are not initialised.
    /// Throws `error` if sizes overflow or there is not enough memory.
    template <class... Tags>
    padded(std::size_t batch, std::size_t capacity, const row_shape<Tags>&... shapes)
    {
        detail::require(try_allocate(batch, capacity, shapes...));
    }

    /// The same in memory that the caller provides; see `bytes_needed`. It never grows beyond that.
    template <class... Tags>
    padded(memory&& block, std::size_t batch, std::size_t capacity, const row_shape<Tags>&... shapes)
    {
        detail::require(try_adopt(std::move(block), batch, capacity, shapes...));
    }
#endif

    padded(padded&& other) noexcept { swap(other); }
    padded& operator=(padded&& other) noexcept
    {
        padded taken(std::move(other));
        swap(taken);
        return *this;
    }
    padded(const padded&) = delete;
    padded& operator=(const padded&) = delete;
    ~padded() = default;

    /// The non-throwing forms of the constructors. A failure changes nothing.
    template <class... Tags>
    [[nodiscard]] status try_allocate(std::size_t batch, std::size_t capacity,
                                      const row_shape<Tags>&... shapes) noexcept
    {
        status outcome =
            detail::first_failure([&] { return check_shapes(shapes...); },
                                  [&] { return reshape(batch, capacity, extents_from(shapes...), false); });
        if (outcome.ok()) {
            m_own_capacity = capacity;
            clear_counts();
        }
        return outcome;
    }
    template <class... Tags>
    [[nodiscard]] status try_adopt(memory&& block, std::size_t batch, std::size_t capacity,
                                   const row_shape<Tags>&... shapes) noexcept
    {
        layout_type layout;
        status outcome =
            detail::first_failure([&] { return check_shapes(shapes...); },
                                  [&] { return make_layout(batch, capacity, extents_from(shapes...), layout); });
        if (!outcome.ok()) {
            return outcome;
        }
        const bool aligned = reinterpret_cast<std::uintptr_t>(block.data()) % memory::alignment == 0;
        if (block.bytes() < layout.total || !aligned) {
            return {status_code::out_of_memory,
                    "{} images of {} rows need {} bytes, aligned to {}; there are {}, aligned to {}",
                    batch,
                    capacity,
                    layout.total,
                    memory::alignment,
                    block.bytes(),
                    aligned ? memory::alignment : std::size_t{1}};
        }
        take(std::move(block), layout);
        m_adopted = true;
        m_padding.start(record_data(), layout.batch);
        place(batch, capacity, extents_from(shapes...));
        m_own_capacity = capacity;
        clear_counts();
        return {};
    }

    /// Sets `bytes` to the number of bytes that memory for the constructor must have, which is 0 for no images. Fails
    /// if the sizes overflow.
    template <class... Tags>
    [[nodiscard]] static status try_bytes_needed(std::size_t& bytes, std::size_t batch, std::size_t capacity,
                                                 const row_shape<Tags>&... shapes) noexcept
    {
        layout_type layout;
        status outcome =
            detail::first_failure([&] { return check_shapes(shapes...); },
                                  [&] { return make_layout(batch, capacity, extents_from(shapes...), layout); });
        if (outcome.ok()) {
            bytes = layout.total;
        }
        return outcome;
    }
#if PADBATCH_EXCEPTIONS
    /// The throwing form.
    template <class... Tags>
    [[nodiscard]] static std::size_t bytes_needed(std::size_t batch, std::size_t capacity,
                                                  const row_shape<Tags>&... shapes)
    {
        std::size_t bytes = 0;
        detail::require(try_bytes_needed(bytes, batch, capacity, shapes...));
        return bytes;
    }
#endif

    [[nodiscard]] view_type view() & noexcept { return m_view; }
    [[nodiscard]] const_view_type view() const& noexcept { return m_view; }
    operator view_type() & noexcept { return m_view; }
    operator const_view_type() const& noexcept { return m_view; }

    [[nodiscard]] std::size_t size() const noexcept { return m_view.size(); }
    [[nodiscard]] std::size_t capacity() const noexcept { return m_view.capacity(); }
    [[nodiscard]] counts_view counts() const& noexcept { return m_view.counts(); }
    [[nodiscard]] std::size_t count(std::size_t i) const noexcept { return m_view.count(i); }
    [[nodiscard]] auto image(std::size_t i) & noexcept { return view().image(i); }
    [[nodiscard]] auto image(std::size_t i) const& noexcept { return view().image(i); }
    /// All M rows of image i, for a producer that writes there itself and then calls `finish_slot`. Notes that the
    /// slot's padding can no longer be trusted. Different slots may be got and written by different threads.
    [[nodiscard]] auto slot(std::size_t i) & noexcept
    {
        m_padding.forget_slot(i, capacity());
        return view().slot(i);
    }
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
    operator const_view_type() const&& = delete;
    void counts() && = delete;
    void slab() && = delete;
    void view() && = delete;
    void image(std::size_t i) && = delete;
    void slot(std::size_t i) && = delete;
    template <field_tag Tag>
    void operator[](const Tag& field) && = delete;
    [[nodiscard]] auto begin() noexcept { return view().begin(); }
    [[nodiscard]] auto end() noexcept { return view().end(); }
    [[nodiscard]] auto begin() const noexcept { return view().begin(); }
    [[nodiscard]] auto end() const noexcept { return view().end(); }

    /// The number of rows of image i that the last `pad_into` dropped because they did not fit.
    [[nodiscard]] std::size_t dropped(std::size_t i) const noexcept
    {
        return static_cast<std::size_t>(dropped_data()[i]);
    }

    /// The counts and all fields, for copying the whole batch at once: from the first count to the last byte of the
    /// last field, gaps included.
    [[nodiscard]] std::span<const std::byte> slab() const& noexcept
    {
        const auto* const first = static_cast<const std::byte*>(m_view.count_data());
        return {first, first == nullptr ? 0 : m_layout.total - m_layout.counts};
    }

    /// Sets the number of images, for producers that fill the slots themselves. If the memory has room for them, rows
    /// and counts stay, and the counts of further images are 0; otherwise nothing of the batch stays. Not while another
    /// thread uses the owner.
    [[nodiscard]] status try_resize(std::size_t batch) noexcept
    {
        const void* const old = m_memory.data();
        const std::size_t kept = size();
        if (status outcome = reshape(batch, capacity(), current_extents(), false); !outcome.ok()) {
            return outcome;
        }
        for (std::size_t i = m_memory.data() == old ? kept : 0; i < batch; ++i) {
            m_view.set_count(i, 0);
            dropped_data()[i] = 0;
        }
        return {};
    }
#if PADBATCH_EXCEPTIONS
    void resize(std::size_t batch) { detail::require(try_resize(batch)); }
#endif

    /// To be called after writing into the padding: the next `padding::reuse` fills all of it. Not while another thread
    /// uses the owner.
    void invalidate() noexcept { m_padding.forget(); }

private:
    friend struct detail::padded_access;

    using layout_type = detail::slab_layout<sizeof...(Fields)>;
    using extents_tuple = std::tuple<typename Fields::extents_type...>;

    memory m_memory;
    layout_type m_layout;
    view_type m_view;
    std::size_t m_own_capacity = std::numeric_limits<std::size_t>::max();
    detail::padding_record<Fields...> m_padding;
    bool m_adopted = false;

    void swap(padded& other) noexcept
    {
        std::swap(m_memory, other.m_memory);
        std::swap(m_layout, other.m_layout);
        std::swap(m_view, other.m_view);
        std::swap(m_own_capacity, other.m_own_capacity);
        std::swap(m_padding, other.m_padding);
        std::swap(m_adopted, other.m_adopted);
    }

    // In front of the counts there are two numbers for each image: how many rows the last call dropped, and the one
    // that the padding record keeps.
    [[nodiscard]] std::int32_t* dropped_data() const noexcept { return static_cast<std::int32_t*>(m_memory.data()); }
    [[nodiscard]] std::int32_t* record_data() const noexcept { return dropped_data() + m_layout.batch; }

    void take(memory&& block, const layout_type& layout) noexcept
    {
        m_memory = std::move(block);
        m_layout = layout;
    }

    void clear_counts() noexcept
    {
        for (std::size_t i = 0; i < size(); ++i) {
            m_view.set_count(i, 0);
            dropped_data()[i] = 0;
        }
    }

    template <class Field, class... Tags>
    [[nodiscard]] static typename Field::extents_type extents_of(const row_shape<Tags>&... shapes) noexcept
    {
        using E = typename Field::extents_type;
        constexpr std::size_t given = (std::size_t{0} + ... + (std::is_same_v<Tags, typename Field::tag> ? 1 : 0));
        static_assert(given < 2, "a field's row shape is given twice");
        E result{};
        if constexpr (given == 1) {
            const auto take = [&](const auto& shape) {
                if constexpr (std::is_same_v<std::remove_cvref_t<decltype(shape)>, row_shape<typename Field::tag>>) {
                    result = detail::extents_cast<E>(shape.extents);
                }
            };
            (take(shapes), ...);
        }
        return result;
    }
    /// Checks that the fields' types can have the given shapes.
    template <class... Tags>
    [[nodiscard]] static status check_shapes(const row_shape<Tags>&... shapes) noexcept
    {
        return detail::first_failure([&] { return check_shape(shapes); }...);
    }
    template <class Tag>
    [[nodiscard]] static status check_shape(const row_shape<Tag>& shape) noexcept
    {
        using found = detail::field_of<Tag, fields>;
        if constexpr (!std::is_void_v<found>) { // which is a compile error elsewhere
            if (!detail::extents_cast<typename found::extents_type>(shape.extents).same_as(shape.extents)) {
                return {status_code::row_mismatch, "the row shape given for {} is not one that its type can have",
                        Tag::name};
            }
        }
        return {};
    }

    template <class... Tags>
    [[nodiscard]] static extents_tuple extents_from(const row_shape<Tags>&... shapes) noexcept
    {
        static_assert(((detail::times_named<Tags, Fields...> == 1) && ...),
                      "a row shape is given for a field that this batch lacks");
        return {extents_of<Fields>(shapes...)...};
    }
    [[nodiscard]] extents_tuple current_extents() const noexcept
    {
        return {m_view[typename Fields::tag{}].extents()...};
    }

    [[nodiscard]] static status make_layout(std::size_t batch, std::size_t capacity, const extents_tuple& extents,
                                            layout_type& layout) noexcept
    {
        if (capacity > detail::highest_number(element_type::int32)) {
            return {status_code::size_overflow, "the capacity is {}, more than a 32-bit count can hold", capacity};
        }
        return [&]<std::size_t... F>(std::index_sequence<F...>) {
            const detail::slab_field all[] = {
                {Fields::tag::name, sizeof(typename Fields::value_type), std::get<F>(extents).checked_size()}...};
            return layout_type::make(batch, capacity, all, layout);
        }(std::index_sequence_for<Fields...>{});
    }

    /// Makes the view refer to the memory as `[batch, capacity, ...]`.
    void place(std::size_t batch, std::size_t capacity, const extents_tuple& extents) noexcept
    {
        auto* const base = static_cast<std::byte*>(m_memory.data());
        [&]<std::size_t... F>(std::index_sequence<F...>) {
            m_view = view_type(
                unchecked, batch, capacity, base + m_layout.counts, element_type::int32,
                detail::field_memory<Fields>{reinterpret_cast<typename Fields::value_type*>(base + m_layout.begin[F]),
                                             std::get<F>(extents)}...);
        }(std::index_sequence_for<Fields...>{});
    }

    /// Makes the batch `[batch, capacity, ...]`, in the present memory if that is large enough. New memory will be all
    /// zero if `zeroed` is set.
    [[nodiscard]] status reshape(std::size_t batch, std::size_t capacity, const extents_tuple& extents,
                                 bool zeroed) noexcept
    {
        layout_type wanted;
        if (status outcome = make_layout(batch, capacity, extents, wanted); !outcome.ok()) {
            return outcome;
        }
        if (m_memory.data() == nullptr || !m_layout.has_room_for(wanted)) {
            if (m_adopted) {
                return {status_code::out_of_memory,
                        "{} images of {} rows do not fit into the memory that this batch was given", batch, capacity};
            }
            if (status outcome = grow(wanted, zeroed); !outcome.ok()) {
                return outcome;
            }
        } else if (capacity != m_view.capacity() || !same_extents(extents)) {
            m_padding.forget(); // the same bytes, but other rows
        }
        place(batch, capacity, extents);
        return {};
    }

    /// Gets new memory, at least as large as the present memory in every part.
    [[nodiscard]] status grow(layout_type wanted, bool zeroed) noexcept
    {
        if (!wanted.grow_to(m_layout)) {
            return {status_code::size_overflow, "a batch of {} images would be more bytes than memory can have",
                    wanted.batch};
        }
        memory block = zeroed ? memory::allocate_zeroed(wanted.total) : memory::allocate(wanted.total);
        if (block.data() == nullptr) {
            return {status_code::out_of_memory, "not enough memory for {} bytes", wanted.total};
        }
        take(std::move(block), wanted);
        if (zeroed) {
            m_padding.start_zeroed(record_data(), wanted.batch);
        } else {
            m_padding.start(record_data(), wanted.batch);
        }
        return {};
    }

    [[nodiscard]] bool same_extents(const extents_tuple& extents) const noexcept
    {
        const extents_tuple current = current_extents();
        return [&]<std::size_t... I>(std::index_sequence<I...>) {
            return (std::get<I>(extents).same_as(std::get<I>(current)) && ...);
        }(std::index_sequence_for<Fields...>{});
    }
};

} // namespace padbatch::inline PADBATCH_ABI

#endif
