// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/plan/output_bytes.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

using namespace padbatch::onnx_tools;
using padbatch::element_type;

namespace {

using strings = std::vector<std::string>;

const dimension open_batch{{}, "batch"};
const dimension open_rows{{}, "max_detections"};
const dimension height{{}, "height"};
const dimension width{{}, "width"};
constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();

} // namespace

TEST_CASE("bytes are those of the elements")
{
    const auto boxes = count_bytes(element_type::float32, {{2, ""}, {7, ""}, {4, ""}}, {});
    REQUIRE(boxes);
    CHECK(boxes->known == 2 * 7 * 4 * 4);
    CHECK(boxes->total == boxes->known);
    CHECK(boxes->factors.empty());
    CHECK(count_bytes(element_type::int64, {{3, ""}}, {})->total == 24);
    CHECK(count_bytes(element_type::float16, {{3, ""}}, {})->total == 6);
    CHECK(count_bytes(element_type::boolean, {}, {})->total == 1); // no dimensions: one element
}

TEST_CASE("open extents are factors, and an open batch counts as one image")
{
    const auto labels = count_bytes(element_type::int64, {open_batch, {5, ""}}, {});
    REQUIRE(labels);
    CHECK(labels->known == 5 * 8);
    CHECK(labels->factors == strings{"batch"});
    CHECK(labels->total == 5 * 8);

    const auto of_batch = count_bytes(element_type::float32, {open_batch, open_rows, {4, ""}}, {});
    REQUIRE(of_batch);
    CHECK(of_batch->known == 4 * 4);
    CHECK(of_batch->factors == strings{"batch", "max_detections"});
    CHECK_FALSE(of_batch->total);
}

TEST_CASE("open extents of masks are those of the image, where it is known")
{
    const std::vector<dimension> shape{{2, ""}, {5, ""}, {1, ""}, height, width};
    const auto unknown = count_bytes(element_type::float32, shape, {});
    REQUIRE(unknown);
    CHECK(unknown->known == 2 * 5 * 4);
    CHECK_FALSE(unknown->total);

    const auto known = count_bytes(element_type::float32, shape, image_extents{64, 80});
    REQUIRE(known);
    CHECK(known->known == 2 * 5 * 4);
    CHECK(known->factors == strings{"height", "width"});
    CHECK(known->total == 2 * 5 * 4 * 64 * 80);
    // Only what is open has the extent of the image, each its own.
    CHECK(count_bytes(element_type::uint8, {{2, ""}, {5, ""}, {28, ""}, width}, image_extents{64, 80})->total ==
          2 * 5 * 28 * 80);
    CHECK(count_bytes(element_type::uint8, {{2, ""}, {5, ""}, height, {28, ""}}, image_extents{64, 80})->total ==
          2 * 5 * 64 * 28);
    // Another open extent is not the image's.
    CHECK_FALSE(
        count_bytes(element_type::uint8, {{2, ""}, open_rows, {1, ""}, height, width}, image_extents{64, 80})->total);
}

TEST_CASE("more bytes than 2^63 - 1 are not counted")
{
    CHECK(count_bytes(element_type::uint8, {{most, ""}}, {})->total == most);
    CHECK_FALSE(count_bytes(element_type::float16, {{most, ""}}, {}));
    CHECK_FALSE(count_bytes(element_type::uint8, {{std::int64_t{1} << 32, ""}, {std::int64_t{1} << 31, ""}}, {}));
    // The extents of the image count as well, and what is open is at least one.
    const std::vector<dimension> masks{{1, ""}, {std::int64_t{1} << 50, ""}, height, width};
    CHECK(count_bytes(element_type::uint8, masks, {}));
    CHECK_FALSE(count_bytes(element_type::uint8, masks, image_extents{1 << 7, 1 << 6}));
    CHECK(count_bytes(element_type::uint8, masks, image_extents{1 << 6, 1 << 6})->total == std::int64_t{1} << 62);
}

TEST_CASE("nothing has no bytes, however large the rest would be")
{
    const auto none = count_bytes(element_type::float32, {{2, ""}, {0, ""}, {4, ""}}, {});
    REQUIRE(none);
    CHECK(none->known == 0);
    CHECK(none->total == 0);
    for (const auto& shape : {std::vector<dimension>{{0, ""}, {most, ""}, {most, ""}},
                              std::vector<dimension>{{most, ""}, {most, ""}, {0, ""}}}) {
        const auto bytes = count_bytes(element_type::float32, shape, {});
        REQUIRE(bytes);
        CHECK(bytes->known == 0);
        CHECK(bytes->total == 0);
    }
}
