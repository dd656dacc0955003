// SPDX-License-Identifier: Apache-2.0
#include <padbatch/padbatch.hpp>

#include "batch.hpp"

#include <exception>
#include <span>

static_assert(PADBATCH_EXCEPTIONS == 1);

using namespace padbatch;

bool mixed_modes::first_has_exceptions()
{
    return PADBATCH_EXCEPTIONS != 0;
}

mixed_modes::function mixed_modes::first_function()
{
    return reinterpret_cast<function>(&try_element_count);
}

int mixed_modes::pad_and_catch(batch& output, const rows& input)
{
    try {
        const padded_view to(std::span(output.counts), capacity, t::boxes(std::span(output.boxes)),
                             t::labels(std::span(output.labels)));
        pad_into(to, ragged_view(std::span(input.offsets), t::boxes(std::span(input.boxes)),
                                 t::labels(std::span(input.labels))));
    } catch (const error& e) {
        return static_cast<int>(e.code());
    }
    return 0;
}

int mixed_modes::view_and_catch(batch& output, std::size_t with_capacity)
{
    try {
        static_cast<void>(unpad(std::span(output.counts), with_capacity, t::boxes(std::span(output.boxes)),
                                t::labels(std::span(output.labels))));
    } catch (const std::exception& e) { // found by its base class: needs the type information of this mode
        const auto* const known = dynamic_cast<const error*>(&e);
        return known == nullptr ? -1 : static_cast<int>(known->code());
    }
    return 0;
}

int mixed_modes::grow_and_catch(const rows& input)
{
    ragged<boxes<>, labels<>> owner;
    try {
        owner.append(t::boxes(std::span(input.boxes)), t::labels(std::span(input.labels)));
        owner.end_image();
        owner.reserve(1, static_cast<std::size_t>(-1) / 2);
    } catch (const error& e) {
        return owner.count(0) == 4 ? static_cast<int>(e.code()) : -1;
    }
    return 0;
}
