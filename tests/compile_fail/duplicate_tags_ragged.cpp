// SPDX-License-Identifier: Apache-2.0
// expect: each field of a batch needs a tag of its own
#include <padbatch/ragged.hpp>

using namespace padbatch;

#ifdef PADBATCH_MUST_FAIL
using batch = ragged<boxes<>, boxes<>>;
#else
using batch = ragged<boxes<>, scores<>>;
#endif

std::size_t images(const batch& given)
{
    return given.view().size();
}
