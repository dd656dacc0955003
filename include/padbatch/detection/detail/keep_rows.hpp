// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_DETECTION_DETAIL_KEEP_ROWS_HPP
#define PADBATCH_DETECTION_DETAIL_KEEP_ROWS_HPP

#include <padbatch/detail/fill_values.hpp>
#include <padbatch/detail/first_failure.hpp>
#include <padbatch/detail/pad_owner.hpp>
#include <padbatch/detection/detail/each_image.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <tuple>
#include <type_traits>

namespace padbatch::inline PADBATCH_ABI::detail {

/// Puts rows `kept` of one field at its beginning, in their order. With `Ascending` numbers rows move forward one by
/// one; otherwise they are gathered in `scratch`, of `m` rows, first.
template <bool Ascending, class T, class E>
void compact_field(const basic_rows<T, E>& rows, const std::int32_t* kept, std::size_t m, std::byte* scratch) noexcept
{
    const std::size_t bytes = rows.row_size() * sizeof(T);
    auto* const all = reinterpret_cast<std::byte*>(rows.data());
    if (m == 0 || bytes == 0) {
        return;
    }
    const auto move_all = [&](auto size) noexcept { // constants become moves of registers
        const std::size_t n = size;
        if constexpr (Ascending) {
            std::size_t j = 0;
            while (j < m && static_cast<std::size_t>(kept[j]) == j) { // these are where they belong
                ++j;
            }
            for (; j < m; ++j) {
                std::memcpy(all + j * n, all + static_cast<std::size_t>(kept[j]) * n, n); // kept[j] > j
            }
        } else {
            for (std::size_t j = 0; j < m; ++j) {
                std::memcpy(scratch + j * n, all + static_cast<std::size_t>(kept[j]) * n, n);
            }
            std::memcpy(all, scratch, m * n);
        }
    };
    if constexpr (E::is_static) {
        move_all(std::integral_constant<std::size_t, E{}.size() * sizeof(T)>());
    } else {
        move_all(bytes);
    }
}

/// The largest number of bytes that a row of any field has.
template <class Image, class... Tags>
[[nodiscard]] std::size_t largest_row(const Image& image) noexcept
{
    std::size_t most = 0;
    const auto look = [&most](const auto& rows) {
        const std::size_t bytes = rows.row_size() * sizeof(typename std::remove_cvref_t<decltype(rows)>::value_type);
        most = bytes > most ? bytes : most;
    };
    (look(image[Tags{}]), ...);
    return most;
}

/// Puts the rows that are kept at the beginning of an image, in all fields.
template <bool Ascending, class List>
struct compact_image;
template <bool Ascending, class... Fields>
struct compact_image<Ascending, field_list<Fields...>> {
    template <class Image>
    static void run(const Image& image, const std::int32_t* kept, std::size_t m, std::byte* scratch) noexcept
    {
        (compact_field<Ascending>(image[typename Fields::tag{}], kept, m, scratch), ...);
    }
    template <class Image>
    [[nodiscard]] static std::size_t row_bytes(const Image& image) noexcept
    {
        return Ascending ? 0 : largest_row<Image, typename Fields::tag...>(image);
    }
};

/// Writes pad values into rows [from, to) of slot i.
template <class... Fields>
void fill_rows_of_slot(const padded_view<Fields...>& batch, std::size_t i, std::size_t from, std::size_t to,
                       const given_fill<Fields...>& fills) noexcept
{
    const auto slot = batch.slot(i);
    const auto fill_field = [&](const auto& rows, const fill_pattern& pattern) {
        const std::size_t bytes = rows.row_size() * sizeof(typename std::remove_cvref_t<decltype(rows)>::value_type);
        if (bytes != 0) {
            fill<16>(reinterpret_cast<std::byte*>(rows.data()) + from * bytes, (to - from) * bytes, pattern);
        }
    };
    (fill_field(slot[typename Fields::tag{}], std::get<field_fill<Fields>>(fills.fields).pattern), ...);
}

/// How each kind of batch takes that image i has fewer rows now.
template <class Batch>
struct row_keeper;

template <class... Fields>
struct row_keeper<padded_view<Fields...>> {
    const padded_view<Fields...>& batch;
    given_fill<Fields...> fills{};

    template <class... Options>
    [[nodiscard]] status prepare(Options&... options) noexcept
    {
        const auto& given = find_fill(options...);
        if constexpr (std::is_same_v<std::remove_cvref_t<decltype(given)>, pad_values_t<>>) {
            return {};
        } else {
            return make_fills(given, fills);
        }
    }
    void set_count(std::size_t i, std::size_t old, std::size_t now) const noexcept
    {
        batch.set_count(i, now);
        if (now != old) {
            fill_rows_of_slot(batch, i, now, old, fills);
        }
    }
};

template <class... Fields>
struct row_keeper<padded<Fields...>> {
    padded<Fields...>& batch;
    given_fill<Fields...> fills{};

    template <class... Options>
    [[nodiscard]] status prepare(Options&... /*options*/) noexcept
    {
        const auto take = [](auto& fill, const auto& value) {
            fill.value = value;
            fill.pattern = fill_pattern(fill.value.bytes, sizeof fill.value.bytes);
        };
        const auto& values = padded_access::padding(batch).values();
        (take(std::get<field_fill<Fields>>(fills.fields), std::get<index_in<Fields, Fields...>>(values)), ...);
        return {};
    }
    void set_count(std::size_t i, std::size_t old, std::size_t now) const noexcept
    {
        padded_access::padding(batch).set_fewer(i, old, now);
        batch.view().set_count(i, now);
        if (now != old) {
            fill_rows_of_slot(batch.view(), i, now, old, fills);
        }
    }
};

/// A ragged batch closes the gaps when all images are done; until then `counts` has the new numbers of rows.
template <class... Fields>
struct row_keeper<ragged<Fields...>> {
    ragged<Fields...>& batch;

    template <class... Options>
    [[nodiscard]] status prepare(Options&... /*options*/) noexcept
    {
        return {};
    }
};

/// Closes a ragged batch up at the end, also if the caller's loop throws, so that it is whole.
template <class Batch>
struct closing_batch {
    closing_batch(const Batch& /*batch*/, const std::size_t* /*counts*/) noexcept {}
};
template <class... Fields>
struct closing_batch<ragged<Fields...>> {
    ragged<Fields...>& batch;
    const std::size_t* counts;

    closing_batch(ragged<Fields...>& of, const std::size_t* all) noexcept : batch(of), counts(all) {}
    closing_batch(const closing_batch&) = delete;
    closing_batch& operator=(const closing_batch&) = delete;
    ~closing_batch() { ragged_access::keep_first(batch, counts); }
};

/// Drops rows of each image in place, all fields together, in the order that `choice` gives:
///
/// - `choice(image, i, kept, scratch)` returns how many rows of image i are kept, and writes their numbers to `kept`,
///   which has room for all. `noexcept`, called for all images, on any thread.
/// - `Choice::ascending`: whether the numbers always ascend.
/// - `choice.scratch_bytes(n)`: the bytes of scratch, aligned to 64, for an image of n rows.
/// - `choice.check(batch)`: a status, before anything is written.
///
/// Options that are the operation's own are passed over; it has checked all of them.
///
/// A padded owner's rows behind the new count get its own pad values, those of a view zeros or `pad_values`; what was
/// padding before is not touched. A ragged owner closes up.
template <class Batch, class Choice, class... Options>
[[nodiscard]] status keep_rows(Batch& batch, const Choice& choice, Options&... options)
{
    using batch_type = std::remove_const_t<Batch>;
    using compact = compact_image<Choice::ascending, typename batch_type::fields>;
    constexpr bool is_ragged = is_ragged_owner<batch_type>;
    static_assert(is_padded_view<batch_type> || !(is_fill<std::remove_cv_t<Options>> || ...),
                  "pad_values(...) is for a padded view: an owner has pad values of its own, and a ragged batch none");
    row_keeper<batch_type> keeper{batch};
    if (status outcome = first_failure([&] { return check_batch(batch); }, [&] { return choice.check(batch); },
                                       [&] { return keeper.prepare(options...); });
        !outcome.ok()) {
        return outcome;
    }
    const std::size_t images = batch.size();
    if (images == 0) {
        return {};
    }

    // Scratch: where each image's begins and, for a ragged batch, its new count; then for each image (or for the
    // largest, if they are taken in turn) the numbers of its rows, what the choice needs, and rows on their way.
    constexpr bool each = has_parallel<Options...>;
    const std::size_t row_bytes = compact::row_bytes(batch.image(0));
    const auto bytes_for = [&](std::size_t n) noexcept {
        return round_up_64(n * sizeof(std::int32_t)) + round_up_64(choice.scratch_bytes(n)) +
               round_up_64(n * row_bytes);
    };
    const std::size_t table = round_up_64((each ? images : 0) * sizeof(std::size_t)) +
                              round_up_64((is_ragged ? images : 0) * sizeof(std::size_t));
    std::size_t all = 0;
    for (std::size_t i = 0; i < images; ++i) {
        const std::size_t n = batch.count(i);
        if (n > static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max())) {
            return {status_code::too_many_rows, "image {} has {} rows; at most 2^31 - 1 can be chosen from", i, n};
        }
        const std::size_t bytes = bytes_for(n);
        all = each ? all + bytes : bytes > all ? bytes : all;
    }
    scratch_memory memory(options...);
    if (status outcome = memory.reserve(table + all + 64); !outcome.ok()) {
        return outcome;
    }
    std::byte* const first =
        memory.data() + (64 - reinterpret_cast<std::uintptr_t>(memory.data()) % 64) % 64; // buffers align to 16
    auto* const begins = reinterpret_cast<std::size_t*>(first);
    auto* const counts = reinterpret_cast<std::size_t*>(first + round_up_64((each ? images : 0) * sizeof(std::size_t)));
    std::size_t begin = table;
    for (std::size_t i = 0; i < images; ++i) {
        if constexpr (each) {
            begins[i] = begin;
            begin += bytes_for(batch.count(i));
        }
        if constexpr (is_ragged) {
            counts[i] = batch.count(i);
        }
    }

    const auto body = [&, first, begins, counts](std::size_t i) noexcept {
        const auto image = batch.image(i);
        const std::size_t n = image.size();
        std::byte* const own = first + (each ? begins[i] : table);
        auto* const kept = reinterpret_cast<std::int32_t*>(own);
        std::byte* const scratch = own + round_up_64(n * sizeof(std::int32_t));
        const std::size_t m = choice(image, i, kept, scratch);
        compact::run(image, kept, m, scratch + round_up_64(choice.scratch_bytes(n)));
        if constexpr (is_ragged) {
            counts[i] = m;
        } else {
            keeper.set_count(i, n, m);
        }
        static_cast<void>(counts);
        static_cast<void>(begins);
    };
    [[maybe_unused]] const closing_batch<batch_type> at_end(batch, counts);
    for_each_image(images, body, options...);
    return {};
}

} // namespace padbatch::inline PADBATCH_ABI::detail

#endif
