// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_DETAIL_BUFFER_HPP
#define PADBATCH_DETAIL_BUFFER_HPP

#include <padbatch/config.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <type_traits>
#include <utility>

namespace padbatch::inline PADBATCH_ABI::detail {

// The heap is called by the compiler's names for malloc and its kin: <cstdlib> would add 700 lines to every program.

/// Growable memory for trivially copyable values, which it does not initialise. Never throws: a `try_` function returns
/// whether there was enough memory.
template <class T>
class buffer {
    static_assert(std::is_trivially_copyable_v<T>);
    static_assert(alignof(T) <= alignof(std::max_align_t));

public:
    buffer() noexcept = default;
    buffer(buffer&& other) noexcept
        : m_data(std::exchange(other.m_data, nullptr)), m_size(std::exchange(other.m_size, 0)),
          m_capacity(std::exchange(other.m_capacity, 0))
    {
    }
    buffer& operator=(buffer&& other) noexcept
    {
        std::swap(m_data, other.m_data);
        std::swap(m_size, other.m_size);
        std::swap(m_capacity, other.m_capacity);
        return *this;
    }
    buffer(const buffer&) = delete;
    buffer& operator=(const buffer&) = delete;
    ~buffer() { __builtin_free(m_data); }

    [[nodiscard]] T* data() const noexcept { return m_data; }
    [[nodiscard]] std::size_t size() const noexcept { return m_size; }
    [[nodiscard]] std::size_t capacity() const noexcept { return m_capacity; }
    [[nodiscard]] T& operator[](std::size_t i) const noexcept { return m_data[i]; }

    /// Makes room for `n` values, and grows by at least half, so that growing one by one stays cheap.
    [[nodiscard]] bool try_reserve(std::size_t n) noexcept
    {
        if (n <= m_capacity) {
            return true;
        }
        constexpr std::size_t most = static_cast<std::size_t>(std::numeric_limits<std::ptrdiff_t>::max()) / sizeof(T);
        if (n > most) {
            return false;
        }
        const std::size_t grown = m_capacity + m_capacity / 2;
        const std::size_t wanted = n > grown ? n : grown > most ? most : grown;
        void* const larger = __builtin_realloc(static_cast<void*>(m_data), wanted * sizeof(T));
        if (larger == nullptr) {
            return false;
        }
        m_data = static_cast<T*>(larger);
        m_capacity = wanted;
        return true;
    }

    [[nodiscard]] bool try_resize(std::size_t n) noexcept
    {
        if (!try_reserve(n)) {
            return false;
        }
        m_size = n;
        return true;
    }

    void clear() noexcept { m_size = 0; }

private:
    T* m_data = nullptr;
    std::size_t m_size = 0;
    std::size_t m_capacity = 0;
};

} // namespace padbatch::inline PADBATCH_ABI::detail

#endif
