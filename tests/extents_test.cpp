#include <padbatch/extents.hpp>

#include <doctest/doctest.h>

#include <array>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

using padbatch::element_count;

namespace {

constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();

std::int64_t count(const std::vector<std::int64_t>& extents)
{
    return element_count(extents);
}

} // namespace

TEST_CASE("the number of elements is the product of the extents")
{
    CHECK(count({}) == 1);
    CHECK(count({7}) == 7);
    CHECK(count({2, 100, 4}) == 800);
    CHECK(count({2, 0, 4}) == 0);
    CHECK(count({most}) == most);
    CHECK(count({std::int64_t{1} << 31, (std::int64_t{1} << 31) - 1, 2}) == ((std::int64_t{1} << 31) - 1) << 32);
}

TEST_CASE("a product above 2^63 - 1 is an error that names the extents")
{
    for (const auto& extents : {std::vector<std::int64_t>{most, 2},
                                {std::int64_t{1} << 32, std::int64_t{1} << 31},
                                {std::int64_t{1} << 32, 0, std::int64_t{1} << 31}}) {
        try {
            (void)count(extents);
            FAIL("no error");
        } catch (const padbatch::error& e) {
            CHECK(e.code() == padbatch::errc::size_overflow);
            CHECK(std::string(e.what()).find(std::to_string(extents.front())) != std::string::npos);
        }
    }
}
