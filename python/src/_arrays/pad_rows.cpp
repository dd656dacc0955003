// SPDX-License-Identifier: Apache-2.0
#include <_arrays/pad_rows.hpp>

#include <padbatch/padbatch.hpp>

#include <array>
#include <tuple>
#include <type_traits>

namespace padbatch::python {
namespace {

/// A field of bytes: a row is as many as its elements take.
struct block_t : tag<block_t, dynamic> {
    static constexpr char name[] = "rows";
};
using block_field = field<block_t, std::byte>;
using block_extents = block_field::extents_type;

/// A source of one field of bytes.
template <class Layout>
struct block_source {
    using fields = padbatch::detail::field_list<block_field>;
    using rows_type = basic_rows<const std::byte, block_extents, Layout>;
    using image_type = image_view<tagged_rows<block_t, rows_type>>;

    const field_rows& rows;
    const std::vector<std::size_t>& counts;
    block_extents extents;

    [[nodiscard]] std::size_t size() const noexcept { return counts.size(); }
    [[nodiscard]] std::size_t count(std::size_t i) const noexcept { return counts[i]; }
    [[nodiscard]] image_type image(std::size_t i) const noexcept
    {
        const image_rows& at = rows.images[i];
        Layout layout{};
        if constexpr (std::is_same_v<Layout, layout::strided>) {
            layout.row_stride = at.stride;
        } else if constexpr (std::is_same_v<Layout, layout::indexed>) {
            layout.row_stride = at.stride;
            layout.index = at.index;
        }
        return image_type({rows_type(at.data, counts[i], extents, layout)});
    }
};

template <class Layout>
void pad_with(const field_rows& rows, const std::vector<std::size_t>& counts, std::size_t capacity,
              const std::vector<std::vector<std::int32_t>>& kept, const pad_target& to, std::int32_t* counts_to)
{
    const block_extents extents(std::array<std::size_t, 1>{rows.row_bytes});
    const block_source<Layout> source{rows, counts, extents};
    using view_type = padded_view<block_field>;
    const view_type output(unchecked, counts.size(), capacity, counts_to, element_type::int32,
                           padbatch::detail::field_memory<block_field>{to.data, extents});
    const auto keep = [&](std::size_t i, std::size_t /*n*/) {
        return i < kept.size() ? padbatch::detail::kept_rows{kept[i].data(), kept[i].size()}
                               : padbatch::detail::kept_rows{};
    };
    // The output is new memory, which the job is told: the caches are not gone past.
    if (to.pad_value.empty()) {
        const padbatch::detail::zero_fill zeros;
        const std::vector<std::int32_t> clean(to.is_zero ? counts.size() : 0); // each slot is clean from row 0 on
        padbatch::detail::pad_job<view_type, block_source<Layout>, padbatch::detail::zero_fill>{
            output, source, zeros, to.is_zero ? clean.data() : nullptr, true}
            .run(keep);
    } else {
        using fill_type = padbatch::detail::given_fill<block_field>;
        fill_type fill;
        std::get<0>(fill.fields).pattern = padbatch::detail::fill_pattern(
            reinterpret_cast<const std::byte*>(to.pad_value.data()), to.pad_value.size());
        padbatch::detail::pad_job<view_type, block_source<Layout>, fill_type>{output, source, fill, nullptr, true}.run(
            keep);
    }
}

template <class T>
void choose_typed(const field_rows& scores, const std::vector<std::size_t>& counts, std::size_t capacity,
                  std::vector<std::vector<std::int32_t>>& kept)
{
    kept.resize(counts.size());
    std::vector<padbatch::detail::score_key<T>> keys;
    for (std::size_t i = 0; i < counts.size(); ++i) {
        const std::size_t n = counts[i];
        if (n <= capacity) {
            continue;
        }
        keys.resize(n);
        kept[i].resize(capacity);
        const image_rows& at = scores.images[i];
        const auto* const data = reinterpret_cast<const T*>(at.data);
        if (at.index != nullptr) {
            padbatch::detail::top_rows(
                basic_rows<const T, row_extents<>, layout::indexed>(data, n, {}, {at.stride, at.index}), capacity,
                keys.data(), kept[i].data());
        } else {
            padbatch::detail::top_rows(basic_rows<const T, row_extents<>, layout::strided>(data, n, {}, {at.stride}),
                                       capacity, keys.data(), kept[i].data());
        }
    }
}

} // namespace

bool choose_rows(const field_rows& scores, const std::string& type, const std::vector<std::size_t>& counts,
                 std::size_t capacity, std::vector<std::vector<std::int32_t>>& kept)
{
    if (type == "float32") {
        choose_typed<float>(scores, counts, capacity, kept);
    } else if (type == "float64") {
        choose_typed<double>(scores, counts, capacity, kept);
    } else if (type == "float16") {
        choose_typed<float16>(scores, counts, capacity, kept);
    } else {
        return false;
    }
    return true;
}

void pad_rows(const field_rows& rows, const std::vector<std::size_t>& counts, std::size_t capacity,
              const std::vector<std::vector<std::int32_t>>& kept, const pad_target& to, std::int32_t* counts_to)
{
    if (!rows.images.empty() && rows.images.front().index != nullptr) {
        pad_with<layout::indexed>(rows, counts, capacity, kept, to, counts_to);
    } else if (rows.adjacent) {
        pad_with<layout::contiguous>(rows, counts, capacity, kept, to, counts_to);
    } else {
        pad_with<layout::strided>(rows, counts, capacity, kept, to, counts_to);
    }
}

} // namespace padbatch::python
