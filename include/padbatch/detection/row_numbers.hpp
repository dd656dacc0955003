// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_DETECTION_ROW_NUMBERS_HPP
#define PADBATCH_DETECTION_ROW_NUMBERS_HPP

#include <padbatch/detail/buffer.hpp>
#include <padbatch/error.hpp>

#include <cstddef>
#include <cstdint>
#include <utility>

namespace padbatch::inline PADBATCH_ABI {

/// The numbers of some rows of one image, int64 as torchvision returns them: what `nms` keeps, in its order. A
/// contiguous container that keeps its memory, so that one for the largest image serves all others. Move only.
class row_numbers {
public:
    using value_type = std::int64_t;

    row_numbers() noexcept = default;

    [[nodiscard]] std::int64_t* data() noexcept { return m_numbers.data(); }
    [[nodiscard]] const std::int64_t* data() const noexcept { return m_numbers.data(); }
    [[nodiscard]] std::size_t size() const noexcept { return m_numbers.size(); }
    [[nodiscard]] bool empty() const noexcept { return size() == 0; }
    [[nodiscard]] std::int64_t& operator[](std::size_t j) noexcept { return m_numbers[j]; }
    [[nodiscard]] std::int64_t operator[](std::size_t j) const noexcept { return m_numbers[j]; }
    [[nodiscard]] std::int64_t* begin() noexcept { return data(); }
    [[nodiscard]] std::int64_t* end() noexcept { return data() + size(); }
    [[nodiscard]] const std::int64_t* begin() const noexcept { return data(); }
    [[nodiscard]] const std::int64_t* end() const noexcept { return data() + size(); }

    /// Sets the number of rows; numbers that are new are not initialised. Fails if there is not enough memory.
    [[nodiscard]] status try_resize(std::size_t rows) noexcept
    {
        if (!m_numbers.try_resize(rows)) {
            return {status_code::out_of_memory, "not enough memory for {} row numbers", rows};
        }
        return {};
    }
    void clear() noexcept { m_numbers.clear(); }

private:
    detail::buffer<std::int64_t> m_numbers;
};

} // namespace padbatch::inline PADBATCH_ABI

#endif
