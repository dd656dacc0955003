// SPDX-License-Identifier: Apache-2.0
// expect: the batch has no field with this tag
#include <padbatch/padded_view.hpp>
#include <padbatch/source.hpp>

using namespace padbatch;

#ifdef PADBATCH_MUST_FAIL
using batch = padded_view<scores<>>;
#else
using batch = padded_view<boxes<>>;
#endif

std::size_t images(const batch& given)
{
    return each(t::boxes(given)).image(0).size();
}
