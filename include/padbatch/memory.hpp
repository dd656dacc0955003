// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_MEMORY_HPP
#define PADBATCH_MEMORY_HPP

#include <padbatch/error.hpp>

#include <cstddef>
#include <cstdint>
#include <utility>

namespace padbatch::inline PADBATCH_ABI {

/// One block of memory, and how to release it. Owners take any memory: pinned, shared, or from an arena.
class memory {
public:
    /// The alignment in bytes of an owner's fields: a cache line, which is more than any vector unit needs.
    static constexpr std::size_t alignment = 64;

    memory() noexcept = default;

    /// Takes over `bytes` bytes at `data`, aligned to `alignment`. When they are no longer needed,
    /// `release(data, context)` is called once; it may be null for memory that outlives its owner.
    memory(void* data, std::size_t bytes, void (*release)(void* data, void* context), void* context = nullptr) noexcept
        : m_data(data), m_bytes(bytes), m_release(release), m_context(context)
    {
    }

    memory(memory&& other) noexcept { swap(other); }
    memory& operator=(memory&& other) noexcept
    {
        memory taken(std::move(other));
        swap(taken);
        return *this;
    }
    memory(const memory&) = delete;
    memory& operator=(const memory&) = delete;
    ~memory()
    {
        if (m_release != nullptr) {
            m_release(m_data, m_context);
        }
    }

    /// Memory from the heap, not initialised; empty if there is not enough.
    [[nodiscard]] static memory allocate(std::size_t bytes) noexcept
    {
        return aligned(bytes, [](std::size_t size) { return __builtin_malloc(size); });
    }

    /// The same, all zero. A large block comes from the system as zero pages, which take no time until they are
    /// touched.
    [[nodiscard]] static memory allocate_zeroed(std::size_t bytes) noexcept
    {
        return aligned(bytes, [](std::size_t size) { return __builtin_calloc(size, 1); });
    }

    [[nodiscard]] void* data() const noexcept { return m_data; }
    [[nodiscard]] std::size_t bytes() const noexcept { return m_bytes; }

private:
    void* m_data = nullptr;
    std::size_t m_bytes = 0;
    void (*m_release)(void*, void*) = nullptr;
    void* m_context = nullptr;

    void swap(memory& other) noexcept
    {
        std::swap(m_data, other.m_data);
        std::swap(m_bytes, other.m_bytes);
        std::swap(m_release, other.m_release);
        std::swap(m_context, other.m_context);
    }

    template <class Allocate>
    static memory aligned(std::size_t bytes, Allocate allocate) noexcept
    {
        if (bytes > SIZE_MAX - alignment) {
            return {};
        }
        void* const block = allocate(bytes + alignment);
        if (block == nullptr) {
            return {};
        }
        const auto address = reinterpret_cast<std::uintptr_t>(block);
        const std::size_t skip = alignment - address % alignment;
        return {static_cast<std::byte*>(block) + skip, bytes, [](void*, void* whole) { __builtin_free(whole); }, block};
    }
};

} // namespace padbatch::inline PADBATCH_ABI

#endif
