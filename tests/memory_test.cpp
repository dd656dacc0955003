// SPDX-License-Identifier: Apache-2.0
#include <padbatch/memory.hpp>

#include <tests/support/count_allocations.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <type_traits>
#include <utility>

using padbatch::memory;

static_assert(!std::is_copy_constructible_v<memory> && !std::is_copy_assignable_v<memory>);
static_assert(std::is_nothrow_move_constructible_v<memory> && std::is_nothrow_move_assignable_v<memory>);
static_assert(memory::alignment == 64);

namespace {

/// Counts how often it was given back what it lent.
struct lender {
    alignas(64) std::byte bytes[128] = {};
    int released = 0;
    void* last = nullptr;

    memory lend()
    {
        return {bytes, sizeof bytes,
                [](void* data, void* context) {
                    auto& self = *static_cast<lender*>(context);
                    ++self.released;
                    self.last = data;
                },
                this};
    }
};

bool is_aligned(const void* data)
{
    return reinterpret_cast<std::uintptr_t>(data) % memory::alignment == 0;
}

} // namespace

TEST_CASE("allocated memory is aligned, and all of its bytes can be written")
{
    for (const std::size_t bytes : {0U, 1U, 63U, 64U, 65U, 1000U, 100'000U, 5'000'000U}) {
        CAPTURE(bytes);
        const memory plain = memory::allocate(bytes);
        const memory zeroed = memory::allocate_zeroed(bytes);
        REQUIRE(plain.data() != nullptr);
        REQUIRE(zeroed.data() != nullptr);
        CHECK(plain.bytes() == bytes);
        CHECK(zeroed.bytes() == bytes);
        CHECK(is_aligned(plain.data()));
        CHECK(is_aligned(zeroed.data()));
        std::size_t not_zero = 0;
        for (std::size_t i = 0; i < bytes; ++i) {
            not_zero += static_cast<const unsigned char*>(zeroed.data())[i] != 0 ? 1 : 0;
        }
        CHECK(not_zero == 0);
        std::memset(plain.data(), 0xff, bytes);
        std::memset(zeroed.data(), 0xff, bytes);
    }
}

TEST_CASE("memory of one allocation is one allocation")
{
    const padbatch::test::allocation_counter counter;
    const memory block = memory::allocate(1000);
    const std::size_t allocations = counter.count();
    CHECK(allocations == 1);
}

TEST_CASE("more bytes than there can be are no memory")
{
    for (const std::size_t bytes :
         {std::numeric_limits<std::size_t>::max(), std::numeric_limits<std::size_t>::max() - memory::alignment + 1}) {
        const memory block = memory::allocate(bytes);
        CHECK(block.data() == nullptr);
        CHECK(block.bytes() == 0);
        CHECK(memory::allocate_zeroed(bytes).data() == nullptr);
    }
}

TEST_CASE("memory that was taken over is given back once, with its context")
{
    lender owner;
    {
        const memory block = owner.lend();
        CHECK(block.data() == owner.bytes);
        CHECK(block.bytes() == 128);
        CHECK(owner.released == 0);
    }
    CHECK(owner.released == 1);
    CHECK(owner.last == owner.bytes);
}

TEST_CASE("memory without a release function outlives its owner")
{
    int number = 7;
    {
        const memory block(&number, sizeof number, nullptr);
        CHECK(block.data() == &number);
    }
    CHECK(number == 7);
}

TEST_CASE("moving memory hands it on, and gives back what was there before")
{
    lender first;
    lender second;
    {
        memory a = first.lend();
        memory b = std::move(a);
        CHECK(a.data() == nullptr); // NOLINT(bugprone-use-after-move)
        CHECK(a.bytes() == 0);
        CHECK(b.data() == first.bytes);
        CHECK(first.released == 0);

        b = second.lend();
        CHECK(first.released == 1);
        CHECK(second.released == 0);
        CHECK(b.data() == second.bytes);

        memory& same = b;
        b = std::move(same);
        CHECK(b.data() == second.bytes);
        CHECK(second.released == 0);

        b = memory();
        CHECK(second.released == 1);
        CHECK(b.data() == nullptr);
    }
    CHECK(first.released == 1);
    CHECK(second.released == 1);
}
