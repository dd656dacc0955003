// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_DETAIL_SLAB_LAYOUT_HPP
#define PADBATCH_DETAIL_SLAB_LAYOUT_HPP

#include <padbatch/detail/field_memory.hpp>
#include <padbatch/error.hpp>
#include <padbatch/memory.hpp>

#include <cstddef>
#include <cstdint>
#include <limits>

namespace padbatch::inline PADBATCH_ABI::detail {

/// One field of a slab.
struct slab_field {
    const char* name;
    std::size_t element_bytes;
    std::size_t row_size;
};

/// Where the parts of an owner's memory begin, each aligned: two int32 notes for each image (see `padded`), the counts,
/// and `N` fields.
template <std::size_t N>
struct slab_layout {
    std::size_t batch = 0;
    std::size_t counts = 0;
    std::size_t begin[N] = {};
    std::size_t bytes[N] = {};
    std::size_t total = 0;

    /// Lays out a batch of `[batch, capacity, ...]`. Fails with `status_code::size_overflow` if it is larger than
    /// memory can be.
    [[nodiscard]] static status make(std::size_t batch, std::size_t capacity, const slab_field (&fields)[N],
                                     slab_layout& result) noexcept
    {
        const std::size_t numbers[] = {batch, 3 * sizeof(std::int32_t)};
        std::size_t sum = 0;
        if (status outcome = multiply_sizes(numbers, "counts", sum); !outcome.ok()) {
            return outcome;
        }
        slab_layout layout;
        layout.batch = batch;
        for (std::size_t f = 0; f < N; ++f) {
            const std::size_t factors[] = {batch, capacity, fields[f].row_size, fields[f].element_bytes};
            if (status outcome = multiply_sizes(factors, fields[f].name, layout.bytes[f]); !outcome.ok()) {
                return outcome;
            }
        }
        return layout.place() ? (result = layout, status())
                              : status(status_code::size_overflow,
                                       "{} images of {} rows are more bytes than memory can have", batch, capacity);
    }

    /// Whether a batch of the other layout fits into this one.
    [[nodiscard]] bool has_room_for(const slab_layout& other) const noexcept
    {
        bool fits = other.batch <= batch;
        for (std::size_t f = 0; f < N; ++f) {
            fits = fits && other.bytes[f] <= bytes[f];
        }
        return fits;
    }

    /// Makes each part at least as large as the other's. Returns false if that is more than memory can have.
    [[nodiscard]] bool grow_to(const slab_layout& other) noexcept
    {
        batch = batch > other.batch ? batch : other.batch;
        for (std::size_t f = 0; f < N; ++f) {
            bytes[f] = bytes[f] > other.bytes[f] ? bytes[f] : other.bytes[f];
        }
        return place();
    }

private:
    /// Moves `offset` behind `size` bytes, and aligns it. Returns false if that is too large.
    [[nodiscard]] static bool advance(std::size_t& offset, std::size_t size) noexcept
    {
        constexpr std::size_t most =
            static_cast<std::size_t>(std::numeric_limits<std::ptrdiff_t>::max()) - memory::alignment;
        if (size > most - memory::alignment || offset > most - memory::alignment - size) {
            return false;
        }
        offset = (offset + size + memory::alignment - 1) / memory::alignment * memory::alignment;
        return true;
    }

    [[nodiscard]] bool place() noexcept
    {
        std::size_t offset = 0;
        if (!advance(offset, 2 * batch * sizeof(std::int32_t))) {
            return false;
        }
        counts = offset;
        if (!advance(offset, batch * sizeof(std::int32_t))) {
            return false;
        }
        for (std::size_t f = 0; f < N; ++f) {
            begin[f] = offset;
            if (!advance(offset, bytes[f])) {
                return false;
            }
        }
        total = offset;
        return true;
    }
};

} // namespace padbatch::inline PADBATCH_ABI::detail

#endif
