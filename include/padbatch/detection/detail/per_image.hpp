// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_DETECTION_DETAIL_PER_IMAGE_HPP
#define PADBATCH_DETECTION_DETAIL_PER_IMAGE_HPP

#include <padbatch/detail/contiguous.hpp>
#include <padbatch/error.hpp>

#include <concepts>
#include <cstddef>
#include <type_traits>

namespace padbatch::inline PADBATCH_ABI::detail {

/// An argument of an operation on a batch: one value for all images, or a contiguous container of one for each. Refers
/// to the container, so it is good for the call only.
template <class T>
class per_image {
public:
    per_image(const T& value) noexcept : m_one(value) {}
    /// `{480, 640}` for an `image_size`.
    template <std::integral First, std::integral Second>
        requires std::constructible_from<T, First, Second>
    per_image(First first, Second second) noexcept : m_one(first, second)
    {
    }
    template <contiguous_values Values>
        requires std::same_as<std::remove_const_t<value_of<const Values>>, T>
    per_image(const Values& values) noexcept : m_many(values.data()), m_size(values.size()), m_is_many(true)
    {
    }

    [[nodiscard]] const T& operator[](std::size_t i) const noexcept { return m_is_many ? m_many[i] : m_one; }

    /// Checks that there is a value for each of `images` images, and each value by `check`.
    template <class Check>
    [[nodiscard]] status check(std::size_t images, const char* what, const Check& check) const noexcept
    {
        if (m_is_many && m_size != images) {
            return {status_code::batch_mismatch, "there are {} {} for {} images: give one for each, or one for all",
                    m_size, what, images};
        }
        const std::size_t n = m_is_many ? m_size : 1;
        for (std::size_t i = 0; i < n; ++i) {
            if (status outcome = check((*this)[i]); !outcome.ok()) {
                return outcome;
            }
        }
        return {};
    }

private:
    T m_one{};
    const T* m_many = nullptr;
    std::size_t m_size = 0;
    bool m_is_many = false;
};

} // namespace padbatch::inline PADBATCH_ABI::detail

#endif
