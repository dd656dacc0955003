// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_ROW_OFFSETS_HPP
#define PADBATCH_ROW_OFFSETS_HPP

#include <padbatch/convert_counts.hpp>
#include <padbatch/counts.hpp>
#include <padbatch/detail/buffer.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>

namespace padbatch::inline PADBATCH_ABI {

/// Offsets made from counts, for the rows of all images, one image after the other, that come with a count for each:
///
///     row_offsets offsets(counts);
///     auto batch = columns(rows, 6, offsets, t::boxes(cols<2, 4>), t::scores(col<1>));
///
/// Owns its memory, `[B + 1]` of int64, and keeps it, so that building it again does not allocate. Move only.
class row_offsets {
public:
    row_offsets() noexcept = default;

#if PADBATCH_EXCEPTIONS
    /// Takes counts of int32, int64 or float. Throws `error` if `try_build` fails.
    template <class Counts>
        requires(!std::same_as<Counts, row_offsets>)
    explicit row_offsets(const Counts& counts)
    {
        detail::require(try_build(counts));
    }
#endif

    /// Fails if a count is negative or not whole, or if there is not enough memory; there are no images then.
    template <class Counts>
    [[nodiscard]] status try_build(const Counts& counts) noexcept
    {
        if constexpr (detail::holds_counts<Counts>()) {
            return build(counts);
        } else {
            return {};
        }
    }

    [[nodiscard]] const std::int64_t* data() const noexcept
    {
        return m_offsets.size() == 0 ? &s_zero : m_offsets.data();
    }
    /// The number of offsets, one more than there are images.
    [[nodiscard]] std::size_t size() const noexcept { return m_offsets.size() == 0 ? 1 : m_offsets.size(); }

    [[nodiscard]] const std::int64_t* begin() const noexcept { return data(); }
    [[nodiscard]] const std::int64_t* end() const noexcept { return data() + size(); }

private:
    static constexpr std::int64_t s_zero = 0;

    detail::buffer<std::int64_t> m_offsets;

    template <class Counts>
    [[nodiscard]] status build(const Counts& counts) noexcept
    {
        m_offsets.clear();
        constexpr std::size_t any = std::numeric_limits<std::int32_t>::max();
        if (status outcome = counts_view::check(counts, any); !outcome.ok()) {
            return outcome;
        }
        if (!m_offsets.try_resize(static_cast<std::size_t>(counts.size()) + 1)) {
            return {status_code::out_of_memory, "not enough memory for the offsets of {} images",
                    static_cast<std::size_t>(counts.size())};
        }
        return try_to_offsets(counts_view(unchecked, counts), std::span(m_offsets.data(), m_offsets.size()));
    }
};

} // namespace padbatch::inline PADBATCH_ABI

#endif
