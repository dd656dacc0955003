// SPDX-License-Identifier: Apache-2.0
#include <padbatch/detection/image_size.hpp>

#include <tests/support/check_status.hpp>

#include <doctest/doctest.h>

#include <cstdint>

using namespace padbatch;
using padbatch::test::check_status;

TEST_CASE("an image_size is height and width, of integers of any type")
{
    const int rows = 480;
    const std::int64_t columns = 640;
    const image_size size{rows, columns};
    CHECK(size.height == 480);
    CHECK(size.width == 640);
    CHECK(size == image_size{480U, std::uint8_t{128} * 5});
    CHECK(size != image_size{640, 480});
    CHECK(image_size() == image_size{0, 0});
    static_assert(image_size{2, 3}.width == 3);
}

TEST_CASE("a size that no image has is refused")
{
    check_status(detail::check_image_size({1, 0x7FFFFFFF}, 1, "an image"), status_code::none);
    check_status(detail::check_image_size({0, 0}, 0, "an image"), status_code::none);
    check_status(detail::check_image_size({0, 5}, 1, "an image"), status_code::bad_argument,
                 {"an image is 0 pixels high and 5 wide", "from 1 to 2147483647"});
    check_status(detail::check_image_size({5, -1}, 0, "the target"), status_code::bad_argument, {"the target"});
    check_status(detail::check_image_size({0x80000000U, 1}, 0, "the target"), status_code::bad_argument,
                 {"2147483648"});
}
