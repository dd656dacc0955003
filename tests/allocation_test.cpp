// SPDX-License-Identifier: Apache-2.0
#include <tests/support/count_allocations.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <cstddef>
#include <cstdlib>

// The functions that the other tests count allocations with. Where a sanitizer has its own malloc, it counts.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define PADBATCH_TESTS_SANITIZER_MALLOC
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define PADBATCH_TESTS_SANITIZER_MALLOC
#endif
#endif

namespace {

std::atomic<std::size_t> allocations{0};

} // namespace

#if defined(PADBATCH_TESTS_SANITIZER_MALLOC)

// GCC 12 comes without <sanitizer/allocator_interface.h>.
// NOLINTNEXTLINE(bugprone-reserved-identifier)
extern "C" int __sanitizer_install_malloc_and_free_hooks(void (*on_malloc)(const volatile void* block,
                                                                           std::size_t bytes),
                                                         void (*on_free)(const volatile void* block));

namespace {

const int installed = __sanitizer_install_malloc_and_free_hooks(
    [](const volatile void* /*block*/, std::size_t /*bytes*/) { allocations.fetch_add(1, std::memory_order_relaxed); },
    [](const volatile void* /*block*/) {});

} // namespace

std::size_t padbatch::test::allocations_so_far() noexcept
{
    static_cast<void>(installed);
    return allocations.load(std::memory_order_relaxed);
}

#else

extern "C" {

void* __libc_malloc(std::size_t bytes) noexcept;
void* __libc_calloc(std::size_t count, std::size_t bytes) noexcept;
void* __libc_realloc(void* block, std::size_t bytes) noexcept;

[[gnu::weak]] void* malloc(std::size_t bytes) noexcept
{
    allocations.fetch_add(1, std::memory_order_relaxed);
    return __libc_malloc(bytes);
}
[[gnu::weak]] void* calloc(std::size_t count, std::size_t bytes) noexcept
{
    allocations.fetch_add(1, std::memory_order_relaxed);
    return __libc_calloc(count, bytes);
}
[[gnu::weak]] void* realloc(void* block, std::size_t bytes) noexcept
{
    allocations.fetch_add(1, std::memory_order_relaxed);
    return __libc_realloc(block, bytes);
}
}

std::size_t padbatch::test::allocations_so_far() noexcept
{
    return allocations.load(std::memory_order_relaxed);
}

#endif

TEST_CASE("the counter that the tests use sees every way to allocate")
{
    const padbatch::test::allocation_counter counter;
    void* volatile block = std::malloc(16);
    const std::size_t after_malloc = counter.count();
    block = std::realloc(block, 4096); // NOLINT(bugprone-suspicious-realloc-usage): a failure ends the test anyway
    const std::size_t after_realloc = counter.count();
    void* volatile zeroed = std::calloc(4, 4);
    const std::size_t after_calloc = counter.count();
    int* volatile number = new int(1);
    const std::size_t after_new = counter.count();
    std::free(block);
    std::free(zeroed);
    delete number;
    const std::size_t after_free = counter.count();
    CHECK(after_malloc == 1);
    CHECK(after_realloc == 2);
    CHECK(after_calloc == 3);
    CHECK(after_new == 4);
    CHECK(after_free == 4);
}
