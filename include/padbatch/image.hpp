// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_IMAGE_HPP
#define PADBATCH_IMAGE_HPP

#include <padbatch/fields.hpp>
#include <padbatch/rows.hpp>

#include <cstddef>
#include <tuple>

namespace padbatch::inline PADBATCH_ABI {

/// The rows of one field, and which field it is.
template <field_tag Tag, class Rows>
struct tagged_rows {
    using tag = Tag;
    using rows_type = Rows;
    [[no_unique_address]] Rows rows;
};

/// The detections of one image, the same number of rows in each field. A view.
///
/// `image[t::boxes]` gives the rows of one field; `for (auto [box, label, score] : image)` iterates over the
/// detections, with all fields of each, in the order of the fields.
template <class... TaggedRows>
class image_view : private TaggedRows... {
public:
    using tags = detail::field_list<TaggedRows...>;

    explicit image_view(const TaggedRows&... fields) noexcept : TaggedRows(fields)... {}

    /// The number of detections.
    [[nodiscard]] std::size_t size() const noexcept { return first_rows<TaggedRows...>().size(); }
    [[nodiscard]] bool empty() const noexcept { return size() == 0; }

    /// The rows of the field with this tag.
    template <field_tag Tag>
    [[nodiscard]] auto operator[](const Tag&) const noexcept
    {
        using found = detail::field_of<Tag, tags>;
        static_assert(!std::is_void_v<found>, "this image has no field with this tag");
        return typename found::rows_type(static_cast<const found&>(*this).rows);
    }

    /// Detection i: a tuple of the row of each field.
    [[nodiscard]] std::tuple<typename TaggedRows::rows_type::reference...> operator[](std::size_t i) const noexcept
    {
        return {static_cast<const TaggedRows&>(*this).rows[i]...};
    }

    /// The first `n` detections; n <= size().
    [[nodiscard]] image_view first(std::size_t n) const noexcept
    {
        return image_view(TaggedRows{static_cast<const TaggedRows&>(*this).rows.first(n)}...);
    }

    [[nodiscard]] auto begin() const noexcept { return detail::index_iterator<image_view>(*this, 0); }
    [[nodiscard]] auto end() const noexcept { return detail::index_iterator<image_view>(*this, size()); }

private:
    template <class First, class... Rest>
    [[nodiscard]] const auto& first_rows() const noexcept
    {
        return static_cast<const First&>(*this).rows;
    }
};

} // namespace padbatch::inline PADBATCH_ABI

#endif
