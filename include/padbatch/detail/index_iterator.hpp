// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_DETAIL_INDEX_ITERATOR_HPP
#define PADBATCH_DETAIL_INDEX_ITERATOR_HPP

#include <padbatch/config.hpp>

#include <cstddef>
#include <type_traits>
#include <utility>

namespace padbatch::inline PADBATCH_ABI::detail {

/// `pointer` moved by a number of bytes.
template <class T>
[[nodiscard]] inline T* offset_by(T* pointer, std::ptrdiff_t bytes) noexcept
{
    using byte = std::conditional_t<std::is_const_v<T>, const std::byte, std::byte>;
    return reinterpret_cast<T*>(reinterpret_cast<byte*>(pointer) + bytes);
}

/// Item i of a view: image i of a batch, row i of rows or of an image, element i of a row.
template <class View>
[[nodiscard]] inline decltype(auto) item(const View& view, std::size_t i) noexcept
{
    if constexpr (requires { view.image(i); }) {
        return view.image(i);
    } else {
        return view[i];
    }
}

/// Iterates over the items of a view, of which it keeps a copy.
template <class View>
class index_iterator {
public:
    using difference_type = std::ptrdiff_t;
    using value_type = std::remove_cvref_t<decltype(item(std::declval<const View&>(), std::size_t{}))>;

    index_iterator(const View& view, std::size_t i) noexcept : m_view(view), m_i(i) {}

    decltype(auto) operator*() const noexcept { return item(m_view, m_i); }
    index_iterator& operator++() noexcept
    {
        ++m_i;
        return *this;
    }
    index_iterator operator++(int) noexcept
    {
        index_iterator old = *this;
        ++m_i;
        return old;
    }
    friend bool operator==(const index_iterator& a, const index_iterator& b) noexcept { return a.m_i == b.m_i; }

private:
    View m_view;
    std::size_t m_i;
};

/// A view of a source's images, which does not copy the source.
template <class Source>
struct source_pointer {
    const Source* source;
    [[nodiscard]] auto image(std::size_t i) const { return source->image(i); }
};
template <class Source>
[[nodiscard]] auto first_image(const Source& source) noexcept
{
    return index_iterator<source_pointer<Source>>({&source}, 0);
}
template <class Source>
[[nodiscard]] auto behind_images(const Source& source) noexcept
{
    return index_iterator<source_pointer<Source>>({&source}, source.size());
}

} // namespace padbatch::inline PADBATCH_ABI::detail

#endif
