// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_SOURCE_HPP
#define PADBATCH_SOURCE_HPP

#include <padbatch/detail/field_memory.hpp>
#include <padbatch/detail/first_failure.hpp>
#include <padbatch/image.hpp>
#include <padbatch/rows_of.hpp>

#include <concepts>
#include <cstddef>
#include <tuple>
#include <type_traits>
#include <utility>

namespace padbatch::inline PADBATCH_ABI {

/// What `pad_into` accepts: the number of images, the number of rows of image i, and the rows themselves, with all
/// their fields. `fields` lists the fields with the element types that they are copied as.
///
/// A source may also have
/// - `status check() const`: checks the source as a whole.
/// - `bool is_whole(i) const` and `status check(i) const`: whether image i is valid, and why not.
/// - `bool overlaps(first, last) const`: whether any row may overlap this memory.
/// - `copy_to(i, slots)`: its own way to copy the first rows of image i.
template <class S>
concept source = requires(const S& s, std::size_t i) {
    typename S::fields;
    { s.size() } -> std::convertible_to<std::size_t>;
    { s.count(i) } -> std::convertible_to<std::size_t>;
    { s.image(i).size() } -> std::convertible_to<std::size_t>;
};

namespace detail {

/// Sources that have the optional functions.
template <class S>
concept checks_whole = requires(const S& s) { s.check(); };
template <class S>
concept checks_images = requires(const S& s, std::size_t i) { s.is_whole(i); };
template <class S>
concept knows_overlap = requires(const S& s, const void* address) { s.overlaps(address, address); };
template <class S, class Slots>
concept copies_itself = requires(const S& s, std::size_t i, const Slots& slots) { s.copy_to(i, slots); };

/// The element type that the data of `Bound` are copied as.
template <class Bound, class T>
using target_of =
    std::conditional_t<std::is_void_v<typename Bound::as_type>, std::remove_cv_t<T>, typename Bound::as_type>;

/// What a container of images holds for image i; the rows of the field that `Bound` names, if it is a batch.
template <class Bound>
[[nodiscard]] decltype(auto) image_item(const Bound& bound, std::size_t i) noexcept
{
    using container = std::remove_cvref_t<decltype(bound.value)>;
    if constexpr (source<container>) {
        using found = field_of<typename Bound::tag, typename container::fields>;
        static_assert(!std::is_void_v<found>, "the batch has no field with this tag: t::boxes(batch) are its boxes");
        if constexpr (!std::is_void_v<found>) {
            auto rows = std::as_const(bound.value).image(i)[typename Bound::tag{}];
            static_assert(std::is_same_v<typename decltype(rows)::value_type, typename found::value_type>,
                          "this source converts its rows already: say .as<T>() there, once");
            return rows;
        }
    } else {
        return std::as_const(bound.value)[i];
    }
}

/// Whether image i of a container, or of a batch, can be read as rows of the field that `Bound` names, and why not.
template <class Bound>
[[nodiscard]] bool item_is_whole(const Bound& bound, std::size_t i) noexcept
{
    using container = std::remove_cvref_t<decltype(bound.value)>;
    if constexpr (checks_images<container>) {
        return bound.value.is_whole(i);
    } else {
        return source<container> || rows_are_whole<Bound>(image_item(bound, i), bound.row);
    }
}
template <class Bound>
[[nodiscard]] status check_item(const Bound& bound, std::size_t i) noexcept
{
    if constexpr (checks_images<std::remove_cvref_t<decltype(bound.value)>>) {
        return bound.value.check(i);
    } else {
        return check_rows<Bound>(image_item(bound, i), bound.row);
    }
}

/// The rows of image i in a container of images.
template <class Bound>
[[nodiscard]] auto image_rows(const Bound& bound, std::size_t i) noexcept
{
    auto&& x = image_item(bound, i);
    using item = std::remove_cvref_t<decltype(x)>;
    static_assert(std::is_lvalue_reference_v<decltype(image_item(bound, i))> ||
                      (contiguous_values<item> ? std::is_trivially_destructible_v<item> : !item_container<item>),
                  "indexing this container makes a temporary copy of an image's rows, which would be gone before it is "
                  "read: give a container that holds them");
    return rows_of<Bound>(x, bound.row);
}

template <class Bound>
using image_rows_of = decltype(image_rows(std::declval<const Bound&>(), std::size_t{}));

} // namespace detail

/// A source from one container for each field, with the rows of image i at index i; made by `each`.
template <class... Bounds>
class each_source {
    static_assert(detail::tags_differ<Bounds...>, "each field of a batch needs a tag of its own");

public:
    using fields = detail::field_list<
        field<typename Bounds::tag, detail::target_of<Bounds, typename detail::image_rows_of<Bounds>::element_type>,
              typename detail::image_rows_of<Bounds>::extents_type>...>;
    using image_type = image_view<tagged_rows<typename Bounds::tag, detail::image_rows_of<Bounds>>...>;

    explicit each_source(Bounds... values) : m_values(static_cast<Bounds&&>(values)...) {}

    [[nodiscard]] std::size_t size() const noexcept { return std::get<0>(m_values).value.size(); }
    [[nodiscard]] std::size_t count(std::size_t i) const noexcept
    {
        return detail::image_rows(std::get<0>(m_values), i).size();
    }
    [[nodiscard]] image_type image(std::size_t i) const noexcept
    {
        return std::apply(
            [i](const Bounds&... bound) {
                return image_type(
                    tagged_rows<typename Bounds::tag, detail::image_rows_of<Bounds>>{detail::image_rows(bound, i)}...);
            },
            m_values);
    }
    [[nodiscard]] auto begin() const noexcept { return detail::first_image(*this); }
    [[nodiscard]] auto end() const noexcept { return detail::behind_images(*this); }

    /// Whether image i has the same number of rows in each field, and flat values are whole rows.
    [[nodiscard]] bool is_whole(std::size_t i) const noexcept
    {
        return std::apply(
            [&](const Bounds&... bound) {
                return (detail::item_is_whole(bound, i) && ...) &&
                       ((detail::image_rows(bound, i).size() == count(i)) && ...);
            },
            m_values);
    }

    /// Checks that the fields have the same number of images.
    [[nodiscard]] status check() const noexcept
    {
        return std::apply(
            [this](const Bounds&... bound) { return detail::first_failure([&] { return check_size(bound); }...); },
            m_values);
    }

    /// Checks image i: returns why it is not whole.
    [[nodiscard]] status check(std::size_t i) const noexcept
    {
        return std::apply(
            [this, i](const Bounds&... bound) {
                return detail::first_failure([&] { return check_rows(bound, i); }...);
            },
            m_values);
    }

private:
    std::tuple<Bounds...> m_values;

    using first_tag = typename std::tuple_element_t<0, std::tuple<Bounds...>>::tag;

    template <class Bound>
    [[nodiscard]] status check_size(const Bound& bound) const noexcept
    {
        if (bound.value.size() != size()) {
            return {status_code::field_mismatch,
                    "{} has {} images, but {} has {}",
                    Bound::tag::name,
                    static_cast<std::size_t>(bound.value.size()),
                    first_tag::name,
                    size()};
        }
        if constexpr (detail::checks_whole<std::remove_cvref_t<decltype(bound.value)>>) {
            return bound.value.check();
        } else {
            return {};
        }
    }
    template <class Bound>
    [[nodiscard]] status check_rows(const Bound& bound, std::size_t i) const noexcept
    {
        if (status outcome = detail::check_item(bound, i); !outcome.ok()) {
            return outcome;
        }
        if (const std::size_t n = detail::image_rows(bound, i).size(); n != count(i)) {
            return {status_code::field_mismatch,
                    "image {} has {} rows of {}, but {} of {}",
                    i,
                    n,
                    Bound::tag::name,
                    count(i),
                    first_tag::name};
        }
        return {};
    }
};

/// A source from one container for each field, with size(), random access and the rows of image i at [i]:
///
///     std::vector<std::vector<std::array<float, 4>>> boxes;
///     std::vector<std::vector<float>> scores;
///     pad(each(t::boxes(boxes), t::scores(scores)))
///
/// An item is a contiguous container of rows or of their elements, or a container that an adapter knows (an Eigen
/// matrix, an xtensor array). The containers are only read, and have to live as long as the source does.
template <class... Tags, class... X, class... E, class... As, class... Of>
[[nodiscard]] auto each(bound<Tags, X, E, As, Of>... values)
{
    static_assert(sizeof...(values) > 0, "a batch has at least one field");
    static_assert(((detail::image_container<std::remove_cvref_t<X>> || source<std::remove_cvref_t<X>>) && ...),
                  "the images of a field are a container with random access, whose item i is image i's rows, such as a "
                  "vector, a deque or a span; a map or a list is none: copy its rows into a vector, or use "
                  "generated(...)");
    if constexpr (((detail::image_container<std::remove_cvref_t<X>> || source<std::remove_cvref_t<X>>) && ...)) {
        return each_source<bound<Tags, X, E, As, Of>...>(static_cast<bound<Tags, X, E, As, Of>&&>(values)...);
    }
}

template <class... X>
    requires(!detail::bound_values<X> || ...)
auto each(X&&...)
{
    static_assert(sizeof...(X) == 0, "name each field: each(t::boxes(boxes), t::scores(scores))");
}

/// The rows of one image, made by `image_of`, and whether its data are whole rows of their fields.
template <class... TaggedRows>
struct made_image : image_view<TaggedRows...> {
    bool is_whole;

    made_image(bool whole, const TaggedRows&... fields) noexcept : image_view<TaggedRows...>(fields...), is_whole(whole)
    {
    }
};

/// The rows of one image, field by field: what a function for `generated` returns. If data are not whole rows, the
/// image has no rows, and the functions that read it refuse it.
template <detail::bound_values... Bounds>
[[nodiscard]] auto image_of(const Bounds&... values) noexcept
{
    static_assert((std::is_void_v<typename Bounds::as_type> && ...), "convert in the function that makes the rows");
    static_assert(detail::tags_differ<Bounds...>, "each field of an image needs a tag of its own");
    const bool whole = (detail::rows_are_whole<Bounds>(values.value, values.row) && ...);
    return made_image(whole, tagged_rows<typename Bounds::tag, detail::bound_rows<Bounds>>{
                                 detail::rows_of<Bounds>(values.value, values.row)
                                     .first(whole ? detail::rows_of<Bounds>(values.value, values.row).size() : 0)}...);
}

template <class... X>
    requires(!detail::bound_values<X> || ...)
auto image_of(const X&...)
{
    static_assert(sizeof...(X) == 0, "name each field: image_of(t::boxes(boxes), t::scores(scores))");
}

namespace detail {

template <class Image>
struct fields_of_image {
    static_assert(sizeof(Image) == 0, "the function of generated(...) returns the rows of image i: return "
                                      "image_of(t::boxes(boxes), ...), or an image of a batch");
    using type = field_list<>;
};
template <class... TaggedRows>
struct fields_of_image<image_view<TaggedRows...>> {
    using type = field_list<field<typename TaggedRows::tag, typename TaggedRows::rows_type::value_type,
                                  typename TaggedRows::rows_type::extents_type>...>;
};
template <class... TaggedRows>
struct fields_of_image<made_image<TaggedRows...>> : fields_of_image<image_view<TaggedRows...>> {};

/// Checks that the fields of an image have the same number of rows.
template <class... TaggedRows>
[[nodiscard]] status check_same_count(const image_view<TaggedRows...>& image, std::size_t i) noexcept
{
    const auto check_field = [&](const char* name, std::size_t rows) -> status {
        if (rows != image.size()) {
            return {status_code::field_mismatch,
                    "image {} has {} rows of {}, but {} of the first field",
                    i,
                    rows,
                    name,
                    image.size()};
        }
        return {};
    };
    return first_failure(
        [&] { return check_field(TaggedRows::tag::name, image[typename TaggedRows::tag{}].size()); }...);
}

} // namespace detail

/// A source whose images come from a function; made by `generated`.
template <class Function>
class generated_source {
public:
    using image_type = std::remove_cvref_t<std::invoke_result_t<const Function&, std::size_t>>;
    using fields = typename detail::fields_of_image<image_type>::type;

    generated_source(std::size_t size, Function function) : m_size(size), m_function(static_cast<Function&&>(function))
    {
    }

    [[nodiscard]] std::size_t size() const noexcept { return m_size; }
    [[nodiscard]] std::size_t count(std::size_t i) const { return image(i).size(); }
    [[nodiscard]] image_type image(std::size_t i) const { return m_function(i); }
    /// Whether image i has whole rows, and the same number in each field.
    [[nodiscard]] bool is_whole(std::size_t i) const { return check(i).ok(); }
    [[nodiscard]] status check(std::size_t i) const
    {
        const auto rows = image(i);
        if constexpr (requires { rows.is_whole; }) {
            if (!rows.is_whole) {
                return {status_code::size_mismatch, "image {} has data that are not whole rows of their field", i};
            }
        }
        return detail::check_same_count(rows, i);
    }

private:
    std::size_t m_size;
    Function m_function;
};

/// A source of `size` images, where `function(i)` returns the rows of image i, made with `image_of`. The function is
/// called more than once for an image; it must return the same rows each time, and not throw. Threads that share the
/// source call it at the same time.
template <class Function>
[[nodiscard]] auto generated(std::size_t size, Function function)
{
    return generated_source<Function>(size, static_cast<Function&&>(function));
}

} // namespace padbatch::inline PADBATCH_ABI

#endif
