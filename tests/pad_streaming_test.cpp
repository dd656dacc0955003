// SPDX-License-Identifier: Apache-2.0
#include <padbatch/padbatch.hpp>

#include "tests/support/guarded.hpp"
#include "tests/support/plain_batch.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

using namespace padbatch;

// Outputs of 32 MB and more in all are written past the caches. The bytes are the same.

namespace {

/// Whether each slot holds its rows and then only the pad value. Compares whole rows, since there are many bytes.
template <class T>
bool slots_hold(std::span<const T> memory, const std::vector<std::vector<T>>& images, std::size_t row,
                std::size_t capacity, const T& pad_value)
{
    const std::vector<T> padding(row, pad_value);
    bool same = memory.size() == images.size() * capacity * row;
    for (std::size_t i = 0; same && i < images.size(); ++i) {
        const T* const slot = memory.data() + i * capacity * row;
        same = images[i].empty() || std::memcmp(slot, images[i].data(), images[i].size() * sizeof(T)) == 0;
        for (std::size_t j = images[i].size() / row; same && j < capacity; ++j) {
            same = std::memcmp(slot + j * row, padding.data(), row * sizeof(T)) == 0;
        }
    }
    return same;
}

template <class T>
std::vector<std::vector<T>> images_of(std::size_t row, const std::vector<std::size_t>& counts)
{
    std::vector<std::vector<T>> images;
    for (std::size_t i = 0; i < counts.size(); ++i) {
        images.emplace_back(counts[i] * row);
        for (std::size_t k = 0; k < images[i].size(); ++k) {
            images[i][k] = static_cast<T>(static_cast<std::uint8_t>((k + i) % 251));
        }
    }
    return images;
}

/// A few slots of 32 MiB in all, in memory that no block is aligned to.
template <class T>
void check_streaming(std::size_t row, std::size_t shift, const T& pad_value)
{
    const std::vector<std::size_t> counts{0, 3, 1, 7};
    const std::size_t capacity = (std::size_t{32} << 20) / (4 * row * sizeof(T)) + 1;
    CAPTURE(row);
    CAPTURE(shift);
    const auto images = images_of<T>(row, counts);
    const std::size_t size = counts.size() * capacity * row;
    REQUIRE(size * sizeof(T) >= detail::stream_total);
    REQUIRE(capacity * row * sizeof(T) >= detail::stream_slot);
    guarded<T> memory(size, shift);
    guarded<std::int32_t> written(counts.size());
    const padded_view output(unchecked, written, capacity, t::masks(memory, 1, 1, row));
    pad_into(output, each(t::masks(images, 1, 1, row)), pad_values(t::masks(pad_value)));
    CHECK(slots_hold<T>(std::as_const(memory).span(), images, row, capacity, pad_value));
    CHECK((memory.intact() && written.intact()));
    CHECK(output.counts().total() == 11);
}

} // namespace

TEST_CASE("large outputs get the same bytes: zeros, at an odd address, rows of an odd size")
{
    check_streaming<std::uint8_t>(40961, 3, 0);
}

TEST_CASE("large outputs get the same bytes: a pad value of one byte")
{
    check_streaming<std::uint8_t>(40961, 17, 9);
}

TEST_CASE("large outputs get the same bytes: a pad value of four bytes, in step with the cache lines and not")
{
    check_streaming<float>(10001, 4, 0.5F);
    check_streaming<float>(10001, 2, 0.5F);
}

TEST_CASE("large outputs get the same bytes in an owner: fresh, used again, and with padding::reuse")
{
    const std::size_t row = 50001;
    const std::size_t capacity = 230;
    padded<masks<std::uint8_t>> owner(3, capacity, t::masks.shape(1, 1, row));
    const auto check = [&](const std::vector<std::size_t>& counts, std::uint8_t pad_value, const auto&... options) {
        const auto images = images_of<std::uint8_t>(row, counts);
        pad_into(owner, each(t::masks(images, 1, 1, row)), pad_values(t::masks(pad_value)), options...);
        const auto all = owner[t::masks];
        CHECK(slots_hold<std::uint8_t>(std::span<const std::uint8_t>(all.data(), all.size()), images, row, capacity,
                                       pad_value));
    };
    REQUIRE(owner[t::masks].size() >= detail::stream_total);
    check({9, 0, 2}, 0);
    check({1, 4, 2}, 0, padding::reuse);
    check({0, 5, 0}, 7, padding::reuse);
    check({3, 1, 0}, 7, padding::reuse);
}

TEST_CASE("small slots of a large output get the same bytes")
{
    // Slots of the scores are far below the size from which they are streamed; those of the masks are not.
    const std::size_t row = 100000;
    const std::vector<std::size_t> counts{2, 0, 5};
    const auto images = images_of<std::uint8_t>(row, counts);
    const std::vector<std::vector<float>> values{{1, 2}, {}, {3, 4, 5, 6, 7}};
    const std::size_t capacity = 120;
    guarded<std::uint8_t> memory(3 * capacity * row);
    guarded<float> value_memory(3 * capacity, 4);
    guarded<std::int32_t> written(3);
    REQUIRE(memory.size() >= detail::stream_total);
    REQUIRE(capacity * sizeof(float) < detail::stream_slot);
    pad_into(padded_view(unchecked, written, capacity, t::scores(value_memory), t::masks(memory, 1, 1, row)),
             each(t::masks(images, 1, 1, row), t::scores(values)), pad_values(t::scores(-1)));
    CHECK(slots_hold<std::uint8_t>(std::as_const(memory).span(), images, row, capacity, 0));
    CHECK(slots_hold<float>(std::as_const(value_memory).span(), values, 1, capacity, -1.0F));
    CHECK((memory.intact() && value_memory.intact() && written.intact()));
}

TEST_CASE("rows of more than 4096 bytes, and slots at the boundary where libc takes over, get the same bytes")
{
    for (const std::size_t row : {std::size_t{4095}, std::size_t{4096}, std::size_t{4097}, std::size_t{9999}}) {
        for (const std::uint8_t pad_value : {std::uint8_t{0}, std::uint8_t{3}}) {
            const std::vector<std::size_t> counts{1, 0, 2};
            const auto images = images_of<std::uint8_t>(row, counts);
            guarded<std::uint8_t> memory(3 * 3 * row, 5);
            guarded<std::int32_t> written(3);
            const padded_view output(unchecked, written, 3, t::masks(memory, 1, 1, row));
            pad_into(output, each(t::masks(images, 1, 1, row)), pad_values(t::masks(pad_value)));
            CHECK(slots_hold<std::uint8_t>(std::as_const(memory).span(), images, row, 3, pad_value));
            CHECK((memory.intact() && written.intact()));
        }
    }
}
