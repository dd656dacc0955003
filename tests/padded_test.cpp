// SPDX-License-Identifier: Apache-2.0
#include <padbatch/padbatch.hpp>

#include "tests/support/check_status.hpp"
#include "tests/support/count_allocations.hpp"
#include "tests/support/random_batch.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <new>
#include <span>
#include <utility>
#include <vector>

#if defined(__GLIBC__)
#include <malloc.h>
#endif

using namespace padbatch;
using padbatch::test::check_status;

namespace {

using boxes_and_scores = padded<boxes<>, scores<>>;

struct two_fields {
    plain_batch<float> boxes;
    plain_batch<float> scores;

    two_fields(dice& random, std::size_t batch, std::size_t most)
        : boxes(random.batch<float>(random.counts(batch, most), 4)), scores(random.batch<float>(boxes.counts, 1))
    {
    }
    auto source() const { return each(t::boxes(boxes.images), t::scores(scores.images)); }
    bool are_in(const boxes_and_scores& owner, std::size_t capacity) const
    {
        bool same = owner.size() == boxes.counts.size() && owner.capacity() == capacity &&
                    same_bytes(owner[t::boxes], padded_plainly(boxes, capacity, 0.0F)) &&
                    same_bytes(owner[t::scores], padded_plainly(scores, capacity, 0.0F));
        for (std::size_t i = 0; same && i < owner.size(); ++i) {
            same = owner.count(i) == boxes.counts[i];
        }
        return same;
    }
};

/// What memory that malloc gives holds, for tests that must not find zeros there by chance. Off at the end.
class dirty_malloc {
public:
    dirty_malloc() { fill(0x5A); }
    ~dirty_malloc() { fill(0); }

private:
    static void fill([[maybe_unused]] int byte)
    {
#if defined(__GLIBC__)
        mallopt(M_PERTURB, byte); // NOLINT(concurrency-mt-unsafe): the tests have one thread
#endif
    }
};

bool all_zero(std::size_t n, const auto& value)
{
    bool zero = true;
    for (std::size_t i = 0; i < n; ++i) {
        zero = zero && value(i) == 0;
    }
    return zero;
}

} // namespace

TEST_CASE("an owner's M is the call's, else its own, else that of the batch")
{
    const std::vector<std::vector<float>> five{{1, 2, 3, 4, 5}, {1}};
    const std::vector<std::vector<float>> empty(2);
    const auto capacity_of = [](auto&& owner, const auto& source, const auto&... options) {
        pad_into(owner, source, options...);
        return owner.capacity();
    };
    using owner = padded<scores<>>;
    CHECK(capacity_of(owner(), five) == 5);
    CHECK(capacity_of(owner(), empty) == 0);
    CHECK(capacity_of(owner(2, 9), five) == 9);
    CHECK(capacity_of(owner(2, 9), five, capacity::fixed(6)) == 6);
    CHECK(capacity_of(owner(2, 9), five, capacity::fixed(12)) == 12);
    CHECK(capacity_of(owner(2, 9), five, capacity::batch_maximum()) == 5);
    CHECK(capacity_of(owner(), five, capacity::multiple_of(4)) == 8);
    CHECK(capacity_of(owner(), five, capacity::multiple_of(5)) == 5);
    CHECK(capacity_of(owner(), five, capacity::multiple_of(1)) == 5);
    CHECK(capacity_of(owner(), empty, capacity::multiple_of(8)) == 0);
    CHECK(capacity_of(owner(), std::vector<std::vector<float>>(), capacity::multiple_of(8)) == 0);

    owner own(2, 9);
    CHECK(capacity_of(own, five, capacity::fixed(20)) == 20);
    CHECK(capacity_of(own, five) == 9); // a call's M is for that call
    check_status(try_pad_into(own, five, capacity::multiple_of(0)), status_code::bad_argument, {"multiple_of(0)"});
    check_status(try_pad_into(own, five, capacity::fixed(std::numeric_limits<std::size_t>::max())),
                 status_code::size_overflow);
    check_status(try_pad_into(own, five, capacity::multiple_of(std::numeric_limits<std::size_t>::max())),
                 status_code::size_overflow);
    check_status(try_pad_into(own, five, capacity::fixed(4)), status_code::too_many_rows, {"5 rows", "is 4"});
    CHECK(own.capacity() == 9);
}

TEST_CASE("an owner grows where a batch does not fit, and keeps its memory where it does")
{
    dice random(1);
    boxes_and_scores owner(4, 10);
    const float* const place = owner[t::boxes].data();
    for (int k = 0; k < 30; ++k) {
        const two_fields from(random, random.below(5), 10);
        pad_into(owner, from.source());
        CHECK(from.are_in(owner, 10));
        CHECK(owner[t::boxes].data() == place);
    }
    // Four images of 10 rows have room for two of 20 too.
    const two_fields wide(random, 2, 20);
    pad_into(owner, wide.source(), capacity::fixed(20));
    CHECK(wide.are_in(owner, 20));
    CHECK(owner[t::boxes].data() == place);
    const two_fields more(random, 7, 10);
    pad_into(owner, more.source());
    CHECK(more.are_in(owner, 10));
    const two_fields again(random, 4, 10);
    pad_into(owner, again.source());
    CHECK(again.are_in(owner, 10));
}

TEST_CASE("a stream of batches of at most the first one's size does not allocate")
{
    dice random(2);
    std::vector<two_fields> batches;
    for (int k = 0; k < 30; ++k) {
        batches.emplace_back(random, random.below(9), 12);
    }
    boxes_and_scores owner(8, 12);
    padded<boxes<>, scores<>> follows; // M of the batch
    follows = boxes_and_scores();
    pad_into(follows, two_fields(random, 8, 0).source(), capacity::fixed(12));
    bool same = true;
    const padbatch::test::allocation_counter counter;
    for (const two_fields& batch : batches) {
        same = try_pad_into(owner, batch.source()).ok() && same;
        same = try_pad_into(owner, batch.source(), padding::reuse, pad_values(t::boxes(1))).ok() && same;
        same = try_pad_into(follows, batch.source(), capacity::multiple_of(4)).ok() && same;
        same = try_pad_into(follows, batch.source(), capacity::fixed(3), overflow::truncate).ok() && same;
    }
    const std::size_t allocated = counter.count();
    CHECK(same);
    CHECK(allocated == 0);
}

TEST_CASE("a view over the caller's memory is padded without an allocation")
{
    dice random(3);
    const two_fields batch(random, 8, 12);
    boxes_and_scores owner(8, 12);
    const auto view = owner.view();
    const padbatch::test::allocation_counter counter;
    const std::size_t rows = pad_into(view, batch.source(), pad_values(t::scores(2))).rows();
    const std::size_t allocated = counter.count();
    CHECK(rows == batch.boxes.total());
    CHECK(allocated == 0);
}

TEST_CASE("all parts of an owner begin at multiples of 64 bytes, within one slab from the counts on")
{
    padded<labels<std::int8_t>, boxes<>, masks<std::uint8_t>> owner(3, 7, t::masks.shape(1, 3, 5));
    const auto slab = owner.slab();
    const auto inside = [&](const void* first, std::size_t bytes) {
        const auto* const begin = static_cast<const std::byte*>(first);
        return reinterpret_cast<std::uintptr_t>(first) % 64 == 0 && begin >= slab.data() &&
               begin + bytes <= slab.data() + slab.size();
    };
    const auto& whole = std::as_const(owner);
    CHECK(whole.view().count_data() == slab.data());
    CHECK(inside(slab.data(), 3 * sizeof(std::int32_t)));
    CHECK(inside(owner[t::labels].data(), 21));
    CHECK(inside(owner[t::boxes].data(), 21 * 4 * sizeof(float)));
    CHECK(inside(owner[t::masks].data(), 21 * 15));
    CHECK(owner[t::masks].shape() == std::array<std::int64_t, 5>{3, 7, 1, 3, 5});
    CHECK(owner.counts().total() == 0);
    const padded<boxes<>> nothing;
    CHECK(nothing.slab().empty());
}

TEST_CASE("a refused call leaves an owner as it was: bytes, counts, shape and memory")
{
    dice random(4);
    const two_fields from(random, 3, 6);
    boxes_and_scores owner(3, 6);
    pad_into(owner, from.source());
    const auto refused = [&](status_code code, const auto& source, const auto&... options) {
        const padbatch::test::allocation_counter counter;
        const status outcome = try_pad_into(owner, source, options...);
        const std::size_t allocated = counter.count();
        check_status(outcome, code);
        CHECK(from.are_in(owner, 6));
        CHECK(allocated == 0);
    };
    const std::vector<std::vector<float>> scores{std::vector<float>(9), {}, {}, {}};
    const std::vector<std::vector<float>> boxes{std::vector<float>(36), {}, {}, {}};
    const std::vector<std::vector<float>> fewer{std::vector<float>(32), {}, {}, {}};
    const std::vector<std::vector<float>> broken{std::vector<float>(36), {1, 2, 3}, {}, {}};
    const auto source = each(t::boxes(boxes), t::scores(scores));
    refused(status_code::too_many_rows, source);
    refused(status_code::too_many_rows, source, capacity::fixed(8));
    refused(status_code::bad_argument, source, capacity::multiple_of(0));
    refused(status_code::field_mismatch, each(t::boxes(fewer), t::scores(scores)), overflow::truncate);
    refused(status_code::size_mismatch, each(t::boxes(broken), t::scores(scores)), overflow::truncate);
    refused(status_code::size_overflow, source, capacity::fixed(std::size_t{1} << 40));
    refused(status_code::overlap, owner.view());
    refused(status_code::overlap, std::as_const(owner).view(), capacity::fixed(100));
    refused(status_code::overlap, owner, padding::reuse);
}

TEST_CASE("sizes that overflow are refused before any memory is asked for, also where an extent is 0")
{
    constexpr std::size_t most = std::numeric_limits<std::size_t>::max();
    padded<masks<>> owner;
    for (const auto& sizes : {std::array<std::size_t, 3>{most, 1, 1},
                              {most / 8, 4, 4},
                              {0, most, most},
                              {std::size_t{1} << 31, std::size_t{1} << 31, 2}}) {
        const std::size_t batch = sizes[0];
        const std::size_t capacity = sizes[1];
        const std::size_t height = sizes[2];
        const padbatch::test::allocation_counter counter;
        const status outcome = owner.try_allocate(batch, capacity, t::masks.shape(1, height, 1));
        const std::size_t allocated = counter.count();
        check_status(outcome, status_code::size_overflow);
        CHECK(allocated == 0);
        std::size_t bytes = 77;
        check_status(padded<masks<>>::try_bytes_needed(bytes, batch, capacity, t::masks.shape(1, height, 1)),
                     status_code::size_overflow);
        CHECK(bytes == 77);
        padbatch::test::check_error(
            [&] { static_cast<void>(padded<masks<>>::bytes_needed(batch, capacity, t::masks.shape(1, height, 1))); },
            status_code::size_overflow, {});
        CHECK(owner.size() == 0);
    }
}

TEST_CASE("no images need no bytes, which is not what is said of sizes that overflow, or of a shape that cannot be")
{
    CHECK(boxes_and_scores::bytes_needed(0, 5) == 0);
    std::size_t bytes = 77;
    CHECK(boxes_and_scores::try_bytes_needed(bytes, 0, 5).ok());
    CHECK(bytes == 0);
    CHECK(boxes_and_scores::try_bytes_needed(bytes, 1, 0).ok());
    CHECK(bytes >= 3 * sizeof(std::int32_t));
    check_status(padded<masks<float, 1>>::try_bytes_needed(bytes, 2, 3, t::masks.shape(2, 4, 4)),
                 status_code::row_mismatch, {"masks"});
}

namespace {

struct released {
    int times = 0;
    void* data = nullptr;
};

void count_release(void* data, void* context)
{
    auto* const r = static_cast<released*>(context);
    ++r->times;
    r->data = data;
}

} // namespace

TEST_CASE("an owner works in memory that it is given, never outgrows it, and gives it back once")
{
    dice random(5);
    const std::size_t bytes = boxes_and_scores::bytes_needed(3, 5);
    CHECK(bytes >= 3 * 5 * 5 * sizeof(float));
    memory arena = memory::allocate(bytes + 64);
    released r;
    {
        boxes_and_scores owner(memory(arena.data(), bytes, count_release, &r), 3, 5);
        const two_fields from(random, 3, 5);
        pad_into(owner, from.source());
        CHECK(from.are_in(owner, 5));
        const auto slab = owner.slab();
        CHECK(slab.data() >= static_cast<std::byte*>(arena.data()));
        CHECK(slab.data() + slab.size() <= static_cast<std::byte*>(arena.data()) + bytes);

        const two_fields larger(random, 4, 5);
        check_status(try_pad_into(owner, larger.source()), status_code::out_of_memory, {"4 images of 5 rows"});
        check_status(try_pad_into(owner, from.source(), capacity::fixed(9)), status_code::out_of_memory);
        check_status(owner.try_resize(4), status_code::out_of_memory);
        CHECK(from.are_in(owner, 5));
        CHECK(r.times == 0);

        boxes_and_scores moved(std::move(owner));
        CHECK(from.are_in(moved, 5));
        CHECK(owner.size() == 0); // NOLINT(bugprone-use-after-move)
        CHECK(r.times == 0);
    }
    CHECK(r.times == 1);
    CHECK(r.data == arena.data());
}

TEST_CASE("memory that is too small or not aligned is refused, and is still the caller's")
{
    const std::size_t bytes = boxes_and_scores::bytes_needed(3, 5);
    memory arena = memory::allocate(bytes + 64);
    auto* const place = static_cast<std::byte*>(arena.data());
    released r;
    boxes_and_scores owner(1, 1);
    {
        memory small(place, bytes - 1, count_release, &r);
        check_status(owner.try_adopt(std::move(small), 3, 5), status_code::out_of_memory);
        CHECK(small.data() == place); // NOLINT(bugprone-use-after-move): it was not taken
        memory crooked(place + 32, bytes, count_release, &r);
        check_status(owner.try_adopt(std::move(crooked), 3, 5), status_code::out_of_memory, {"aligned to 64"});
        CHECK(r.times == 0);
        CHECK(owner.capacity() == 1);
        CHECK_THROWS_AS(boxes_and_scores(memory(place, 10, count_release, &r), 3, 5), error);
        CHECK(r.times == 1); // by the temporary's own end
    }
    CHECK(r.times == 3);
}

TEST_CASE("owners move with their memory, and what was moved from can be used again")
{
    dice random(6);
    const two_fields from(random, 4, 6);
    boxes_and_scores first(4, 6);
    pad_into(first, from.source());
    const float* const place = first[t::boxes].data();
    boxes_and_scores second(std::move(first));
    CHECK(from.are_in(second, 6));
    CHECK(second[t::boxes].data() == place);
    CHECK(first.size() == 0);       // NOLINT(bugprone-use-after-move)
    pad_into(first, from.source()); // as one without memory: M of the batch
    CHECK(from.are_in(first, from.boxes.largest()));
    first = std::move(second);
    CHECK(from.are_in(first, 6));
    CHECK(first[t::boxes].data() == place);
    second = boxes_and_scores(1, 1);
    CHECK(second.size() == 1);
}

TEST_CASE("an owner can be resized: within its room rows and counts stay, beyond it all counts are 0")
{
    const dirty_malloc dirty;
    dice random(7);
    const two_fields from(random, 3, 6);
    boxes_and_scores owner(8, 6);
    pad_into(owner, from.source());
    owner.resize(5);
    CHECK(owner.size() == 5);
    CHECK(owner.counts().total() == from.boxes.total());
    CHECK(owner.count(0) == from.boxes.counts[0]);
    CHECK(same_bytes(owner.image(2)[t::boxes].flat(), from.boxes.images[2]));
    CHECK((owner.count(3) == 0 && owner.count(4) == 0));
    CHECK((owner.dropped(3) == 0 && owner.dropped(4) == 0));
    owner.resize(2);
    CHECK(owner.size() == 2);
    CHECK(owner.count(1) == from.boxes.counts[1]);
    owner.resize(20);
    CHECK(owner.size() == 20);
    CHECK(all_zero(20, [&](std::size_t i) { return owner.count(i); }));
    CHECK(all_zero(20, [&](std::size_t i) { return owner.dropped(i); }));
}

TEST_CASE("an owner whose images had become longer has counts of 0 when it is resized beyond its room")
{
    const dirty_malloc dirty;
    dice random(8);
    boxes_and_scores owner(8, 4);
    const two_fields wide(random, 2, 16);
    pad_into(owner, wide.source(), capacity::fixed(16)); // fills the room of 8 images of 4 rows
    REQUIRE(owner.try_resize(8).ok());                   // 8 images of 16 rows
    CHECK(owner.capacity() == 16);
    CHECK(all_zero(8, [&](std::size_t i) { return owner.count(i); }));
}

TEST_CASE("a batch without detections keeps the row shape that the owner was made with")
{
    padded<masks<>> owner(2, 4, t::masks.shape(1, 2, 3));
    ragged<masks<>> nothing; // has not seen a mask yet, so that it does not know a shape
    nothing.end_image();
    nothing.end_image();
    pad_into(owner, nothing);
    CHECK(owner[t::masks].shape() == std::array<std::int64_t, 5>{2, 4, 1, 2, 3});
}

TEST_CASE("a row shape that the field's type cannot have is refused")
{
    padded<masks<float, 1, 28, 28>> batch;
    check_status(batch.try_allocate(2, 3, t::masks.shape(1, 14, 14)), status_code::row_mismatch, {"masks"});
    CHECK(batch.try_allocate(2, 3, t::masks.shape(1, 28, 28)).ok());
}
