// SPDX-License-Identifier: Apache-2.0
// expect: a row shape is given for a field that this batch lacks
#include <padbatch/ragged.hpp>

using namespace padbatch;

std::size_t images()
{
#ifdef PADBATCH_MUST_FAIL
    const auto shape = t::keypoints.shape(17, 3);
#else
    const auto shape = t::masks.shape(1, 28, 28);
#endif
    return ragged<boxes<>, masks<>>(shape).size();
}
