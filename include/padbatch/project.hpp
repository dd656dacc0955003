// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_PROJECT_HPP
#define PADBATCH_PROJECT_HPP

#include <padbatch/detail/first_failure.hpp>
#include <padbatch/detail/project_items.hpp>
#include <padbatch/detail/split_rows.hpp>
#include <padbatch/source.hpp>

#include <cstddef>
#include <tuple>
#include <type_traits>

namespace padbatch::inline PADBATCH_ABI {

namespace detail {

/// The type that a member pointer, or a list of adjacent ones, points at.
template <class X>
struct member_parts;
template <class Struct, class T>
struct member_parts<T Struct::*> {
    using value_type = T;
};
template <class Struct, class T, std::size_t N>
struct member_parts<member_list<T Struct::*, N>> {
    using value_type = T[N];
};

/// One field of a struct, and the rows that it makes.
template <class Bound>
struct member_field {
    using tag = typename Bound::tag;
    using member_type = std::remove_cvref_t<decltype(std::declval<const Bound&>().value)>;
    using parts = parts_of<typename member_parts<member_type>::value_type, Bound>;
    static_assert(!parts::is_flat,
                  "one number is not a row of this field: name an array member, or all the members that "
                  "make up a row, as in t::boxes(&box::x1, &box::y1, &box::x2, &box::y2)");
    using T = typename parts::element_type;
    using E = typename parts::extents_type;
    using field_type = field<tag, target_of<Bound, T>, E>;
    using rows_type = basic_rows<const T, E, layout::strided>;
};

/// Whether a field is a member that is the row itself, so that rows are a fixed distance apart.
template <class Struct, class Bound>
consteval bool find_strided_member() noexcept
{
    using member_type = std::remove_cvref_t<decltype(std::declval<const Bound&>().value)>;
    if constexpr (is_member_of<Struct, member_type>) {
        using value = std::remove_cv_t<typename member_parts<member_type>::value_type>;
        return !has_row_traits<value> && !(Bound::extents_type::rank != 0 && (holds_row<value> || row_pointer<value>));
    } else {
        return false;
    }
}
template <class Struct, class Bound>
inline constexpr bool is_strided_member = find_strided_member<Struct, Bound>();

/// Whether containers of this type hold structs, each with all of the fields. If not, this is a compile error with the
/// reason.
template <class Structs, class Held, class... Bounds>
consteval bool can_project() noexcept
{
    constexpr bool holds = item_container<Structs>;
    static_assert(holds, "the structs of one image are a container with random access, such as a vector, a deque or a "
                         "span, of structs or of pointers to them");
    if constexpr (holds) {
        static_assert(
            std::is_lvalue_reference_v<Held> ||
                (contiguous_values<const Structs> && std::is_trivially_destructible_v<Structs>),
            "indexing this container makes a temporary copy of an image's structs, which would be gone before "
            "it is read: give a container that holds them");
        using struct_type = struct_of<item_of<Structs>>;
        constexpr bool fit =
            ((is_member_of<struct_type, std::remove_cvref_t<decltype(std::declval<const Bounds&>().value)>> ||
              is_function_of<struct_type, std::remove_cvref_t<decltype(std::declval<const Bounds&>().value)>>) &&
             ...);
        static_assert(fit, "a field of structs is a member of theirs, t::scores(&detection::score), or a function that "
                           "takes one and returns the row, t::boxes([](const detection& d) { return d.box.corners; })");
        return fit;
    }
    return false;
}

} // namespace detail

/// A source that reads the fields of structs; made by `project`.
template <class Images, class Struct, class... Bounds>
class project_source {
    static_assert(detail::tags_differ<Bounds...>, "each field of a batch needs a tag of its own");

public:
    using fields = detail::field_list<typename detail::member_field<Bounds>::field_type...>;
    using image_type =
        image_view<tagged_rows<typename Bounds::tag, typename detail::member_field<Bounds>::rows_type>...>;

    explicit project_source(const Images& images, const Bounds&... members) : m_images(&images), m_members(members...)
    {
    }

    [[nodiscard]] std::size_t size() const noexcept { return m_images->size(); }
    [[nodiscard]] std::size_t count(std::size_t i) const noexcept { return (*m_images)[i].size(); }
    [[nodiscard]] image_type image(std::size_t i) const noexcept
    {
        return std::apply([&](const Bounds&... bound) { return image_type(rows_at(bound, i)...); }, m_members);
    }
    [[nodiscard]] auto begin() const noexcept { return detail::first_image(*this); }
    [[nodiscard]] auto end() const noexcept { return detail::behind_images(*this); }

    /// Checks that members that are named one by one are adjacent.
    [[nodiscard]] status check() const noexcept
    {
        for (std::size_t i = 0; i < size(); ++i) {
            if (count(i) != 0) {
                const Struct& first = *(*m_images)[i].data();
                return std::apply(
                    [&](const Bounds&... bound) {
                        return detail::first_failure([&] { return detail::check_adjacent(first, bound); }...);
                    },
                    m_members);
            }
        }
        return {};
    }

    [[nodiscard]] bool overlaps(const void* first, const void* last) const noexcept
    {
        for (std::size_t i = 0; i < size(); ++i) {
            const Struct* const structs = (*m_images)[i].data();
            if (detail::ranges_overlap(structs, structs + count(i), first, last)) {
                return true;
            }
        }
        return false;
    }

    /// Copies the first `slots.size()` structs of image i, one after the other.
    template <class... Slots>
    [[gnu::always_inline]] inline void copy_to(std::size_t i, const image_view<Slots...>& slots) const noexcept
    {
        detail::split_image(image(i), slots);
    }

private:
    const Images* m_images;
    std::tuple<Bounds...> m_members;

    template <class Bound>
    [[nodiscard]] auto rows_at(const Bound& bound, std::size_t i) const noexcept
    {
        using parts = detail::member_field<Bound>;
        const auto& structs = (*m_images)[i];
        const Struct* const first = structs.data();
        const typename parts::T* data = nullptr;
        if (structs.size() != 0) {
            data = reinterpret_cast<const typename parts::T*>(reinterpret_cast<const std::byte*>(first) +
                                                              detail::member_offset(*first, bound.value));
        }
        return tagged_rows<typename Bound::tag, typename parts::rows_type>{
            {data, structs.size(), {}, {static_cast<std::ptrdiff_t>(sizeof(Struct))}}};
    }
};

/// A source from one container of structs for each image, whose members are the fields:
///
///     struct detection { float box[4]; std::int64_t label; float score; };
///     std::vector<std::vector<detection>> images;
///     pad(project(images, t::boxes(&detection::box), t::labels(&detection::label), t::scores(&detection::score)))
///
/// A member is a number, an array of numbers, a class type with `.of<float>()`, or a container of one row's numbers;
/// for adjacent members that together are a row, name each, in order. A function of the struct, or a member function,
/// is a field too, for members of members and for what is computed: `t::boxes([](const detection& d) { return
/// d.shape.corners; })`. It may be called more than once for a row, has to return the same each time, and must not
/// throw. Images may also be containers that are not contiguous, or hold pointers. The containers have to live as long
/// as the source does.
template <class Images, class... Tags, class... X, class... E, class... As, class... Of>
[[nodiscard]] auto project(const Images& images, const bound<Tags, X, E, As, Of>&... members)
{
    static_assert(sizeof...(members) > 0, "a batch has at least one field");
    static_assert(detail::image_container<Images>,
                  "project(...) takes a container with random access, whose item i is image i's structs, such as a "
                  "vector, a deque or a span; a map or a list is none: copy its structs into a vector");
    if constexpr (detail::image_container<Images>) {
        using structs = std::remove_cvref_t<decltype(images[0])>;
        if constexpr (detail::can_project<structs, decltype(images[0]), bound<Tags, X, E, As, Of>...>()) {
            using struct_type = detail::struct_of<detail::item_of<structs>>;
            if constexpr (detail::contiguous_values<const structs> &&
                          std::is_same_v<struct_type, detail::item_of<structs>> &&
                          (detail::is_strided_member<struct_type, bound<Tags, X, E, As, Of>> && ...)) {
                return project_source<Images, struct_type, bound<Tags, X, E, As, Of>...>(images, members...);
            } else {
                return detail::projected_items<Images, bound<Tags, X, E, As, Of>...>(images, members...);
            }
        }
    }
}
template <class Images, class... Bounds>
auto project(const Images&& images, const Bounds&... members) = delete;
template <class Images, class... X>
    requires(!detail::bound_values<X> || ...)
auto project(const Images&, const X&...)
{
    static_assert(sizeof...(X) == 0, "name each field: project(images, t::boxes(&detection::box), "
                                     "t::scores(&detection::score))");
}

} // namespace padbatch::inline PADBATCH_ABI

#endif
