// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_DETECTION_DETAIL_EACH_IMAGE_HPP
#define PADBATCH_DETECTION_DETAIL_EACH_IMAGE_HPP

#include <padbatch/detail/buffer.hpp>
#include <padbatch/detection/at_most.hpp>
#include <padbatch/detection/parallel.hpp>
#include <padbatch/fields.hpp>
#include <padbatch/pad_options.hpp>
#include <padbatch/padded.hpp>
#include <padbatch/padded_view.hpp>
#include <padbatch/ragged.hpp>
#include <padbatch/ragged_view.hpp>

#include <cstddef>
#include <type_traits>

namespace padbatch::inline PADBATCH_ABI::detail {

template <class T>
inline constexpr bool is_padded_owner = false;
template <class... Fields>
inline constexpr bool is_padded_owner<padded<Fields...>> = true;
template <class T>
inline constexpr bool is_padded_view = false;
template <class... Fields>
inline constexpr bool is_padded_view<padded_view<Fields...>> = true;
template <class T>
inline constexpr bool is_ragged_owner = false;
template <class... Fields>
inline constexpr bool is_ragged_owner<ragged<Fields...>> = true;
template <class T>
inline constexpr bool is_ragged_view = false;
template <class... Fields>
inline constexpr bool is_ragged_view<ragged_view<Fields...>> = true;

/// A whole batch, of any kind, const or not, a variable or a temporary.
template <class X>
concept detection_batch = is_padded_owner<std::remove_cvref_t<X>> || is_padded_view<std::remove_cvref_t<X>> ||
                          is_ragged_owner<std::remove_cvref_t<X>> || is_ragged_view<std::remove_cvref_t<X>>;

/// A compile error, with the reason, if an owner is const or a temporary. `Batch` is that of a parameter `Batch&&`.
template <class Batch>
consteval bool batch_can_be_changed() noexcept
{
    using type = std::remove_cvref_t<Batch>;
    constexpr bool owns = is_padded_owner<type> || is_ragged_owner<type>;
    static_assert(!owns || std::is_lvalue_reference_v<Batch>,
                  "the batch is a temporary, and what is left of it would be lost: make it a variable");
    static_assert(!owns || !std::is_const_v<std::remove_reference_t<Batch>>,
                  "the batch is const, but the operation changes it in place: copy it, or unpad_into another one");
    return true;
}

/// A compile error, with the reason, if rows of this batch cannot be dropped in place.
template <class Batch>
consteval bool rows_can_be_dropped() noexcept
{
    using type = std::remove_cvref_t<Batch>;
    static_assert(!is_ragged_view<type>,
                  "a ragged view cannot drop rows: its values and offsets belong to someone else. Take the ragged "
                  "owner, or copy the batch with to_ragged");
    if constexpr (is_padded_view<type>) {
        static_assert(type::is_writable, "the view's fields are const, but rows are dropped in place: make the view of "
                                         "counts and fields that can be written, or copy the batch");
    }
    return batch_can_be_changed<Batch>();
}

/// A compile error, with the reason, if the values of a field cannot be changed in place.
template <class Tag, class Batch>
consteval bool values_can_be_changed() noexcept
{
    using type = std::remove_cvref_t<Batch>;
    using found = field_of<Tag, typename type::fields>;
    static_assert(!std::is_void_v<found>, "this batch lacks the field that the operation changes");
    if constexpr (!std::is_void_v<found>) {
        static_assert(!std::is_const_v<typename found::element_type>,
                      "the view's field is const, but the operation changes its values in place");
    }
    return batch_can_be_changed<Batch>();
}

/// Whether rows can be boxes of 4 numbers, as far as their type says.
template <class E>
inline constexpr bool are_box_extents = may_be_same<E, row_extents<4>>();

/// Checks what the type leaves open: that rows have 4 numbers.
template <class Rows>
[[nodiscard]] status check_box_rows(const Rows& rows) noexcept
{
    if constexpr (!Rows::extents_type::is_static) {
        if (rows.size() != 0 && rows.row_size() != 4) {
            return {status_code::row_mismatch, "boxes have rows of {} numbers; expected 4", rows.row_size()};
        }
    }
    return {};
}
template <class Batch>
[[nodiscard]] status check_batch_boxes(const Batch& batch) noexcept
{
    using rows_type = std::remove_cvref_t<decltype(batch.image(0)[t::boxes])>;
    if constexpr (!rows_type::extents_type::is_static) {
        for (std::size_t i = 0; i < batch.size(); ++i) {
            if (status outcome = check_box_rows(batch.image(i)[t::boxes]); !outcome.ok()) {
                return outcome;
            }
        }
    }
    return {};
}

/// The options of all operations on batches; operations have their own besides.
template <class T>
inline constexpr bool is_batch_option =
    is_parallel<std::remove_cvref_t<T>> || std::is_same_v<std::remove_cvref_t<T>, workspace>;

/// A compile error, with the reason, for options that are given twice, and for a workspace that is a temporary. The
/// types are those of parameters `Options&&`. Each operation checks besides that it knows its options.
template <class... Options>
consteval bool batch_options_fit() noexcept
{
    static_assert((std::size_t{0} + ... + (is_parallel<std::remove_cvref_t<Options>> ? 1 : 0)) < 2,
                  "parallel(...) is given twice");
    static_assert((std::size_t{0} + ... + (is_fill<std::remove_cvref_t<Options>> ? 1 : 0)) < 2,
                  "pad_values(...) can be given once; it takes several fields");
    static_assert((std::size_t{0} + ... + (is_at_most<Options> ? 1 : 0)) < 2, "at_most(...) is given twice");
    static_assert((!std::is_same_v<Options, workspace> && ...),
                  "a workspace is a variable, which keeps the memory of the call");
    return true;
}

[[nodiscard]] constexpr std::nullptr_t find_parallel() noexcept
{
    return nullptr;
}
template <class First, class... Rest>
[[nodiscard]] constexpr auto* find_parallel(First& first, Rest&... rest) noexcept
{
    if constexpr (is_parallel<std::remove_cv_t<First>>) {
        return &first;
    } else if constexpr ((is_parallel<std::remove_cv_t<Rest>> || ...)) {
        return find_parallel(rest...);
    } else {
        return static_cast<First*>(nullptr);
    }
}

template <class... Options>
inline constexpr bool has_parallel = (is_parallel<std::remove_cvref_t<Options>> || ...);

/// Calls `body(i)` for each of `n` images, in order, or by the caller's loop if the options have one.
template <class Body, class... Options>
void for_each_image(std::size_t n, const Body& body, Options&... options)
{
    if constexpr (has_parallel<Options...>) {
        find_parallel(options...)->loop(n, body);
    } else {
        for (std::size_t i = 0; i < n; ++i) {
            body(i);
        }
    }
}

/// Scratch memory for a call, of a workspace among the options, if there is one.
class scratch_memory {
public:
    template <class... Options>
    explicit scratch_memory(Options&... options) noexcept
    {
        if (workspace* const space = find_option<workspace>(options...); space != nullptr) {
            m_buffer = &pad_access::scratch(*space);
        }
    }

    /// Makes room for `bytes` bytes, aligned to 16.
    [[nodiscard]] status reserve(std::size_t bytes) noexcept
    {
        if (!m_buffer->try_reserve(bytes)) {
            return {status_code::out_of_memory, "not enough memory for {} bytes of scratch", bytes};
        }
        return {};
    }
    [[nodiscard]] std::byte* data() const noexcept { return m_buffer->data(); }

private:
    buffer<std::byte> m_own;
    buffer<std::byte>* m_buffer = &m_own;
};

/// `bytes` rounded up, so that what follows is aligned to 64.
[[nodiscard]] constexpr std::size_t round_up_64(std::size_t bytes) noexcept
{
    return (bytes + 63) / 64 * 64;
}

/// Checks a ragged owner's last image; other batches have been checked.
template <class Batch>
[[nodiscard]] status check_batch(const Batch& batch) noexcept
{
    if constexpr (is_ragged_owner<Batch>) {
        return batch.check();
    } else {
        return {};
    }
}

/// Changes values of each image in place: `change(image, i)`, where the image is that of `batch.image(i)`.
template <class Batch, class Change, class... Options>
[[nodiscard]] status change_images(Batch& batch, const Change& change, Options&... options)
{
    if (status outcome = check_batch(batch); !outcome.ok()) {
        return outcome;
    }
    const auto body = [&batch, &change](std::size_t i) noexcept { change(batch.image(i), i); };
    for_each_image(batch.size(), body, options...);
    return {};
}

} // namespace padbatch::inline PADBATCH_ABI::detail

#endif
