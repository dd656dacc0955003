// SPDX-License-Identifier: Apache-2.0
#include <padbatch/version.hpp>

#include <doctest/doctest.h>

#include <string>

TEST_CASE("the version is one number in the header and in the build")
{
    CHECK(std::string(PADBATCH_VERSION) == PADBATCH_TESTS_PROJECT_VERSION);
}
