// SPDX-License-Identifier: Apache-2.0
// expect: an owner's fields are not const
#include <padbatch/ragged.hpp>

using namespace padbatch;

#ifdef PADBATCH_MUST_FAIL
using batch = ragged<scores<const float>>;
#else
using batch = ragged<scores<>>;
#endif

std::size_t images()
{
    return batch().size();
}
