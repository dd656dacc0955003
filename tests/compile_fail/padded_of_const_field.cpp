// SPDX-License-Identifier: Apache-2.0
// expect: an owner's fields are not const
#include <padbatch/padded.hpp>

using namespace padbatch;

#ifdef PADBATCH_MUST_FAIL
using batch = padded<scores<const float>>;
#else
using batch = padded<scores<>>;
#endif

std::size_t images()
{
    return batch().size();
}
