// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_TENSOR_REF_HPP
#define PADBATCH_TENSOR_REF_HPP

#include <padbatch/detail/contiguous.hpp>
#include <padbatch/element_type.hpp>
#include <padbatch/extents.hpp>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <type_traits>

namespace padbatch::inline PADBATCH_ABI {

/// Where memory is. Only `host` memory is read and written; other memory is described, and refused where it would have
/// to be read.
enum class device : unsigned char {
    host,
    cuda,
    other,
};

/// A tensor that someone else owns: pointer, element type, shape, strides, device. Adapters make one from a tensor of
/// their library, and padbatch's views are made from it after a check.
///
/// `Void` is `void` (`tensor_ref`) or `const void` (`const_tensor_ref`).
template <class Void>
class basic_tensor_ref {
public:
    static constexpr std::size_t max_rank = 8;

    basic_tensor_ref() noexcept = default;

    /// A tensor in row-major order. Extents must not be negative; no check accepts a shape of more than `max_rank`
    /// extents.
    template <detail::contiguous_values Shape>
    basic_tensor_ref(Void* data, padbatch::element_type type, const Shape& shape,
                     padbatch::device where = padbatch::device::host) noexcept
        : m_data(data), m_type(type), m_device(where), m_rank(shape.size())
    {
        static_assert(std::is_integral_v<detail::value_of<const Shape>>, "the extents of a tensor are integers");
        std::int64_t stride = 1;
        for (std::size_t k = m_rank <= max_rank ? m_rank : 0; k-- > 0;) {
            m_shape[k] = static_cast<std::int64_t>(shape.data()[k]);
            m_strides[k] = stride;
            stride = static_cast<std::int64_t>(static_cast<std::uint64_t>(stride) *
                                               static_cast<std::uint64_t>(m_shape[k] > 1 ? m_shape[k] : 1));
        }
    }

    /// A tensor with a stride for each extent, counted in elements.
    template <detail::contiguous_values Shape, detail::contiguous_values Strides>
    basic_tensor_ref(Void* data, padbatch::element_type type, const Shape& shape, const Strides& strides,
                     padbatch::device where = padbatch::device::host) noexcept
        : basic_tensor_ref(data, type, shape, where)
    {
        static_assert(std::is_integral_v<detail::value_of<const Strides>>, "the strides of a tensor are integers");
        for (std::size_t k = 0; k < m_rank && k < max_rank && k < strides.size(); ++k) {
            m_strides[k] = static_cast<std::int64_t>(strides.data()[k]);
        }
    }

    /// A tensor of `T` in row-major order.
    template <element T, detail::contiguous_values Shape>
        requires(std::is_const_v<Void> || !std::is_const_v<T>)
    basic_tensor_ref(T* data, const Shape& shape) noexcept
        : basic_tensor_ref(static_cast<Void*>(data), element_type_of<T>, shape)
    {
    }

    /// Converts a tensor that may be written to a read-only one.
    template <class Other>
        requires(std::is_const_v<Void> && !std::is_const_v<Other>)
    basic_tensor_ref(const basic_tensor_ref<Other>& other) noexcept
        : basic_tensor_ref(other.data(), other.type(), other.shape(), other.strides(), other.device())
    {
        m_rank = other.rank(); // even if it is too high, so that no check accepts it
    }

    [[nodiscard]] Void* data() const noexcept { return m_data; }
    [[nodiscard]] padbatch::element_type type() const noexcept { return m_type; }
    [[nodiscard]] padbatch::device device() const noexcept { return m_device; }
    [[nodiscard]] std::size_t rank() const noexcept { return m_rank; }
    [[nodiscard]] std::span<const std::int64_t> shape() const noexcept
    {
        return {m_shape, m_rank <= max_rank ? m_rank : 0};
    }
    /// Counted in elements.
    [[nodiscard]] std::span<const std::int64_t> strides() const noexcept
    {
        return {m_strides, m_rank <= max_rank ? m_rank : 0};
    }

    /// Whether the elements are adjacent, in row-major order. The strides of extents of 1 do not matter.
    [[nodiscard]] bool is_contiguous() const noexcept
    {
        std::uint64_t stride = 1;
        bool contiguous = true;
        for (std::size_t k = shape().size(); k-- > 0;) {
            if (m_shape[k] == 0) {
                return true;
            }
            contiguous = contiguous && (m_shape[k] == 1 || static_cast<std::uint64_t>(m_strides[k]) == stride);
            stride *= static_cast<std::uint64_t>(m_shape[k]);
        }
        return contiguous;
    }

private:
    Void* m_data = nullptr;
    padbatch::element_type m_type = padbatch::element_type::float32;
    padbatch::device m_device = padbatch::device::host;
    std::size_t m_rank = 0;
    std::int64_t m_shape[max_rank] = {};
    std::int64_t m_strides[max_rank] = {};
};

using tensor_ref = basic_tensor_ref<void>;
using const_tensor_ref = basic_tensor_ref<const void>;

namespace detail {

/// Checks that `tensor` is contiguous, aligned host memory of `type`, with a shape of `rank` extents that begins with
/// `leading`. `what` names it in the message.
[[nodiscard]] inline status check_tensor(const const_tensor_ref& tensor, const char* what, element_type type,
                                         std::span<const std::int64_t> leading, std::size_t rank) noexcept
{
    if (tensor.device() != device::host) {
        return {status_code::device_memory, "{} is in device memory, but is read on the host: copy it there first",
                what};
    }
    if (tensor.type() != type) {
        return {status_code::wrong_type, "{} has elements of type {}, but {} was requested", what,
                name_of(tensor.type()), name_of(type)};
    }
    bool fits = tensor.rank() == rank && tensor.shape().size() == rank;
    for (std::size_t k = 0; fits && k < rank; ++k) {
        fits = tensor.shape()[k] >= 0 && (k >= leading.size() || tensor.shape()[k] == leading[k]);
    }
    if (!fits) {
        return {status_code::wrong_shape,
                "{} has the shape {}; expected {} extents that begin with {}",
                what,
                tensor.shape(),
                rank,
                leading};
    }
    std::int64_t elements = 0;
    if (status counted = try_element_count(tensor.shape(), elements); !counted.ok()) {
        return counted;
    }
    if (elements > std::numeric_limits<std::ptrdiff_t>::max() / static_cast<std::ptrdiff_t>(size_of(type))) {
        return {status_code::size_overflow, "{} has the shape {}, which is more bytes than memory can have", what,
                tensor.shape()};
    }
    if (!tensor.is_contiguous()) {
        return {status_code::wrong_shape,
                "{} has the shape {} and the strides {}: it must be in row-major order without gaps", what,
                tensor.shape(), tensor.strides()};
    }
    if (elements != 0 && tensor.data() == nullptr) {
        return {status_code::size_mismatch, "{} has the shape {}, but its pointer is null", what, tensor.shape()};
    }
    const std::size_t past = reinterpret_cast<std::uintptr_t>(tensor.data()) % size_of(type);
    if (elements != 0 && past != 0) {
        return {status_code::misaligned,
                "{} begins {} bytes behind a multiple of {}, the size of its elements ({}): copy it to aligned memory",
                what,
                past,
                size_of(type),
                name_of(type)};
    }
    return {};
}

} // namespace detail

} // namespace padbatch::inline PADBATCH_ABI

#endif
