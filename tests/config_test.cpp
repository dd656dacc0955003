// SPDX-License-Identifier: Apache-2.0
#include <padbatch/config.hpp>

#include <doctest/doctest.h>

#include <string>
#include <typeinfo>

namespace {

template <class T>
concept made_from_braces = requires(void (*take)(T)) { take({}); };

} // namespace

static_assert(PADBATCH_EXCEPTIONS == 1);
static_assert(!made_from_braces<padbatch::unchecked_t>, "a form that validates nothing must be asked for by name");

static_assert(padbatch::detail::is_64_bit(8, 8));
static_assert(!padbatch::detail::is_64_bit(4, 4));
static_assert(!padbatch::detail::is_64_bit(4, 8), "x32 has short pointers");
static_assert(!padbatch::detail::is_64_bit(16, 8), "capabilities are larger than sizes");

// mixed_modes/ links object files of other modes and of another version into one program.
TEST_CASE("the names that the linker sees carry the version and the mode")
{
    const std::string expected =
        "v" + std::to_string(PADBATCH_VERSION_MAJOR) + "_" + std::to_string(PADBATCH_VERSION_MINOR) + "_throwing";
    const std::string name = PADBATCH_DETAIL_TEXT(PADBATCH_ABI);
    CHECK(name == expected);
    const std::string symbol = typeid(padbatch::unchecked_t).name();
    CHECK(symbol.find(expected) != std::string::npos);
}
