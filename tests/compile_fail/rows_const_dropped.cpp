// SPDX-License-Identifier: Apache-2.0
// expect: return values
#include <padbatch/rows.hpp>

using namespace padbatch;

#ifdef PADBATCH_MUST_FAIL
using given = rows<const float, 4>;
#else
using given = rows<float, 4>;
#endif

rows<float, 4> writable(const given& values)
{
    return values;
}
