// SPDX-License-Identifier: Apache-2.0
// expect: each field of a batch needs a tag of its own
#include <padbatch/padded_view.hpp>

using namespace padbatch;

#ifdef PADBATCH_MUST_FAIL
using view = padded_view<boxes<>, boxes<double>>;
#else
using view = padded_view<boxes<>, scores<double>>;
#endif

std::size_t images()
{
    return view().size();
}
