// SPDX-License-Identifier: Apache-2.0
// The headers as another release has them: with version numbers of its own, in the place of version.hpp.
#define PADBATCH_VERSION_HPP
#define PADBATCH_VERSION_MAJOR 0
#define PADBATCH_VERSION_MINOR 65535
#define PADBATCH_VERSION_PATCH 0
#define PADBATCH_VERSION "0.65535.0"
#include <padbatch/padbatch.hpp>

#include "batch.hpp"

#include <span>

static_assert(PADBATCH_EXCEPTIONS == 1);

using namespace padbatch;

mixed_modes::function mixed_modes::other_version_function()
{
    return reinterpret_cast<function>(&try_element_count);
}

int mixed_modes::pad_in_other_version(batch& output, const rows& input)
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
