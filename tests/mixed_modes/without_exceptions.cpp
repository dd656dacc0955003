// SPDX-License-Identifier: Apache-2.0
#include <padbatch/padbatch.hpp>

#include "batch.hpp"

#include <span>

// The same as with_exceptions.cpp, where nothing can be thrown: the forms that return a status.
static_assert(PADBATCH_EXCEPTIONS == 0);

using namespace padbatch;

bool mixed_modes::second_has_exceptions()
{
    return PADBATCH_EXCEPTIONS != 0;
}

mixed_modes::function mixed_modes::second_function()
{
    return reinterpret_cast<function>(&try_element_count);
}

namespace {

using output_view = padded_view<boxes<>, labels<>>;
using input_view = ragged_view<boxes<const float>, labels<const std::int64_t>>;

} // namespace

int mixed_modes::pad_and_check(batch& output, const rows& input)
{
    const auto out_boxes = t::boxes(std::span(output.boxes));
    const auto out_labels = t::labels(std::span(output.labels));
    const auto in_boxes = t::boxes(std::span(input.boxes));
    const auto in_labels = t::labels(std::span(input.labels));
    const std::span counts(output.counts);
    const std::span offsets(input.offsets);
    if (status outcome = output_view::check(counts, capacity, out_boxes, out_labels); !outcome.ok()) {
        return static_cast<int>(outcome.code());
    }
    if (status outcome = input_view::check(offsets, in_boxes, in_labels); !outcome.ok()) {
        return static_cast<int>(outcome.code());
    }
    const output_view to(unchecked, counts, capacity, out_boxes, out_labels);
    return static_cast<int>(try_pad_into(to, input_view(unchecked, offsets, in_boxes, in_labels)).code());
}

int mixed_modes::view_and_check(batch& output, std::size_t with_capacity)
{
    return static_cast<int>(output_view::check(std::span(output.counts), with_capacity,
                                               t::boxes(std::span(output.boxes)), t::labels(std::span(output.labels)))
                                .code());
}

int mixed_modes::grow_and_check(const rows& input)
{
    ragged<boxes<>, labels<>> owner;
    if (!owner.try_append(t::boxes(std::span(input.boxes)), t::labels(std::span(input.labels))).ok() ||
        !owner.try_end_image().ok()) {
        return -1;
    }
    const status outcome = owner.try_reserve(1, static_cast<std::size_t>(-1) / 2);
    return owner.count(0) == 4 ? static_cast<int>(outcome.code()) : -1;
}
