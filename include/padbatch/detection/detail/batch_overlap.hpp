// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_DETECTION_DETAIL_BATCH_OVERLAP_HPP
#define PADBATCH_DETECTION_DETAIL_BATCH_OVERLAP_HPP

#include <padbatch/detail/first_failure.hpp>
#include <padbatch/error.hpp>
#include <padbatch/fields.hpp>
#include <padbatch/image.hpp>
#include <padbatch/rows.hpp>

#include <cstddef>
#include <span>

namespace padbatch::inline PADBATCH_ABI::detail {

/// The memory of one field of a batch.
template <class Field>
[[nodiscard]] std::span<const std::byte> memory_of_field(const Field& field) noexcept
{
    if constexpr (requires { field.flat(); }) {
        return std::as_bytes(field.flat());
    } else {
        return std::as_bytes(std::span(field.data(), field.size()));
    }
}

[[nodiscard]] inline bool spans_overlap(std::span<const std::byte> a, std::span<const std::byte> b) noexcept
{
    return ranges_overlap(a.data(), a.data() + a.size(), b.data(), b.data() + b.size());
}

template <class Batch, class... Fields>
[[nodiscard]] bool batch_overlaps(const Batch& batch, std::span<const std::byte> memory,
                                  const field_list<Fields...>& /*fields*/) noexcept
{
    return (spans_overlap(memory_of_field(batch[typename Fields::tag{}]), memory) || ...);
}

/// The memory of the counts of a padded batch, or of the offsets of a ragged one.
template <class Batch>
[[nodiscard]] std::span<const std::byte> memory_of_counts(const Batch& batch) noexcept
{
    if constexpr (requires { batch.view().count_data(); }) {
        return memory_of_counts(batch.view());
    } else if constexpr (requires { batch.count_data(); }) {
        return {static_cast<const std::byte*>(batch.count_data()), batch.size() * size_of(batch.count_type())};
    } else if constexpr (requires { batch.offsets().data(); }) {
        return std::as_bytes(batch.offsets());
    } else {
        return {};
    }
}

/// Refuses a list that is in the memory of a batch which is changed while the list is read.
template <class Batch>
[[nodiscard]] status check_apart(const Batch& batch, std::span<const std::byte> list, const char* name) noexcept
{
    if (!list.empty() && batch.size() != 0 &&
        (batch_overlaps(batch, list, typename Batch::fields{}) || spans_overlap(memory_of_counts(batch), list))) {
        return {status_code::overlap, "{} is in the memory of the batch itself, which changes: copy it first", name};
    }
    return {};
}

/// Refuses an image whose rows are in the memory of a batch that is written.
template <class Batch, class... TaggedRows>
[[nodiscard]] status check_images_apart(const Batch& batch, const image_view<TaggedRows...>& image) noexcept
{
    return first_failure([&] {
        return check_apart(batch, std::as_bytes(image[typename TaggedRows::tag{}].flat()), TaggedRows::tag::name);
    }...);
}

} // namespace padbatch::inline PADBATCH_ABI::detail

#endif
