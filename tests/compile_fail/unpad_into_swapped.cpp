// SPDX-License-Identifier: Apache-2.0
// expect: what is written to comes first, the source second
#include <padbatch/unpad.hpp>

using namespace padbatch;

void unpad_boxes(const padded_view<boxes<const float>>& batch, ragged<boxes<>>& output)
{
#ifdef PADBATCH_MUST_FAIL
    unpad_into(batch, output);
#else
    unpad_into(output, batch);
#endif
}
