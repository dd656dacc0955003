// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_PROJECT_HPP
#define PADBATCH_PROJECT_HPP

#include <padbatch/detail/first_failure.hpp>
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

template <class Object, class Struct, class T>
[[nodiscard]] std::ptrdiff_t member_offset(const Object& object, T Struct::* member) noexcept
{
    return reinterpret_cast<const std::byte*>(&(object.*member)) - reinterpret_cast<const std::byte*>(&object);
}
template <class Object, class Struct, class T, std::size_t N>
[[nodiscard]] std::ptrdiff_t member_offset(const Object& object, const member_list<T Struct::*, N>& list) noexcept
{
    return member_offset(object, list.members[0]);
}

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
                        return detail::first_failure([&] { return check_member(first, bound); }...);
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

    template <class Bound>
    [[nodiscard]] static status check_member(const Struct& object, const Bound& bound) noexcept
    {
        if constexpr (requires { bound.value.members; }) {
            const std::ptrdiff_t first = detail::member_offset(object, bound.value.members[0]);
            std::ptrdiff_t expected = first;
            for (const auto member : bound.value.members) {
                if (detail::member_offset(object, member) != expected) {
                    return {errc::bad_argument,
                            "the members that make up a row of {} are not adjacent: one is at byte {} of the struct; "
                            "expected {}",
                            Bound::tag::name, detail::member_offset(object, member), expected};
                }
                expected += static_cast<std::ptrdiff_t>(sizeof(object.*member));
            }
        }
        return {};
    }
};

/// A source from one contiguous container of structs for each image, whose members are the fields:
///
///     struct detection { float box[4]; std::int64_t label; float score; };
///     std::vector<std::vector<detection>> images;
///     pad(project(images, t::boxes(&detection::box), t::labels(&detection::label), t::scores(&detection::score)))
///
/// A member is a number, an array of numbers, or a class type with `.of<float>()`; for adjacent members that together
/// are a row, name each, in order. The containers have to live as long as the source does.
template <class Images, class... Tags, class... X, class... E, class... As, class... Of>
[[nodiscard]] auto project(const Images& images, const bound<Tags, X, E, As, Of>&... members)
{
    static_assert(sizeof...(members) > 0, "a batch has at least one field");
    static_assert(detail::image_container<Images>,
                  "project(...) takes a container with random access, whose item i is image i's structs, such as a "
                  "vector, a deque or a span; a map or a list is none: copy its structs into a vector");
    if constexpr (detail::image_container<Images>) {
        using struct_type = std::remove_cv_t<detail::value_of<std::remove_reference_t<decltype(images[0])>>>;
        return project_source<Images, struct_type, bound<Tags, X, E, As, Of>...>(images, members...);
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
