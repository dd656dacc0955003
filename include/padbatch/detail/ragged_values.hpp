// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_DETAIL_RAGGED_VALUES_HPP
#define PADBATCH_DETAIL_RAGGED_VALUES_HPP

#include <padbatch/detail/buffer.hpp>
#include <padbatch/detail/copy_row.hpp>
#include <padbatch/detail/field_memory.hpp>

#include <cstddef>
#include <cstring>
#include <type_traits>

namespace padbatch::inline PADBATCH_ABI::detail {

/// The extents of the rows of one field of a ragged batch, and whether they are known yet.
template <class Field>
struct ragged_shape {
    using E = typename Field::extents_type;

    [[no_unique_address]] E row{};
    bool known = E::is_static;

    /// Checks that these rows can follow.
    template <class Rows>
    [[nodiscard]] status check(const Rows& rows) const noexcept
    {
        static_assert(may_be_same<E, typename Rows::extents_type>(), "the rows have another shape than this batch's");
        if (rows.empty()) {
            return {};
        }
        if constexpr (!(E::is_static && Rows::extents_type::is_static)) {
            const auto found = rows.extents().to_array();
            if (known ? !row.same_as(rows.extents()) : !E::matches(found)) {
                return {status_code::row_mismatch, "rows of {} of {} cannot follow rows of {}", Field::tag::name, found,
                        row.to_array()};
            }
        }
        return {};
    }

    /// These rows do follow.
    template <class Rows>
    void add(const Rows& rows) noexcept
    {
        if (!known && rows.row_size() != 0) {
            row = extents_cast<E>(rows.extents());
        }
        known = known || !rows.empty();
    }
};

/// The values of one field of a ragged batch.
template <class Field>
struct ragged_values {
    using T = typename Field::value_type;

    buffer<T> values;
    ragged_shape<Field> shape;
    bool given = Field::extents_type::is_static; // the extents are known without any rows

    /// Whether any of these rows may be in the memory here.
    template <class Rows>
    [[nodiscard]] bool overlaps(const Rows& rows) const noexcept
    {
        return rows_overlap(rows, values.data(), values.data() + values.capacity());
    }

    /// Makes room for `rows` rows in all.
    [[nodiscard]] status reserve(std::size_t rows, const typename Field::extents_type& extents) noexcept
    {
        const std::size_t factors[] = {rows, extents.checked_size(), sizeof(T)};
        std::size_t bytes = 0;
        if (status outcome = multiply_sizes(factors, Field::tag::name, bytes); !outcome.ok()) {
            return outcome;
        }
        if (!values.try_reserve(bytes / sizeof(T))) {
            return {status_code::out_of_memory, "not enough memory for {} rows of {}", rows, Field::tag::name};
        }
        return {};
    }

    /// Copies `n` rows that begin at row `from` to row `to`, before it.
    void move(std::size_t to, std::size_t from, std::size_t n) noexcept
    {
        const std::size_t size = shape.row.size();
        if (n * size != 0) {
            std::memmove(static_cast<void*>(values.data() + to * size),
                         static_cast<const void*>(values.data() + from * size), n * size * sizeof(T));
        }
    }

    /// Appends rows, for which there is room, to the `before` that are here.
    template <class Rows>
    void append(std::size_t before, const Rows& rows) noexcept
    {
        shape.add(rows);
        const std::size_t size = shape.row.size();
        T* const to = values.data() + before * size;
        if constexpr (Rows::is_contiguous && std::is_same_v<typename Rows::value_type, T>) {
            if (rows.size() * size != 0) {
                std::memcpy(static_cast<void*>(to), static_cast<const void*>(rows.data()),
                            rows.size() * size * sizeof(T));
            }
        } else {
            for (std::size_t j = 0; j < rows.size(); ++j) {
                copy_row_of(to + j * size, shape.row, rows, j);
            }
        }
    }
};

} // namespace padbatch::inline PADBATCH_ABI::detail

#endif
