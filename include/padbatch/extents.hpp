// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_EXTENTS_HPP
#define PADBATCH_EXTENTS_HPP

#include <padbatch/error.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <type_traits>

namespace padbatch::inline PADBATCH_ABI {

/// An extent that is known only at run time.
inline constexpr std::size_t dynamic = std::dynamic_extent;

/// The shape of one row of a field: `row_extents<4>` for a box, `row_extents<>` for a score, `row_extents<1, dynamic,
/// dynamic>` for a mask of `[1, H, W]`. Takes no memory when all extents are known at compile time.
template <std::size_t... E>
class row_extents {
public:
    static constexpr std::size_t rank = sizeof...(E);
    static constexpr bool is_static = ((E != dynamic) && ...);

    /// The extents that are known at compile time; dynamic ones are 0.
    constexpr row_extents() noexcept = default;

    /// Takes all `rank` extents. Those that are known at compile time must agree (see `matches`); one that does not
    /// becomes larger than any memory, so that no check accepts it.
    constexpr explicit row_extents(std::span<const std::size_t, rank> all) noexcept
    {
        if constexpr (!is_static) {
            for (std::size_t k = 0; k < rank; ++k) {
                m_extents[k] = s_static[k] == dynamic || s_static[k] == all[k] ? all[k] : dynamic;
            }
        }
    }

    [[nodiscard]] static constexpr std::size_t static_extent(std::size_t k) noexcept { return s_static[k]; }

    [[nodiscard]] constexpr std::size_t extent(std::size_t k) const noexcept
    {
        if constexpr (is_static) {
            return s_static[k];
        } else {
            return m_extents[k];
        }
    }

    /// The number of elements of a row.
    [[nodiscard]] constexpr std::size_t size() const noexcept
    {
        if constexpr (is_static) {
            return (std::size_t{1} * ... * E);
        } else {
            std::size_t product = 1;
            for (std::size_t k = 0; k < rank; ++k) {
                product *= m_extents[k];
            }
            return product;
        }
    }

    /// The same, but `SIZE_MAX`, which no check of a size accepts, when the product does not fit or an extent cannot
    /// be.
    [[nodiscard]] constexpr std::size_t checked_size() const noexcept
    {
        std::size_t product = 1;
        bool possible = true;
        for (std::size_t k = 0; k < rank; ++k) {
            possible = possible && extent(k) != dynamic; // even if another is 0
            if (__builtin_mul_overflow(product, extent(k), &product)) {
                return dynamic;
            }
        }
        return possible ? product : dynamic;
    }

    /// Whether this type can have the extents `all`.
    [[nodiscard]] static constexpr bool matches(std::span<const std::size_t> all) noexcept
    {
        if (all.size() != rank) {
            return false;
        }
        for (std::size_t k = 0; k < rank; ++k) {
            if (s_static[k] != dynamic && s_static[k] != all[k]) {
                return false;
            }
        }
        return true;
    }

    /// Whether the other extents are the same, compared at run time.
    template <std::size_t... Other>
    [[nodiscard]] constexpr bool same_as(const row_extents<Other...>& other) const noexcept
    {
        if constexpr (rank != sizeof...(Other)) {
            return false;
        } else {
            for (std::size_t k = 0; k < rank; ++k) {
                if (extent(k) != other.extent(k)) {
                    return false;
                }
            }
            return true;
        }
    }

    /// All extents, for messages and shapes.
    [[nodiscard]] constexpr std::array<std::size_t, rank> to_array() const noexcept
    {
        std::array<std::size_t, rank> all{};
        for (std::size_t k = 0; k < rank; ++k) {
            all[k] = extent(k);
        }
        return all;
    }

private:
    static constexpr std::size_t s_static[rank + 1] = {E..., 0};

    struct none {};
    struct some {
        std::size_t values[rank + 1] = {};
        constexpr std::size_t& operator[](std::size_t k) noexcept { return values[k]; }
        constexpr const std::size_t& operator[](std::size_t k) const noexcept { return values[k]; }
    };
    template <bool Static>
    struct storage {
        using type = some;
    };
    template <bool Static>
        requires Static
    struct storage<Static> {
        using type = none;
    };
    [[no_unique_address]] typename storage<is_static>::type m_extents = initial();

    static constexpr typename storage<is_static>::type initial() noexcept
    {
        typename storage<is_static>::type all{};
        if constexpr (!is_static) {
            for (std::size_t k = 0; k < rank; ++k) {
                all[k] = s_static[k] == dynamic ? 0 : s_static[k];
            }
        }
        return all;
    }
};

namespace detail {

/// An extent as a user gave it. One that is negative, or not in the range of sizes, becomes larger than any memory, so
/// that no check accepts it.
template <class Extent>
[[nodiscard]] constexpr std::size_t given_extent(Extent given) noexcept
{
    const auto extent = static_cast<std::size_t>(+given); // a char is a number here
    bool same = static_cast<Extent>(extent) == given;
    if constexpr (std::is_signed_v<Extent>) {
        same = same && given >= 0;
    }
    return same ? extent : dynamic;
}

/// Extents of the same rank, none of which is known at compile time.
template <class E>
struct all_dynamic;
template <std::size_t... E>
struct all_dynamic<row_extents<E...>> {
    using type = row_extents<(static_cast<void>(E), dynamic)...>;
};

/// The same extents as another type, whose `matches` must accept them.
template <class To, class From>
[[nodiscard]] constexpr To extents_cast(const From& from) noexcept
{
    if constexpr (std::is_same_v<To, From>) {
        return from;
    } else {
        static_assert(To::rank == From::rank);
        return To{from.to_array()};
    }
}

/// The shape `[leading..., row...]`, as numbers of type `T`.
template <class T, class E, class... Leading>
[[nodiscard]] constexpr std::array<T, sizeof...(Leading) + E::rank> shape_of(const E& row, Leading... leading) noexcept
{
    std::array<T, sizeof...(Leading) + E::rank> all{static_cast<T>(leading)...};
    for (std::size_t k = 0; k < E::rank; ++k) {
        all[sizeof...(Leading) + k] = static_cast<T>(row.extent(k));
    }
    return all;
}

/// `Rank` extents of a `shape`, from extent `first` on: those of a row in `[leading..., row...]`.
template <std::size_t Rank, class Shape>
[[nodiscard]] constexpr std::array<std::size_t, Rank> shape_part(const Shape& shape, std::size_t first) noexcept
{
    std::array<std::size_t, Rank> all{};
    for (std::size_t k = 0; k < Rank; ++k) {
        all[k] = static_cast<std::size_t>(shape[first + k]);
    }
    return all;
}

/// Whether extents of one type can equal extents of the other.
template <class A, class B>
[[nodiscard]] consteval bool may_be_same() noexcept
{
    if constexpr (A::rank != B::rank) {
        return false;
    } else {
        for (std::size_t k = 0; k < A::rank; ++k) {
            if (A::static_extent(k) != dynamic && B::static_extent(k) != dynamic &&
                A::static_extent(k) != B::static_extent(k)) {
                return false;
            }
        }
        return true;
    }
}

} // namespace detail

/// Sets `count` to the number of elements of a tensor, the product of its extents; 1 for a scalar, which has none.
///
/// Fails with `status_code::size_overflow` when the product, or any partial product of the extents that are not zero,
/// is above 2^63 - 1: code that steps through such a shape would overflow, even where another extent is zero; and with
/// `status_code::bad_argument` when an extent is negative.
[[nodiscard]] inline status try_element_count(std::span<const std::int64_t> extents, std::int64_t& count) noexcept
{
    std::int64_t product = 1;
    bool empty = false;
    for (const std::int64_t extent : extents) {
        if (extent < 0) {
            return {status_code::bad_argument, "the shape {} has the extent {}, which is unknown or invalid", extents,
                    extent};
        }
        if (extent == 0) {
            empty = true;
            continue;
        }
        if (product > std::numeric_limits<std::int64_t>::max() / extent) {
            return {status_code::size_overflow, "the shape {} has more than 2^63 - 1 elements", extents};
        }
        product *= extent;
    }
    count = empty ? 0 : product;
    return {};
}

#if PADBATCH_EXCEPTIONS
/// The throwing form.
[[nodiscard]] inline std::int64_t element_count(std::span<const std::int64_t> extents)
{
    std::int64_t count = 0;
    detail::require(try_element_count(extents, count));
    return count;
}
#endif

} // namespace padbatch::inline PADBATCH_ABI

#endif
