// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_TESTS_SUPPORT_COUNT_ALLOCATIONS_HPP
#define PADBATCH_TESTS_SUPPORT_COUNT_ALLOCATIONS_HPP

#include <cstddef>

namespace padbatch::test {

/// How often this program has allocated memory: malloc, calloc and realloc, and with them operator new.
[[nodiscard]] std::size_t allocations_so_far() noexcept;

/// Counts the allocations from its construction on. Read `count()` into a variable before the next CHECK, which
/// allocates too.
class allocation_counter {
public:
    allocation_counter() noexcept : m_before(allocations_so_far()) {}
    [[nodiscard]] std::size_t count() const noexcept { return allocations_so_far() - m_before; }

private:
    std::size_t m_before;
};

} // namespace padbatch::test

#endif
