// SPDX-License-Identifier: Apache-2.0
// Batches as sources field by field: other element types, another capacity, fewer, more and reordered fields.
#include <padbatch/padbatch.hpp>

#include "tests/support/check_status.hpp"
#include "tests/support/guarded.hpp"
#include "tests/support/random_batch.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

using namespace padbatch;
using padbatch::test::check_status;

namespace {

// The kind of a batch, the place that its rows go to and the types of its elements meet in one function, where a row is
// read. So all kinds and places are tried with two pairs of types, one equal and one not, and all pairs with one kind
// and one place. Every combination would take minutes to compile.
#ifdef PADBATCH_TESTS_EVERY_PAIR
template <class, class>
constexpr bool tried_everywhere = true;
#else
template <class From, class To>
constexpr bool tried_everywhere =
    std::is_same_v<From, float> && (std::is_same_v<To, float> || std::is_same_v<To, float16>);
#endif

template <class To, class From>
plain_batch<To> converted(const plain_batch<From>& from)
{
    plain_batch<To> result{from.row, from.counts, {}};
    for (const flat<From>& image : from.images) {
        flat<To> values(image.size());
        for (std::size_t k = 0; k < image.size(); ++k) {
            values.set(k, convert<To>(image.get(k)));
        }
        result.images.push_back(std::move(values));
    }
    return result;
}

/// An image's rows, as a source's container of images holds them.
template <class T>
std::vector<std::vector<T>> vectors_of(const plain_batch<T>& from)
{
    std::vector<std::vector<T>> images;
    for (const flat<T>& image : from.images) {
        images.emplace_back(image.data(), image.data() + image.size());
    }
    return images;
}

/// Pads `batch`, of boxes of From and labels, as boxes of To, in every place where a batch can be padded to.
template <class To, class From, class Batch>
void check_conversion(const Batch& batch, const plain_batch<From>& boxes_in, const plain_batch<std::int64_t>& labels_in,
                      std::size_t capacity, dice& random)
{
    const auto expected = padded_plainly(converted<To>(boxes_in), capacity, convert<To>(7));
    const auto source = [&] {
        if constexpr (std::is_same_v<To, From>) {
            return each(t::labels(batch), t::boxes(batch));
        } else {
            return each(t::labels(batch), t::boxes(batch).template as<To>());
        }
    }();
    guarded<To> memory(boxes_in.images.size() * capacity * 4, sizeof(To) * random.below(8));
    guarded<std::int32_t> counts(boxes_in.images.size());
    const padded_view output(unchecked, counts, capacity, t::boxes(memory));
    pad_into(output, source, pad_values(t::boxes(7)));
    CHECK(same_bytes(memory, expected));
    CHECK((memory.intact() && counts.intact()));

    if constexpr (tried_everywhere<From, To>) {
        const auto owner = pad(source, capacity::fixed(capacity), pad_values(t::boxes(7), t::labels(-1)));
        static_assert(std::is_same_v<decltype(owner), const padded<labels<>, boxes<To>>>); // in the order of the source
        CHECK(same_bytes(owner[t::boxes], expected));
        CHECK(same_bytes(owner[t::labels], padded_plainly(labels_in, capacity, std::int64_t{-1})));
        const auto loose = to_ragged(source);
        std::vector<To> flat(loose[t::boxes].flat().size());
        std::vector<std::int64_t> offsets(loose.offsets().size());
        unpad_into(offsets, source, t::boxes(flat));
        CHECK(same_bytes(flat, loose[t::boxes].flat()));
        const auto again = pad(loose, capacity::fixed(capacity), pad_values(t::boxes(7)));
        CHECK(same_bytes(again[t::boxes], expected));
    }
}

template <class From>
void check_from(unsigned seed)
{
    dice random(seed);
    for (int k = 0; k < 12; ++k) {
        const auto numbers = random.counts(random.below(6), 9);
        const auto boxes_in = random.batch<From>(numbers, 4);
        const auto labels_in = random.batch<std::int64_t>(numbers, 1);
        const auto boxes_there = vectors_of(boxes_in);
        const auto labels_there = vectors_of(labels_in);
        const auto all = each(t::boxes(boxes_there), t::labels(labels_there));
        const auto tight = pad(all, capacity::fixed(boxes_in.largest() + random.below(3)));
        const auto loose = to_ragged(all);
        const std::size_t capacity = boxes_in.largest() + random.below(4);
        const auto check = [&]<class To>(std::type_identity<To>) {
            check_conversion<To>(tight, boxes_in, labels_in, capacity, random);
            if constexpr (tried_everywhere<From, To>) {
                check_conversion<To>(tight.view(), boxes_in, labels_in, capacity, random);
                check_conversion<To>(loose, boxes_in, labels_in, capacity, random);
                check_conversion<To>(loose.view(), boxes_in, labels_in, capacity, random);
            }
        };
        check(std::type_identity<float>());
        check(std::type_identity<double>());
        check(std::type_identity<float16>());
        check(std::type_identity<std::int32_t>());
        check(std::type_identity<std::uint8_t>());
        if constexpr (!std::is_same_v<From, float> && !std::is_same_v<From, float16>) {
            check(std::type_identity<From>());
        }
    }
}

} // namespace

TEST_CASE("batches are padded with other element types as by converting each element")
{
    check_from<float16>(1);
    check_from<bfloat16>(2);
    check_from<float>(3);
    check_from<std::int64_t>(4);
}

TEST_CASE("fields of a batch go together with fields from elsewhere, and options are those of any source")
{
    const std::vector<std::vector<float>> corners = {{1, 2, 3, 4, 5, 6, 7, 8}, {}, {9, 10, 11, 12}};
    const auto batch = pad(each(t::boxes(corners).as<float16>()));
    const std::vector<std::vector<float>> sure = {{0.25F, 0.75F}, {}, {0.5F}};
    padded<scores<>, boxes<>, labels<>> more(3, 1);
    const std::vector<std::vector<std::int64_t>> classes = {{1, 2}, {}, {3}};
    const auto result = pad_into(more, each(t::labels(classes), t::boxes(batch).as<float>(), t::scores(sure)),
                                 overflow::top_scores, pad_values(t::labels(-1)));
    CHECK(result.dropped(0) == 1);
    CHECK(same_bytes(more[t::boxes], std::array<float, 12>{5, 6, 7, 8, 0, 0, 0, 0, 9, 10, 11, 12}));
    CHECK(same_bytes(more[t::labels], std::array<std::int64_t, 3>{2, -1, 3}));

    // A source that is no batch has fields too, and they are checked like its own.
    const std::vector<float> six = {1, 2, 3, 4, 0.5F, 7};
    const std::vector<std::int32_t> offsets = {0, 1};
    const auto flat = columns(six, 6, offsets, t::boxes(cols<0, 4>), t::labels(col<5>).as<std::int64_t>());
    static_assert(std::is_same_v<decltype(pad(each(t::boxes(flat)))), padded<boxes<>>>);
    const auto integers = pad(each(t::boxes(flat).as<std::int32_t>()));
    CHECK(integers[t::boxes].data()[3] == 4);
    const std::vector<std::vector<float>> broken = {{1, 2, 3, 4, 5}};
    const auto not_whole = each(t::boxes(broken));
    padded<boxes<>> output;
    check_status(try_pad_into(output, each(t::boxes(not_whole))), status_code::size_mismatch, {"5 values"});
    ragged<boxes<>> open;
    open.append(t::boxes(corners[0]));
    check_status(try_pad_into(output, each(t::boxes(open))), status_code::field_mismatch, {"2 rows", "end_image()"});
}

TEST_CASE("fields of batches with other numbers of images or rows are refused")
{
    const std::vector<std::vector<float>> three = {{1}, {}, {2}};
    const std::vector<std::vector<float>> two = {{1}, {}};
    const std::vector<std::vector<float>> more = {{1}, {3}, {2}};
    const auto batch = pad(each(t::scores(three)));
    padded<scores<>, field<t::values_t, float>> output;
    check_status(try_pad_into(output, each(t::scores(batch), t::values(two))), status_code::field_mismatch,
                 {"values has 2 images", "scores has 3"});
    check_status(try_pad_into(output, each(t::values(two), t::scores(batch))), status_code::field_mismatch,
                 {"scores has 3 images", "values has 2"});
    check_status(try_pad_into(output, each(t::scores(batch), t::values(more))), status_code::field_mismatch,
                 {"image 1 has 1 rows of values", "0 of scores"});
    CHECK(output.size() == 0);
}

TEST_CASE("a batch is not padded into itself, whatever the element type")
{
    std::vector<float> memory(8);
    std::vector<std::int32_t> counts = {2};
    const auto batch = unpad(counts, 2, t::boxes(memory));
    std::vector<std::int32_t> numbers(1);
    const auto same_memory = std::span(reinterpret_cast<std::int32_t*>(memory.data()), memory.size());
    const padded_view output(unchecked, numbers, 2, t::boxes(same_memory));
    check_status(try_pad_into(output, each(t::boxes(batch).as<std::int32_t>())), status_code::overlap, {"boxes"});
}

TEST_CASE("what .as<T>() does with fractions, numbers out of range and NaN")
{
    const float nan = std::numeric_limits<float>::quiet_NaN();
    const std::vector<std::vector<float>> numbers = {{1.9F, -1.9F, 300, -300, nan, 3e9F, 0.5F, 0}};
    const auto batch = pad(each(t::values(numbers)));
    const auto bytes = pad(each(t::values(batch).as<std::int8_t>()));
    CHECK(same_bytes(bytes[t::values], std::array<std::int8_t, 8>{1, -1, 127, -128, 0, 127, 0, 0}));
    const auto unsigned_bytes = pad(each(t::values(batch).as<std::uint8_t>()));
    CHECK(same_bytes(unsigned_bytes[t::values], std::array<std::uint8_t, 8>{1, 0, 255, 0, 0, 255, 0, 0}));
    const auto truths = pad(each(t::values(batch).as<bool>()));
    CHECK(same_bytes(truths[t::values], std::array<bool, 8>{true, true, true, true, true, true, true, false}));
    const auto halves = pad(each(t::values(batch).as<float16>()));
    CHECK(static_cast<float>(halves[t::values].data()[5]) == std::numeric_limits<float>::infinity());
    CHECK(static_cast<float>(halves[t::values].data()[4]) != static_cast<float>(halves[t::values].data()[4])); // NaN
}
