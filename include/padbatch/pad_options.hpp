// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_PAD_OPTIONS_HPP
#define PADBATCH_PAD_OPTIONS_HPP

#include <padbatch/detail/buffer.hpp>
#include <padbatch/fields.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <tuple>
#include <type_traits>

namespace padbatch::inline PADBATCH_ABI {

/// What `pad` does with an image that has more rows than the capacity M.
namespace overflow {

struct error_t {};
struct truncate_t {};
template <field_tag Tag>
struct top_scores_t {};

/// Refuses the batch with `status_code::too_many_rows`: the default.
inline constexpr error_t error{};
/// Keeps the first M rows, which most detectors sort to be the best.
inline constexpr truncate_t truncate{};
/// Keeps the M rows with the highest `t::scores`, in their order. Of equal scores the earlier wins; NaN is below every
/// number.
inline constexpr top_scores_t<t::scores_t> top_scores{};
/// The same by another field, `[n]` of numbers.
template <field_tag Tag>
[[nodiscard]] constexpr top_scores_t<Tag> top_scores_by(const Tag& /*field*/) noexcept
{
    return {};
}

} // namespace overflow

/// The number of rows M that each image gets in an owner.
class capacity {
public:
    /// `rows` for each image.
    [[nodiscard]] static constexpr capacity fixed(std::size_t rows) noexcept { return {rows, false}; }
    /// The largest count of the batch.
    [[nodiscard]] static constexpr capacity batch_maximum() noexcept { return {1, true}; }
    /// The largest count of the batch, rounded up to a multiple of `rows`, which is at least 1.
    [[nodiscard]] static constexpr capacity multiple_of(std::size_t rows) noexcept { return {rows, true}; }

    [[nodiscard]] constexpr bool follows_batch() const noexcept { return m_follows; }
    [[nodiscard]] constexpr std::size_t rows() const noexcept { return m_rows; }

private:
    constexpr capacity(std::size_t rows, bool follows) noexcept : m_rows(rows), m_follows(follows) {}

    std::size_t m_rows;
    bool m_follows;
};

namespace padding {

struct reuse_t {};
/// Trusts that an owner's padding is as the last `pad_into` left it, and fills only the rows that were real then and no
/// longer are. Call the owner's `invalidate()` after writing into the padding.
inline constexpr reuse_t reuse{};

} // namespace padding

/// The values of padding rows, field by field; see `pad_values`.
template <class... Bounds>
struct pad_values_t {
    std::tuple<Bounds...> values;
};

/// The values of padding rows: `pad_values(t::labels(-1), t::boxes(0.5F))`. Fields that are not named get 0.
template <detail::bound_values... Bounds>
[[nodiscard]] constexpr pad_values_t<std::decay_t<Bounds>...> pad_values(Bounds&&... values) noexcept
{
    return {std::tuple<std::decay_t<Bounds>...>(static_cast<Bounds&&>(values)...)};
}

template <class... X>
    requires(!detail::bound_values<X> || ...)
auto pad_values(X&&...) // its body is looked at before the call is
{
    static_assert(sizeof...(X) == 0, "name the field of each pad value: pad_values(t::labels(-1))");
}

namespace detail {
struct pad_access;
}

/// Memory that a call needs besides its output. Keep one and pass it to each call, and repeated calls do not allocate.
/// Each thread needs its own.
class workspace {
public:
    workspace() noexcept = default;

private:
    friend struct detail::pad_access;

    detail::buffer<std::int32_t> m_dropped;
    detail::buffer<std::byte> m_scratch;
};

/// The result of `pad_into`: how many rows were copied, and how many were dropped because an image had more than fit.
class pad_result {
public:
    pad_result() noexcept = default;

    /// The number of rows copied, of all images.
    [[nodiscard]] std::size_t rows() const noexcept { return m_rows; }
    /// The number of rows that did not fit, of all images.
    [[nodiscard]] std::size_t dropped() const noexcept { return m_dropped; }
    /// The number of rows of image i that did not fit. Valid until the owner, or the `workspace` of the call, is used
    /// again or destroyed.
    [[nodiscard]] std::size_t dropped(std::size_t i) const noexcept
    {
        return m_dropped == 0 ? 0 : static_cast<std::size_t>(m_of_image[i]);
    }

private:
    friend struct detail::pad_access;

    std::size_t m_rows = 0;
    std::size_t m_dropped = 0;
    const std::int32_t* m_of_image = nullptr;
    detail::buffer<std::int32_t> m_own;
};

namespace detail {

/// For padbatch's own algorithms.
struct pad_access {
    static buffer<std::int32_t>& dropped(workspace& space) noexcept { return space.m_dropped; }
    static buffer<std::byte>& scratch(workspace& space) noexcept { return space.m_scratch; }
    static buffer<std::int32_t>& own(pad_result& result) noexcept { return result.m_own; }
    static void set(pad_result& result, std::size_t rows, std::size_t dropped, const std::int32_t* of_image) noexcept
    {
        result.m_rows = rows;
        result.m_dropped = dropped;
        result.m_of_image = of_image;
    }
};

template <class T>
inline constexpr bool is_fill = false;
template <class... B>
inline constexpr bool is_fill<pad_values_t<B...>> = true;
template <class T>
inline constexpr bool is_overflow = false;
template <>
inline constexpr bool is_overflow<overflow::error_t> = true;
template <>
inline constexpr bool is_overflow<overflow::truncate_t> = true;
template <class Tag>
inline constexpr bool is_overflow<overflow::top_scores_t<Tag>> = true;

template <class T>
inline constexpr bool is_pad_option =
    is_fill<T> || is_overflow<T> || std::is_same_v<T, capacity> || std::is_same_v<T, padding::reuse_t> ||
    std::is_same_v<T, workspace> || std::is_same_v<T, pad_result>;

/// A compile error, with the reason, for options that `pad_into` does not take.
template <class... Options>
consteval bool options_known() noexcept
{
    static_assert(
        (is_pad_option<std::remove_cvref_t<Options>> && ...),
        "an option of pad_into is one of overflow::..., capacity::..., pad_values(...), padding::reuse, a workspace");
    static_assert(
        (std::size_t{0} + ... + (is_overflow<std::remove_cvref_t<Options>> ? 1 : 0)) < 2 &&
            (std::size_t{0} + ... + (is_fill<std::remove_cvref_t<Options>> ? 1 : 0)) < 2 &&
            (std::size_t{0} + ... + (std::is_same_v<std::remove_cvref_t<Options>, capacity> ? 1 : 0)) < 2,
        "overflow::..., capacity::... and pad_values(...) can be given once; pad_values takes several fields");
    static_assert(((!std::is_same_v<Options, workspace> && !std::is_same_v<Options, pad_result>) && ...),
                  "a workspace and a pad_result are variables, which keep what the call stores in them");
    return true;
}

inline constexpr pad_values_t<> no_fill{};

[[nodiscard]] constexpr const pad_values_t<>& find_fill() noexcept
{
    return no_fill;
}
template <class First, class... Rest>
[[nodiscard]] constexpr const auto& find_fill(const First& first, const Rest&... rest) noexcept
{
    if constexpr (is_fill<First>) {
        return first;
    } else {
        return find_fill(rest...);
    }
}

[[nodiscard]] constexpr overflow::error_t find_overflow() noexcept
{
    return {};
}
template <class First, class... Rest>
[[nodiscard]] constexpr auto find_overflow(const First& first, const Rest&... rest) noexcept
{
    if constexpr (is_overflow<First>) {
        return first;
    } else {
        return find_overflow(rest...);
    }
}

/// The option of type `Wanted`, or null.
template <class Wanted>
[[nodiscard]] constexpr Wanted* find_option() noexcept
{
    return nullptr;
}
template <class Wanted, class First, class... Rest>
[[nodiscard]] constexpr Wanted* find_option(First& first, Rest&... rest) noexcept
{
    if constexpr (std::is_same_v<std::remove_const_t<First>, std::remove_const_t<Wanted>>) {
        return &first;
    } else {
        return find_option<Wanted>(rest...);
    }
}

} // namespace detail

} // namespace padbatch::inline PADBATCH_ABI

#endif
