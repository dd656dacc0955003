// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_DETAIL_PROJECT_ITEMS_HPP
#define PADBATCH_DETAIL_PROJECT_ITEMS_HPP

#include <padbatch/detail/first_failure.hpp>
#include <padbatch/detail/split_rows.hpp>
#include <padbatch/source.hpp>

#include <cstddef>
#include <tuple>
#include <type_traits>

namespace padbatch::inline PADBATCH_ABI::detail {

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

/// Checks that members that are named one by one are adjacent.
template <class Struct, class Bound>
[[nodiscard]] status check_adjacent(const Struct& object, const Bound& bound) noexcept
{
    if constexpr (requires { bound.value.members; }) {
        std::ptrdiff_t expected = member_offset(object, bound.value.members[0]);
        for (const auto member : bound.value.members) {
            if (member_offset(object, member) != expected) {
                return {status_code::bad_argument,
                        "the members that make up a row of {} are not adjacent: one is at byte {} of the struct; "
                        "expected {}",
                        Bound::tag::name, member_offset(object, member), expected};
            }
            expected += static_cast<std::ptrdiff_t>(sizeof(object.*member));
        }
    }
    return {};
}

/// The struct that an item of a container is or, if it is a pointer, points to.
template <class Item>
[[nodiscard]] const auto& struct_in(const Item& item) noexcept
{
    if constexpr (item_pointer<Item>) {
        return *item;
    } else {
        return item;
    }
}
template <class Item>
using struct_of = std::remove_cvref_t<decltype(struct_in(std::declval<const Item&>()))>;

/// Whether a field is a member, or several adjacent ones, of `Struct`.
template <class Struct, class X>
inline constexpr bool is_member_of = false;
template <class Struct, class Base, class T>
inline constexpr bool is_member_of<Struct, T Base::*> = std::is_object_v<T> && std::is_base_of_v<Base, Struct>;
template <class Struct, class Base, class T, std::size_t N>
inline constexpr bool is_member_of<Struct, member_list<T Base::*, N>> = std::is_base_of_v<Base, Struct>;
/// Whether it is a function of a `Struct`, such as a lambda or a member function.
template <class Struct, class X>
concept is_function_of = !is_member_of<Struct, X> && std::is_invocable_v<const X&, const Struct&>;

/// A member, or a function, by value if that is cheap, so that rows need not refer to their source.
template <class Member>
struct member_pointer {
    const Member* value;
    member_pointer(const Member& member) noexcept : value(&member) {}
    [[nodiscard]] const Member& get() const noexcept { return *value; }
};
template <class Member>
    requires(std::is_object_v<Member> && std::is_trivially_copyable_v<Member> && sizeof(Member) <= 64)
struct member_pointer<Member> {
    [[no_unique_address]] Member value;
    member_pointer(const Member& member) noexcept : value(member) {}
    [[nodiscard]] const Member& get() const noexcept { return value; }
};

/// Reads one field of the struct that an item is or points to.
template <class Member>
struct read_member {
    [[no_unique_address]] member_pointer<Member> member;

    template <class Item>
    [[nodiscard]] decltype(auto) operator()(const Item& item) const noexcept
    {
        const auto& object = struct_in(item);
        if constexpr (requires { member.get().members; }) {
            return in_list(object, member.get());
        } else if constexpr (std::is_member_object_pointer_v<Member>) {
            return (object.*member.get());
        } else if constexpr (std::is_member_function_pointer_v<Member>) {
            return (object.*member.get())();
        } else {
            return member.get()(object);
        }
    }

private:
    template <class Object, class Struct, class T, std::size_t N>
    [[nodiscard]] static const T (&in_list(const Object& object, const member_list<T Struct::*, N>& list) noexcept)[N]
    {
        return reinterpret_cast<const T(&)[N]>(object.*list.members[0]);
    }
};

/// One field of structs that are read item by item.
template <class Structs, class Bound>
struct item_field {
    using tag = typename Bound::tag;
    using member = std::remove_cvref_t<decltype(std::declval<const Bound&>().value)>;
    using access = read_member<member>;
    using value = std::remove_cvref_t<decltype(std::declval<const access&>()(std::declval<const Structs&>()[0]))>;
    static_assert(!std::is_void_v<value>, "the function of a field returns nothing: it returns the field's row");
    using reader = reader_of<value, Bound>;
    using rows_type = item_rows<reader, decltype(items_of(std::declval<const Structs&>())), access>;
    using field_type = field<tag, target_of<Bound, typename rows_type::value_type>, typename rows_type::extents_type>;

    [[nodiscard]] static typename rows_type::extents_type extents(const Structs& structs, const Bound& bound) noexcept
    {
        return item_extents<reader>(structs, access{bound.value}, bound.row);
    }
    [[nodiscard]] static rows_type rows(const Structs& structs, const Bound& bound) noexcept
    {
        return {items_of(structs), static_cast<std::size_t>(structs.size()), extents(structs, bound),
                access{bound.value}};
    }
    [[nodiscard]] static status check(const Structs& structs, const Bound& bound) noexcept
    {
        return check_items<reader, Bound>(structs, access{bound.value}, extents(structs, bound));
    }
};

/// A source that reads the fields of structs one by one: through functions, or structs that are not adjacent; made by
/// `project`.
template <class Images, class... Bounds>
class projected_items {
    static_assert(tags_differ<Bounds...>, "each field of a batch needs a tag of its own");
    using structs = std::remove_cvref_t<decltype(std::declval<const Images&>()[0])>;
    template <class Bound>
    using item_field = detail::item_field<structs, Bound>;

public:
    using fields = field_list<typename item_field<Bounds>::field_type...>;
    using image_type = image_view<tagged_rows<typename Bounds::tag, typename item_field<Bounds>::rows_type>...>;

    explicit projected_items(const Images& images, const Bounds&... members) : m_images(&images), m_members(members...)
    {
    }

    [[nodiscard]] std::size_t size() const noexcept { return m_images->size(); }
    [[nodiscard]] std::size_t count(std::size_t i) const noexcept { return (*m_images)[i].size(); }
    [[nodiscard]] image_type image(std::size_t i) const noexcept
    {
        decltype(auto) of_image = (*m_images)[i];
        return std::apply(
            [&](const Bounds&... bound) {
                return image_type(tagged_rows<typename Bounds::tag, typename item_field<Bounds>::rows_type>{
                    item_field<Bounds>::rows(of_image, bound)}...);
            },
            m_members);
    }
    [[nodiscard]] auto begin() const noexcept { return first_image(*this); }
    [[nodiscard]] auto end() const noexcept { return behind_images(*this); }

    /// Whether image i has no null pointers, and its fields are whole rows.
    [[nodiscard]] bool is_whole(std::size_t i) const noexcept { return check(i).ok(); }
    [[nodiscard]] status check(std::size_t i) const noexcept
    {
        decltype(auto) of_image = (*m_images)[i];
        return std::apply(
            [&](const Bounds&... bound) {
                return first_failure([&] { return item_field<Bounds>::check(of_image, bound); }...);
            },
            m_members);
    }

    /// Checks that members that are named one by one are adjacent.
    [[nodiscard]] status check() const noexcept
    {
        for (std::size_t i = 0; i < size(); ++i) {
            decltype(auto) of_image = (*m_images)[i];
            if (of_image.size() != 0) {
                if constexpr (item_pointer<item_of<structs>>) {
                    if (!static_cast<bool>(of_image[0])) {
                        continue; // which is refused later
                    }
                }
                const auto& first = struct_in(of_image[0]);
                return std::apply(
                    [&](const Bounds&... bound) {
                        return first_failure([&] { return check_adjacent(first, bound); }...);
                    },
                    m_members);
            }
        }
        return {};
    }

    /// Copies the first `slots.size()` structs of image i, one after the other.
    template <class... Slots>
    void copy_to(std::size_t i, const image_view<Slots...>& slots) const noexcept
    {
        split_image(image(i), slots);
    }

private:
    const Images* m_images;
    std::tuple<Bounds...> m_members;
};

} // namespace padbatch::inline PADBATCH_ABI::detail

#endif
