// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_FIELDS_HPP
#define PADBATCH_FIELDS_HPP

#include <padbatch/detail/contiguous.hpp>
#include <padbatch/element_type.hpp>
#include <padbatch/extents.hpp>

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>

namespace padbatch::inline PADBATCH_ABI {

/// The kind of a field, with a `name` and `row`, the default extents of a row. Make your own with `tag`.
template <class Tag>
concept field_tag = requires {
    { Tag::name } -> std::convertible_to<const char*>;
    typename Tag::row;
};

/// One or several adjacent columns of flat rows, as in `t::boxes(cols<0, 4>)`.
template <std::size_t First, std::size_t Count>
struct columns_t {
    static constexpr std::size_t first = First;
    static constexpr std::size_t count = Count;
};
/// `Count` adjacent columns starting at column `First`: rows of rank 1.
template <std::size_t First, std::size_t Count>
inline constexpr columns_t<First, Count> cols{};
/// One column: rows of rank 0.
template <std::size_t Column>
inline constexpr columns_t<Column, 1> col{};

/// Data of one field, named by its tag: `t::boxes(x)`. What `x` may be depends on where it is passed: rows of one image
/// or of all images, a member pointer, columns, a pad value.
///
/// An lvalue container is held by reference; numbers, member pointers, columns, spans and temporaries are held by
/// value.
template <field_tag Tag, class X, class E = typename Tag::row, class As = void, class Of = void>
struct bound {
    using tag = Tag;
    /// The element type to convert to, or void.
    using as_type = As;
    /// The element type that rows of a class type are made of, or void.
    using of_type = Of;
    using extents_type = E;

    X value;
    [[no_unique_address]] E row{};

    /// Converts each element to `U` as it is copied; see `convert`. Nothing is ever converted without this.
    template <element U>
    [[nodiscard]] constexpr bound<Tag, X, E, U, Of> as() && noexcept
    {
        return {static_cast<X&&>(value), row};
    }
    /// Treats rows of a class type, such as `struct box { float x1, y1, x2, y2; }`, as the numbers that they consist
    /// of.
    template <element U>
    [[nodiscard]] constexpr bound<Tag, X, E, As, U> of() && noexcept
    {
        return {static_cast<X&&>(value), row};
    }
};

namespace detail {

/// The type that `bound` holds for an argument that is forwarded as `X`.
template <class X, class Plain = std::remove_cvref_t<X>>
using held = std::conditional_t<std::is_scalar_v<Plain> || std::is_empty_v<Plain> || is_span<Plain>, Plain, X>;

} // namespace detail

/// Whether a type is data named by a tag.
template <class X>
inline constexpr bool is_bound = false;
template <class Tag, class X, class E, class As, class Of>
inline constexpr bool is_bound<bound<Tag, X, E, As, Of>> = true;

namespace detail {

template <class X>
concept bound_values = is_bound<std::remove_cvref_t<X>>;

} // namespace detail

/// The members that make up a row, in order: what `t::boxes(&detection::x1, &detection::y1, ...)` holds.
template <class Member, std::size_t N>
struct member_list {
    Member members[N];
};

/// The extents of a field's rows, for owners: `t::masks.shape(1, 28, 28)`.
template <class Tag>
struct row_shape {
    using tag = Tag;
    typename detail::all_dynamic<typename Tag::row>::type extents; // which may contradict those of the type
};

/// The base of a field's kind: `struct embedding_t : tag<embedding_t, 256> { static constexpr char name[] =
/// "embedding"; };`, with `inline constexpr embedding_t embedding{};` to go with it.
template <class Self, std::size_t... E>
struct tag {
    using row = row_extents<E...>;

    /// Names data of this field. If `row` has dynamic extents that the data do not tell, give `sizes`, as in
    /// `t::masks(flat, 1, 28, 28)`.
    template <class X, std::integral... Extents>
        requires(sizeof...(Extents) == 0 || sizeof...(Extents) == sizeof...(E))
    constexpr auto operator()(X&& x, Extents... sizes) const noexcept
    {
        if constexpr (sizeof...(Extents) == 0) {
            return bound<Self, detail::held<X>>{std::forward<X>(x), {}};
        } else {
            // The given extents may contradict those of the type. If the type cannot store them, the bound data get a
            // type that can, so that the check finds the contradiction.
            using given = std::conditional_t<row::is_static, typename detail::all_dynamic<row>::type, row>;
            return bound<Self, detail::held<X>, given>{std::forward<X>(x), given{to_array(sizes...)}};
        }
    }

    /// The extents of this field's rows, for an owner.
    template <std::integral... Extents>
        requires(sizeof...(Extents) == sizeof...(E))
    [[nodiscard]] constexpr row_shape<Self> shape(Extents... sizes) const noexcept
    {
        return {typename detail::all_dynamic<row>::type{to_array(sizes...)}};
    }

    /// Names adjacent members of a struct that together are a row.
    template <class Struct, class T, std::same_as<T Struct::*>... More>
        requires(sizeof...(More) > 0 && std::is_object_v<T>)
    constexpr auto operator()(T Struct::* first, More... more) const noexcept
    {
        return bound<Self, member_list<T Struct::*, 1 + sizeof...(More)>>{{{first, more...}}, {}};
    }

    /// Members of several types or classes are no row.
    template <class Struct, class T, class Other, class... More>
        requires(!(std::integral<Other> && ... && std::integral<More>) &&
                 !(std::same_as<Other, T Struct::*> && ... && std::same_as<More, T Struct::*>))
    constexpr auto operator()(T Struct::* /*first*/, Other /*other*/, More... /*more*/) const noexcept
    {
        static_assert(
            sizeof(Other) == 0,
            "members that make up a row are adjacent members of one struct and of one type; for a member of a "
            "member, or other values, give a function: t::boxes([](const detection& d) { return d.box.corners; "
            "})");
    }

private:
    template <class... Extents>
    [[nodiscard]] static constexpr std::array<std::size_t, sizeof...(Extents)> to_array(Extents... sizes) noexcept
    {
        return {detail::given_extent(sizes)...};
    }
};

/// The fields of detections, in a namespace of their own: `using namespace padbatch;`, then `image[t::boxes]`.
namespace t {

/// Corners of boxes, by convention x1, y1, x2, y2 in pixels; `[4]`.
struct boxes_t : tag<boxes_t, 4> {
    static constexpr char name[] = "boxes";
};
/// Class numbers.
struct labels_t : tag<labels_t> {
    static constexpr char name[] = "labels";
};
/// Confidences, higher is better.
struct scores_t : tag<scores_t> {
    static constexpr char name[] = "scores";
};
/// Instance masks, `[C, H, W]`; torchvision's are `[1, H, W]`.
struct masks_t : tag<masks_t, dynamic, dynamic, dynamic> {
    static constexpr char name[] = "masks";
};
/// K points of x, y and visibility, `[K, 3]`.
struct keypoints_t : tag<keypoints_t, dynamic, 3> {
    static constexpr char name[] = "keypoints";
};
/// A confidence for each of the K points, `[K]`.
struct keypoints_scores_t : tag<keypoints_scores_t, dynamic> {
    static constexpr char name[] = "keypoints_scores";
};
/// What the prototypes of an image's masks are multiplied by, `[P]`, to make an instance's mask (YOLO's segmentation).
struct mask_coefficients_t : tag<mask_coefficients_t, dynamic> {
    static constexpr char name[] = "mask_coefficients";
};
/// The number of the image that a row belongs to.
struct image_id_t : tag<image_id_t> {
    static constexpr char name[] = "image_id";
};
/// A number that follows an object from image to image.
struct track_id_t : tag<track_id_t> {
    static constexpr char name[] = "track_id";
};
/// One number for each row, without a particular meaning.
struct values_t : tag<values_t> {
    static constexpr char name[] = "values";
};

inline constexpr boxes_t boxes{};
inline constexpr labels_t labels{};
inline constexpr scores_t scores{};
inline constexpr masks_t masks{};
inline constexpr keypoints_t keypoints{};
inline constexpr keypoints_scores_t keypoints_scores{};
inline constexpr mask_coefficients_t mask_coefficients{};
inline constexpr image_id_t image_id{};
inline constexpr track_id_t track_id{};
inline constexpr values_t values{};

} // namespace t

/// One field of a batch: its kind, its element type and the extents of a row. `T` is an `element` or any other
/// trivially copyable type.
template <field_tag Tag, class T, class E = typename Tag::row>
struct field {
    static_assert(std::is_trivially_copyable_v<T>, "padding copies bytes: a field's type must be trivially copyable");
    using tag = Tag;
    using element_type = T;
    using value_type = std::remove_cv_t<T>;
    using extents_type = E;
};

template <class T = float>
using boxes = field<t::boxes_t, T>;
template <class T = std::int64_t>
using labels = field<t::labels_t, T>;
template <class T = float>
using scores = field<t::scores_t, T>;
template <class T = float, std::size_t C = dynamic, std::size_t H = dynamic, std::size_t W = dynamic>
using masks = field<t::masks_t, T, row_extents<C, H, W>>;
template <class T = float, std::size_t K = dynamic>
using keypoints = field<t::keypoints_t, T, row_extents<K, 3>>;
template <class T = float, std::size_t K = dynamic>
using keypoints_scores = field<t::keypoints_scores_t, T, row_extents<K>>;
template <class T = float, std::size_t P = dynamic>
using mask_coefficients = field<t::mask_coefficients_t, T, row_extents<P>>;

namespace detail {

template <class... Fields>
struct field_list {};

/// The field of a list that has a tag, or void.
template <class Tag, class... Fields>
struct find_field {
    using type = void;
};
template <class Tag, class First, class... Rest>
struct find_field<Tag, First, Rest...> {
    using type =
        std::conditional_t<std::is_same_v<typename First::tag, Tag>, First, typename find_field<Tag, Rest...>::type>;
};
template <class Tag, class List>
struct find_in_list;
template <class Tag, class... Fields>
struct find_in_list<Tag, field_list<Fields...>> {
    using type = typename find_field<Tag, Fields...>::type;
};
template <class Tag, class List>
using field_of = typename find_in_list<Tag, List>::type;

/// The position of a field in a list.
template <class Field, class... Fields>
consteval std::size_t find_index() noexcept
{
    std::size_t index = 0;
    static_cast<void>(((std::is_same_v<Field, Fields> || (++index, false)) || ...));
    return index;
}
template <class Field, class... Fields>
inline constexpr std::size_t index_in = find_index<Field, Fields...>();

template <class Tag, class... Fields>
inline constexpr std::size_t times_named = (std::size_t{0} + ... + (std::is_same_v<typename Fields::tag, Tag> ? 1 : 0));
template <class... Fields>
inline constexpr bool tags_differ = ((times_named<typename Fields::tag, Fields...> == 1) && ...);

} // namespace detail

} // namespace padbatch::inline PADBATCH_ABI

#endif
