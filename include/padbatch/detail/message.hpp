// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_DETAIL_MESSAGE_HPP
#define PADBATCH_DETAIL_MESSAGE_HPP

#include <padbatch/config.hpp>

#include <array>
#include <concepts>
#include <cstddef>
#include <cstring>
#include <span>

namespace padbatch::inline PADBATCH_ABI::detail {

// snprintf is called by the compiler's name for it: <cstdio> would add 300 lines to every program.

/// A short text with numbers in it, in memory of its own: making one cannot fail. Text that does not fit is cut off.
class message {
public:
    message() noexcept { m_text[0] = '\0'; } // the rest is not initialised: most messages are never written
    message(const message& other) noexcept : m_size(other.m_size) { std::memcpy(m_text, other.m_text, m_size + 1); }
    message& operator=(const message& other) noexcept
    {
        if (this != &other) {
            m_size = other.m_size;
            std::memcpy(m_text, other.m_text, m_size + 1);
        }
        return *this;
    }
    ~message() = default;

    template <class... Args>
    explicit message(const char* text, const Args&... args) noexcept
    {
        (put_argument(text, args), ...);
        put(text, std::strlen(text));
        m_text[m_size] = '\0';
    }

    [[nodiscard]] const char* text() const noexcept { return m_text; }

private:
    char m_text[320];
    std::size_t m_size = 0;

    void put(const char* text, std::size_t size) noexcept
    {
        const std::size_t room = sizeof m_text - 1 - m_size;
        size = size < room ? size : room;
        std::memcpy(m_text + m_size, text, size);
        m_size += size;
    }

    void put_value(const char* text) noexcept { put(text, std::strlen(text)); }
    template <std::signed_integral T>
    void put_value(T value) noexcept
    {
        char digits[24];
        __builtin_snprintf(digits, sizeof digits, "%lld", static_cast<long long>(value));
        put_value(digits);
    }
    template <std::unsigned_integral T>
    void put_value(T value) noexcept
    {
        char digits[24];
        __builtin_snprintf(digits, sizeof digits, "%llu", static_cast<unsigned long long>(value));
        put_value(digits);
    }
    void put_value(double value) noexcept
    {
        char digits[32];
        __builtin_snprintf(digits, sizeof digits, "%.9g", value);
        put_value(digits);
    }
    template <class T>
    void put_value(std::span<const T> shape) noexcept
    {
        put("[", 1);
        for (std::size_t i = 0; i < shape.size(); ++i) {
            if (i != 0) {
                put(", ", 2);
            }
            put_value(shape[i]);
        }
        put("]", 1);
    }
    template <class T, std::size_t N>
    void put_value(const std::array<T, N>& shape) noexcept
    {
        put_value(std::span<const T>(shape));
    }

    template <class T>
    void put_argument(const char*& text, const T& value) noexcept
    {
        const char* place = std::strstr(text, "{}");
        if (place == nullptr) {
            return;
        }
        put(text, static_cast<std::size_t>(place - text));
        put_value(value);
        text = place + 2;
    }
};

} // namespace padbatch::inline PADBATCH_ABI::detail

#endif
