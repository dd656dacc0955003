// SPDX-License-Identifier: Apache-2.0
// expect: nodiscard
#include <padbatch/ragged.hpp>

using namespace padbatch;

// A status that nobody looks at hides a mistake.
#pragma GCC diagnostic error "-Wunused-result"
void end(ragged<scores<>>& batch)
{
#ifdef PADBATCH_MUST_FAIL
    batch.try_end_image();
#else
    static_cast<void>(batch.try_end_image());
#endif
}
