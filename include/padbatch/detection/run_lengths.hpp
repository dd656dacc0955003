// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_DETECTION_RUN_LENGTHS_HPP
#define PADBATCH_DETECTION_RUN_LENGTHS_HPP

#include <padbatch/detail/buffer.hpp>
#include <padbatch/detail/index_iterator.hpp>
#include <padbatch/error.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <utility>

namespace padbatch::inline PADBATCH_ABI {

/// The run lengths of one mask, as COCO has them: the pixels are read column by column, from the top down, and the
/// counts are the lengths of runs of equal pixels, the first of them of zeros (so it may be 0). They add up to height
/// * width. A view.
struct run_length_view {
    std::span<const std::uint32_t> counts;
    std::size_t height = 0;
    std::size_t width = 0;
};

namespace detail {

struct rle_access;

/// Checks that masks of this size can have run lengths: counts are 32-bit numbers.
[[nodiscard]] inline status check_rle_size(std::size_t height, std::size_t width) noexcept
{
    if (height == 0 || width == 0) {
        return {status_code::bad_argument, "masks of {} x {} pixels: expected a height and a width of 1 or more",
                height, width};
    }
    if (height > UINT32_MAX / width) {
        return {status_code::size_overflow,
                "masks of {} x {} pixels: run lengths are 32-bit numbers, so a mask has at most {} pixels", height,
                width, std::uint32_t{UINT32_MAX}};
    }
    return {};
}

/// Checks that the counts are the run lengths of a mask of this size.
[[nodiscard]] inline status check_rle(const run_length_view& runs) noexcept
{
    if (status outcome = check_rle_size(runs.height, runs.width); !outcome.ok()) {
        return outcome;
    }
    std::uint64_t sum = 0; // of at most 2^60 counts below 2^32, of which 2^32 are not 0 or the sum is too high
    const std::uint32_t* const counts = runs.counts.data();
    constexpr std::size_t step = 16;
    std::size_t k = 0;
    for (; k + step <= runs.counts.size(); k += step) {
        std::uint64_t some = 0;
        for (std::size_t j = k; j < k + step; ++j) {
            some += counts[j];
        }
        sum += some;
    }
    for (; k < runs.counts.size(); ++k) {
        sum += counts[k];
    }
    if (sum != std::uint64_t{runs.height} * runs.width) {
        return {status_code::size_mismatch,
                "the run lengths add up to {}; expected {}, the pixels of a mask of {} x {}",
                sum,
                runs.height * runs.width,
                runs.height,
                runs.width};
    }
    return {};
}

} // namespace detail

/// Owns the run lengths of many masks of one size, one after the other. Functions such as `rle_encode` append to it.
/// It keeps its memory when it is cleared, so that filling it again does not allocate. Move only.
class run_lengths {
    /// What an iterator keeps, which does not copy the list.
    struct masks_of {
        const run_lengths* list;
        [[nodiscard]] run_length_view operator[](std::size_t i) const noexcept { return (*list)[i]; }
    };

public:
    run_lengths() noexcept = default;
    run_lengths(run_lengths&& other) noexcept { swap(other); }
    run_lengths& operator=(run_lengths&& other) noexcept
    {
        run_lengths taken(std::move(other));
        swap(taken);
        return *this;
    }
    run_lengths(const run_lengths&) = delete;
    run_lengths& operator=(const run_lengths&) = delete;
    ~run_lengths() = default;

    /// The number of masks.
    [[nodiscard]] std::size_t size() const noexcept { return m_ends.size(); }
    [[nodiscard]] bool empty() const noexcept { return size() == 0; }
    /// The size of the masks; 0 before the first mask.
    [[nodiscard]] std::size_t height() const noexcept { return empty() ? 0 : m_height; }
    [[nodiscard]] std::size_t width() const noexcept { return empty() ? 0 : m_width; }

    /// The run lengths of mask i. Valid until masks are appended.
    [[nodiscard]] run_length_view operator[](std::size_t i) const noexcept
    {
        const std::size_t first = i == 0 ? 0 : m_ends[i - 1];
        return {{m_counts.data() + first, m_ends[i] - first}, m_height, m_width};
    }
    /// The run lengths of all masks, one mask after the other.
    [[nodiscard]] std::span<const std::uint32_t> counts() const noexcept
    {
        return {m_counts.data(), empty() ? 0 : m_ends[size() - 1]};
    }

    [[nodiscard]] auto begin() const noexcept { return detail::index_iterator<masks_of>({this}, 0); }
    [[nodiscard]] auto end() const noexcept { return detail::index_iterator<masks_of>({this}, size()); }

    /// Forgets the masks, but keeps the memory. The next masks may have another size.
    void clear() noexcept
    {
        m_counts.clear();
        m_ends.clear();
    }

    /// Makes room for this many masks and run lengths in all.
    [[nodiscard]] status try_reserve(std::size_t masks, std::size_t counts) noexcept
    {
        if (!m_ends.try_reserve(masks) || !m_counts.try_reserve(counts)) {
            return {status_code::out_of_memory, "not enough memory for {} masks of {} run lengths in all", masks,
                    counts};
        }
        return {};
    }

    /// Appends a mask from its run lengths, as they are. Fails, and appends nothing, if they do not add up to height *
    /// width, if the size is not that of the masks before it, or if the run lengths are in this list's own memory.
    [[nodiscard]] status try_append(const run_length_view& runs) noexcept
    {
        if (status outcome = detail::check_rle(runs); !outcome.ok()) {
            return outcome;
        }
        if (status outcome = check_same_size(runs.height, runs.width); !outcome.ok()) {
            return outcome;
        }
        if (holds(runs)) {
            return {status_code::overlap, "the run lengths are in the memory of the list that they are appended to, "
                                          "which may move: copy them first"};
        }
        const std::size_t used = counts().size();
        if (status outcome = try_reserve(size() + 1, used + runs.counts.size()); !outcome.ok()) {
            return outcome;
        }
        std::memcpy(m_counts.data() + used, runs.counts.data(), runs.counts.size_bytes());
        close(used + runs.counts.size(), runs.height, runs.width);
        return {};
    }

#if PADBATCH_EXCEPTIONS
    /// Makes room for this many masks and run lengths in all. Throws `error` if there is not enough memory.
    void reserve(std::size_t masks, std::size_t counts) { detail::require(try_reserve(masks, counts)); }
    /// Appends a mask from its run lengths. Throws `error` as `try_append` fails.
    void append(const run_length_view& runs) { detail::require(try_append(runs)); }
#endif

private:
    friend struct detail::rle_access;

    detail::buffer<std::uint32_t> m_counts;
    detail::buffer<std::size_t> m_ends; // of each mask, in `m_counts`
    std::size_t m_height = 0;
    std::size_t m_width = 0;

    void swap(run_lengths& other) noexcept
    {
        std::swap(m_counts, other.m_counts);
        std::swap(m_ends, other.m_ends);
        std::swap(m_height, other.m_height);
        std::swap(m_width, other.m_width);
    }
    [[nodiscard]] status check_same_size(std::size_t height, std::size_t width) const noexcept
    {
        if (!empty() && (height != m_height || width != m_width)) {
            return {status_code::row_mismatch,
                    "masks of {} x {} cannot be appended to masks of {} x {}: clear the list, or take another one",
                    height,
                    width,
                    m_height,
                    m_width};
        }
        return {};
    }
    /// Whether the view is of this list.
    [[nodiscard]] bool holds(const run_length_view& runs) const noexcept
    {
        const auto at = reinterpret_cast<std::uintptr_t>(runs.counts.data());
        const auto first = reinterpret_cast<std::uintptr_t>(m_counts.data());
        const auto last = reinterpret_cast<std::uintptr_t>(m_counts.data() + m_counts.capacity());
        return at < last && at + runs.counts.size_bytes() > first;
    }
    /// Adds a mask whose counts reach up to `end`; there is room for it.
    void close(std::size_t end, std::size_t height, std::size_t width) noexcept
    {
        m_height = height;
        m_width = width;
        const std::size_t n = m_ends.size();
        static_cast<void>(m_ends.try_resize(n + 1)); // reserved
        m_ends[n] = end;
    }
};

namespace detail {

/// For padbatch's own algorithms.
struct rle_access {
    [[nodiscard]] static status check_same_size(const run_lengths& runs, std::size_t height, std::size_t width) noexcept
    {
        return runs.check_same_size(height, width);
    }
    [[nodiscard]] static bool holds(const run_lengths& runs, const run_length_view& view) noexcept
    {
        return runs.holds(view);
    }
    /// Makes room for `more` counts behind the `used` ones, and for the end of their mask.
    [[nodiscard]] static bool reserve(run_lengths& runs, std::size_t used, std::size_t more) noexcept
    {
        return runs.m_ends.try_reserve(runs.size() + 1) && runs.m_counts.try_reserve(used + more);
    }
    [[nodiscard]] static std::uint32_t* data(const run_lengths& runs) noexcept { return runs.m_counts.data(); }
    static void close(run_lengths& runs, std::size_t end, std::size_t height, std::size_t width) noexcept
    {
        runs.close(end, height, width);
    }
    /// Drops the masks from number `size` on.
    static void shrink(run_lengths& runs, std::size_t size) noexcept
    {
        static_cast<void>(runs.m_ends.try_resize(size));
    }
};

} // namespace detail

} // namespace padbatch::inline PADBATCH_ABI

#endif
