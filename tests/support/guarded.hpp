// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_TESTS_SUPPORT_GUARDED_HPP
#define PADBATCH_TESTS_SUPPORT_GUARDED_HPP

#include <cstddef>
#include <cstring>
#include <span>
#include <vector>

/// Memory of exactly `size` elements between guard bytes, at an address that is `shift` bytes beyond a multiple of 64.
/// It is filled with bytes that no test writes (0xEE), which show what was not written.
template <class T>
class guarded {
public:
    explicit guarded(std::size_t size, std::size_t shift = 0)
        : m_bytes(size * sizeof(T) + 2 * margin + 64 + shift, guard), m_size(size)
    {
        const std::size_t past = reinterpret_cast<std::size_t>(m_bytes.data() + margin) % 64;
        m_first = margin + (64 - past) % 64 + shift;
        std::memset(first_byte(), 0xEE, size * sizeof(T));
    }

    T* data() { return reinterpret_cast<T*>(first_byte()); }
    const T* data() const { return reinterpret_cast<const T*>(m_bytes.data() + m_first); }
    std::size_t size() const { return m_size; }
    T* begin() { return data(); }
    T* end() { return data() + m_size; }
    const T* begin() const { return data(); }
    const T* end() const { return data() + m_size; }
    std::span<T> span() { return {data(), m_size}; }
    std::span<const T> span() const { return {data(), m_size}; }
    std::span<const std::byte> bytes() const { return {m_bytes.data() + m_first, m_size * sizeof(T)}; }

    /// Whether the guard bytes are unchanged.
    bool intact() const
    {
        const auto all_guards = [](std::span<const std::byte> bytes) {
            for (const std::byte b : bytes) {
                if (b != guard) {
                    return false;
                }
            }
            return true;
        };
        const std::span<const std::byte> all(m_bytes);
        return all_guards(all.first(m_first)) && all_guards(all.subspan(m_first + m_size * sizeof(T)));
    }
    /// Whether no element has been written yet.
    bool untouched() const
    {
        for (const std::byte b : bytes()) {
            if (b != std::byte{0xEE}) {
                return false;
            }
        }
        return intact();
    }

private:
    static constexpr std::size_t margin = 128;
    static constexpr std::byte guard{0xA5};

    std::vector<std::byte> m_bytes;
    std::size_t m_size;
    std::size_t m_first = 0;

    std::byte* first_byte() { return m_bytes.data() + m_first; }
};

#endif
