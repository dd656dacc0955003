// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_ROW_INDEX_HPP
#define PADBATCH_ROW_INDEX_HPP

#include <padbatch/counts.hpp>
#include <padbatch/detail/anything.hpp>
#include <padbatch/detail/buffer.hpp>
#include <padbatch/error.hpp>
#include <padbatch/fields.hpp>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <type_traits>

namespace padbatch::inline PADBATCH_ABI {

/// Says that the rows end at the first batch index of -1, as in the output of OpenVINO's DetectionOutput.
struct ends_with_minus_one_t {};
inline constexpr ends_with_minus_one_t ends_with_minus_one{};

/// Which flat rows belong to which image, from a batch index for each row, sorted or not. The rows of an image keep
/// their order. Any image may have no rows, the last ones included.
///
/// Owns its memory and keeps it, so that building it again does not allocate. Threads may read it at the same time, but
/// not while it is built.
class row_index {
public:
    row_index() noexcept = default;

#if PADBATCH_EXCEPTIONS
    /// Takes the batch indices: whole numbers from 0 to `batch` - 1, as integers or floats. Throws `error`
    /// (`status_code::bad_batch_index`) for any other.
    template <detail::contiguous_values Ids>
    row_index(const Ids& ids, std::size_t batch)
    {
        detail::require(try_build(ids, batch));
    }
    template <detail::contiguous_values Ids>
    row_index(const Ids& ids, std::size_t batch, ends_with_minus_one_t stop)
    {
        detail::require(try_build(ids, batch, stop));
    }
    /// The batch indices are a column of flat rows: `row_index(values, 7, col<0>, batch)`.
    template <detail::contiguous_values Values, std::size_t Column>
    row_index(const Values& values, std::size_t width, columns_t<Column, 1> column, std::size_t batch)
    {
        detail::require(try_build(values, width, column, batch));
    }
    template <detail::contiguous_values Values, std::size_t Column>
    row_index(const Values& values, std::size_t width, columns_t<Column, 1> column, std::size_t batch,
              ends_with_minus_one_t stop)
    {
        detail::require(try_build(values, width, column, batch, stop));
    }
    template <class X, class Y>
        requires(!detail::contiguous_values<const X>)
    row_index(const X& ids, const Y& batch)
    {
        detail::require(try_build(ids, batch));
    }
#endif

    /// The non-throwing form of the constructors. If it fails, the index is empty.
    template <detail::contiguous_values Ids>
    [[nodiscard]] status try_build(const Ids& ids, std::size_t batch) noexcept
    {
        return build(ids.data(), 1, ids.size(), batch, false);
    }
    template <detail::contiguous_values Ids>
    [[nodiscard]] status try_build(const Ids& ids, std::size_t batch, ends_with_minus_one_t /*stop*/) noexcept
    {
        return build(ids.data(), 1, ids.size(), batch, true);
    }
    template <detail::contiguous_values Values, std::size_t Column>
    [[nodiscard]] status try_build(const Values& values, std::size_t width, columns_t<Column, 1> column,
                                   std::size_t batch) noexcept
    {
        return build_from_column(values, width, column, batch, false);
    }
    template <detail::contiguous_values Values, std::size_t Column>
    [[nodiscard]] status try_build(const Values& values, std::size_t width, columns_t<Column, 1> column,
                                   std::size_t batch, ends_with_minus_one_t /*stop*/) noexcept
    {
        return build_from_column(values, width, column, batch, true);
    }

    template <class Never = void>
    [[nodiscard]] status try_build(PADBATCH_DETAIL_ANYTHING) noexcept
    {
        static_assert(detail::chosen<Never>,
                      "a row_index is made from batch indices, row_index(ids, batch), or from a column of flat rows, "
                      "row_index(values, 7, col<0>, batch): ids and rows are containers (for a pointer write "
                      "std::span(pointer, size))");
        return {};
    }

    /// The number of images.
    [[nodiscard]] std::size_t size() const noexcept { return m_offsets.size() == 0 ? 0 : m_offsets.size() - 1; }
    /// The number of rows that belong to an image.
    [[nodiscard]] std::size_t rows() const noexcept { return m_order.size(); }
    /// The number of rows that were given, those behind the end included.
    [[nodiscard]] std::size_t given_rows() const noexcept { return m_given; }
    [[nodiscard]] std::size_t count(std::size_t i) const noexcept
    {
        return static_cast<std::size_t>(m_offsets[i + 1] - m_offsets[i]);
    }
    /// The numbers of image i's rows, ascending.
    [[nodiscard]] std::span<const std::int32_t> rows_of(std::size_t i) const noexcept
    {
        return {m_order.data() + m_offsets[i], count(i)};
    }
    /// Whether the rows were given sorted by image, so that each image's are adjacent.
    [[nodiscard]] bool is_sorted() const noexcept { return m_sorted; }

private:
    detail::buffer<std::int32_t> m_order;
    detail::buffer<std::int32_t> m_offsets;
    std::size_t m_given = 0;
    bool m_sorted = true;

    template <class Values, std::size_t Column>
    [[nodiscard]] status build_from_column(const Values& values, std::size_t width, columns_t<Column, 1> /*column*/,
                                           std::size_t batch, bool stops) noexcept
    {
        using T = detail::value_of<const Values>;
        static_assert(element<T>, "give flat rows as a container of their numbers");
        clear();
        if (Column >= width) {
            return {status_code::bad_argument, "the batch index is in column {}, but a row has {} columns", Column,
                    width};
        }
        if (values.size() % width != 0) {
            return {status_code::size_mismatch,
                    "there are {} values, which is not a multiple of the {} columns of a row",
                    static_cast<std::size_t>(values.size()), width};
        }
        return build(values.data() + (values.size() == 0 ? 0 : Column), width, values.size() / width, batch, stops);
    }

    void clear() noexcept
    {
        m_order.clear();
        m_offsets.clear();
        m_given = 0;
        m_sorted = true;
    }

    template <class T>
    [[nodiscard]] status build(const T* ids, std::size_t stride, std::size_t n, std::size_t batch, bool stops) noexcept
    {
        static_assert(std::is_integral_v<T> || std::is_floating_point_v<T>, "batch indices are integers or floats");
        clear();
        constexpr std::size_t most = std::numeric_limits<std::int32_t>::max();
        if (n > most || batch >= most) {
            return {status_code::size_overflow, "{} rows of {} images are more than a 32-bit index can number", n,
                    batch};
        }
        std::size_t used = n;
        bool sorted = true;
        T before{};
        for (std::size_t j = 0; j < n; ++j) {
            const T id = ids[j * stride];
            if (stops && std::is_signed_v<T> && id == static_cast<T>(-1)) {
                used = j;
                break;
            }
            if (!is_index(id, batch)) [[unlikely]] {
                return bad_index(j, id, batch);
            }
            sorted = sorted && !(id < before);
            before = id;
        }
        if (!m_offsets.try_resize(batch + 1) || !m_order.try_resize(used)) {
            clear();
            return {status_code::out_of_memory, "not enough memory for an index of {} rows of {} images", used, batch};
        }
        // A counting sort: count the rows of each image, find where they begin, then place row after row.
        for (std::size_t i = 0; i <= batch; ++i) {
            m_offsets[i] = 0;
        }
        for (std::size_t j = 0; j < used; ++j) {
            ++m_offsets[static_cast<std::size_t>(ids[j * stride])];
        }
        std::int32_t first = 0;
        for (std::size_t i = 0; i <= batch; ++i) {
            const std::int32_t count = m_offsets[i];
            m_offsets[i] = first;
            first += count;
        }
        for (std::size_t j = 0; j < used; ++j) {
            std::int32_t& next = m_offsets[static_cast<std::size_t>(ids[j * stride])];
            m_order[static_cast<std::size_t>(next++)] = static_cast<std::int32_t>(j);
        }
        for (std::size_t i = batch; i > 0; --i) {
            m_offsets[i] = m_offsets[i - 1];
        }
        m_offsets[0] = 0;
        m_sorted = sorted;
        m_given = n;
        return {};
    }

    template <class T>
    [[nodiscard]] static bool is_index(T id, std::size_t batch) noexcept
    {
        if constexpr (std::is_floating_point_v<T>) {
            return id >= T{0} && static_cast<double>(id) < static_cast<double>(batch) &&
                   static_cast<T>(static_cast<std::int64_t>(id)) == id;
        } else {
            return !(id < T{0}) && static_cast<std::uint64_t>(id) < batch;
        }
    }

    template <class T>
    [[nodiscard]] static status bad_index(std::size_t row, T id, std::size_t batch) noexcept
    {
        return {status_code::bad_batch_index,
                "the batch index of row {} is {}; expected a whole number from 0 to {}, one less than the batch size",
                row, id, static_cast<std::int64_t>(batch) - 1};
    }
};

} // namespace padbatch::inline PADBATCH_ABI

#endif
