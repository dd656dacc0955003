// SPDX-License-Identifier: Apache-2.0
// expect: padding copies bytes: a field's type must be trivially copyable
#include <padbatch/padded_view.hpp>

#include <cstdint>
#include <string>

using namespace padbatch;

#ifdef PADBATCH_MUST_FAIL
using value = std::string;
#else
using value = std::int32_t;
#endif

std::size_t images()
{
    return padded_view<field<t::values_t, value>>().size();
}
