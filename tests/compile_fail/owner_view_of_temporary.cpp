// SPDX-License-Identifier: Apache-2.0
// expect: return std::move(batch)
#include <padbatch/padded.hpp>

#include <utility>

using namespace padbatch;

// A view of a batch that is gone.
padded_view<scores<>> view_of(padded<scores<>>& batch)
{
#ifdef PADBATCH_MUST_FAIL
    return std::move(batch);
#else
    return batch;
#endif
}
