// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_DETAIL_PAD_IMAGES_HPP
#define PADBATCH_DETAIL_PAD_IMAGES_HPP

#include <padbatch/counts.hpp>
#include <padbatch/detail/copy.hpp>
#include <padbatch/detail/copy_row.hpp>
#include <padbatch/detail/fill.hpp>
#include <padbatch/detail/fill_values.hpp>
#include <padbatch/element_type.hpp>
#include <padbatch/image.hpp>
#include <padbatch/padded_view.hpp>
#include <padbatch/rows.hpp>
#include <padbatch/source.hpp>

#include <cstddef>
#include <cstdint>
#include <tuple>
#include <type_traits>
#include <utility>

namespace padbatch::inline PADBATCH_ABI::detail {

/// The slot of one field that is being written, and the sizes to get to the next.
template <class T>
struct slot_cursor {
    T* to;
    std::size_t row_size;
    std::size_t slot_size;
};

/// How bytes are stored.
enum class stores : unsigned char {
    /// Through the caches.
    cached,
    /// Past the caches, if slots are large enough.
    streaming,
};

/// Copies the first `n` rows of `from` to `to`.
template <std::size_t Width, stores Stores, class To, class E, class From, class FromE, class Layout>
PADBATCH_DETAIL_INLINE void copy_rows(To* to, const E& extents, std::size_t n,
                                      const basic_rows<From, FromE, Layout>& from, bool large) noexcept
{
    if constexpr (std::is_same_v<Layout, layout::contiguous> && std::is_same_v<To, std::remove_const_t<From>>) {
        const std::size_t bytes = n * extents.size() * sizeof(To);
        if (Stores == stores::streaming && large) {
            stream_copy(reinterpret_cast<std::byte*>(to), reinterpret_cast<const std::byte*>(from.data()), bytes);
        } else {
            copy<Width>(reinterpret_cast<std::byte*>(to), reinterpret_cast<const std::byte*>(from.data()), bytes);
        }
    } else {
        const std::size_t size = extents.size();
        for (std::size_t j = 0; j < n; ++j) {
            copy_row_of(to + j * size, extents, from, j);
        }
    }
}

template <std::size_t Width, stores Stores, class To, class E, class Reader, class Items, class Access>
PADBATCH_DETAIL_INLINE void copy_rows(To* to, const E& extents, std::size_t n,
                                      const item_rows<Reader, Items, Access>& from, bool /*large*/) noexcept
{
    for (std::size_t j = 0; j < n; ++j) {
        copy_row_of(to + j * extents.size(), extents, from, j);
    }
}

/// Fills a slot with `n` real rows from there to row `stale`, from which on it holds the pad values already.
template <std::size_t Width, stores Stores, class Field, class Fill>
PADBATCH_DETAIL_INLINE void fill_slot(const slot_cursor<typename Field::value_type>& at, std::size_t n,
                                      std::size_t stale, const Fill& fill_values) noexcept
{
    using T = typename Field::value_type;
    if (stale <= n) {
        return;
    }
    auto* const to = reinterpret_cast<std::byte*>(at.to + n * at.row_size);
    const std::size_t bytes = (stale - n) * at.row_size * sizeof(T);
    const bool large = Stores == stores::streaming && at.slot_size * sizeof(T) >= stream_slot;
    if constexpr (Fill::is_zero) {
        if (large) {
            stream_zero(to, bytes);
        } else {
            fill_zero<Width>(to, bytes);
        }
    } else {
        const fill_pattern& pattern = std::get<field_fill<Field>>(fill_values.fields).pattern;
        if (large) {
            stream_fill(to, bytes, pattern);
        } else {
            fill<Width>(to, bytes, pattern);
        }
    }
}

/// The numbers of the rows to keep of an image that has too many, for `overflow::top_scores`.
struct kept_rows {
    const std::int32_t* index = nullptr;
    std::size_t size = 0;
};

/// The work of `pad_into` once everything has been checked: copies rows, fills the rest, writes the counts.
template <class View, class Source, class Fill>
struct pad_job;
template <class... Fields, class Source, class Fill>
struct pad_job<padded_view<Fields...>, Source, Fill> {
    const padded_view<Fields...>& output;
    const Source& source;
    const Fill& fill_values;
    /// The row of each slot from which on it holds the pad values already; null if there is none.
    const std::int32_t* clean = nullptr;
    /// The memory is new, and the system provides each page when it is touched, so that going past the caches gains
    /// nothing.
    bool fresh = false;

    /// `keep(i, n)` returns the rows to keep of image i, which has n, more than fit; if it returns none, the first are
    /// kept. Returns the number of rows copied.
    template <class Keep>
    std::size_t run(const Keep& keep) const noexcept
    {
        std::size_t rows = 0;
        const bool streams = !fresh && total_bytes() >= stream_total;
        with_widest_block([&](auto width) PADBATCH_DETAIL_INLINE_LAMBDA {
            constexpr std::size_t w = decltype(width)::value;
            if (streams) {
                rows = images<w, stores::streaming>(keep);
            } else {
                rows = images<w, stores::cached>(keep);
            }
        });
        if (streams) {
            stream_fence();
        }
        return rows;
    }

private:
    [[nodiscard]] std::size_t total_bytes() const noexcept
    {
        return (... + (output[typename Fields::tag{}].size() * sizeof(typename Fields::value_type)));
    }

    template <class Field>
    [[nodiscard]] PADBATCH_DETAIL_INLINE auto cursor() const noexcept
    {
        const auto whole = output[typename Field::tag{}];
        const std::size_t row_size = whole.extents().size();
        return slot_cursor<typename Field::value_type>{whole.data(), row_size, output.capacity() * row_size};
    }

    template <class Field>
    [[nodiscard]] static constexpr bool is_large(std::size_t slot_size) noexcept
    {
        return slot_size * sizeof(typename Field::value_type) >= stream_slot;
    }

    template <class Field>
    using slot_rows =
        tagged_rows<typename Field::tag, basic_rows<typename Field::value_type, typename Field::extents_type>>;
    using slot_image = image_view<slot_rows<Fields>...>;

    template <std::size_t Width, stores Stores, class Keep>
    PADBATCH_DETAIL_INLINE std::size_t images(const Keep& keep) const noexcept
    {
        // Bytes may alias anything: a value that is not a local copy would be read again after every store.
        const std::size_t end = output.size();
        const std::size_t capacity = output.capacity();
        void* const counts = output.count_data();
        const element_type count_type = output.count_type();
        const std::int32_t* const clean_from = clean;
        std::tuple<slot_cursor<typename Fields::value_type>...> at{cursor<Fields>()...};
        const std::tuple<typename Fields::extents_type...> extents{output[typename Fields::tag{}].extents()...};

        std::size_t rows = 0;
        for (std::size_t i = 0; i < end; ++i) {
            const std::size_t n = source.count(i);
            const std::size_t kept = n < capacity ? n : capacity;
            const std::size_t stale = clean_from == nullptr ? capacity : static_cast<std::size_t>(clean_from[i]);
            [&]<std::size_t... F>(std::index_sequence<F...>) PADBATCH_DETAIL_INLINE_LAMBDA {
                const kept_rows chosen = n > capacity ? keep(i, n) : kept_rows{};
                if (chosen.index != nullptr) [[unlikely]] {
                    copy_chosen(i, chosen);
                } else if constexpr (copies_itself<Source, slot_image>) {
                    source.copy_to(i,
                                   slot_image(slot_rows<Fields>{{std::get<F>(at).to, kept, std::get<F>(extents)}}...));
                } else {
                    const auto image = source.image(i);
                    (copy_rows<Width, Stores>(std::get<F>(at).to, std::get<F>(extents), kept,
                                              image[typename Fields::tag{}],
                                              is_large<Fields>(std::get<F>(at).slot_size)),
                     ...);
                }
                (fill_slot<Width, Stores, Fields>(std::get<F>(at), kept, stale, fill_values), ...);
                ((std::get<F>(at).to += std::get<F>(at).slot_size), ...);
            }(std::index_sequence_for<Fields...>{});
            write_number(counts, count_type, i, kept);
            rows += kept;
        }
        return rows;
    }

    [[gnu::noinline]] void copy_chosen(std::size_t i, const kept_rows& chosen) const noexcept
    {
        const auto image = source.image(i);
        const auto slot = output.slot(i);
        const auto copy_field = [&](const auto& to, const auto& from) {
            for (std::size_t j = 0; j < chosen.size; ++j) {
                copy_row_of(to.row_data(j), to.extents(), from, static_cast<std::size_t>(chosen.index[j]));
            }
        };
        (copy_field(slot[typename Fields::tag{}], image[typename Fields::tag{}]), ...);
    }
};

} // namespace padbatch::inline PADBATCH_ABI::detail

#endif
