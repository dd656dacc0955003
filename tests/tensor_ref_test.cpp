// SPDX-License-Identifier: Apache-2.0
#include <padbatch/tensor_ref.hpp>

#include <tests/support/check_status.hpp>

#include <doctest/doctest.h>

#include <array>
#include <cstdint>
#include <span>
#include <type_traits>
#include <vector>

using namespace padbatch;

// Memory that may be written becomes memory that may only be read, not back.
static_assert(std::is_convertible_v<tensor_ref, const_tensor_ref>);
static_assert(!std::is_convertible_v<const_tensor_ref, tensor_ref>);
static_assert(std::is_constructible_v<tensor_ref, float*, std::span<const std::int64_t>>);
static_assert(std::is_constructible_v<const_tensor_ref, const float*, std::span<const std::int64_t>>);
static_assert(!std::is_constructible_v<tensor_ref, const float*, std::span<const std::int64_t>>);
static_assert(std::is_trivially_copyable_v<tensor_ref>);

namespace {

using numbers = std::vector<std::int64_t>;

const_tensor_ref make(const numbers& shape, device where = device::host)
{
    static const float memory[1] = {};
    return {memory, element_type::float32, std::span<const std::int64_t>(shape), where};
}
const_tensor_ref make(const numbers& shape, const numbers& strides)
{
    static const float memory[1] = {};
    return {memory, element_type::float32, std::span<const std::int64_t>(shape),
            std::span<const std::int64_t>(strides)};
}

numbers as_vector(std::span<const std::int64_t> values)
{
    return {values.begin(), values.end()};
}

/// What `check_tensor` says of a float tensor of which `leading` extents are known.
status check(const const_tensor_ref& tensor, const numbers& leading, std::size_t rank)
{
    return detail::check_tensor(tensor, "boxes", element_type::float32, leading, rank);
}

constexpr std::int64_t two_40 = std::int64_t{1} << 40;

} // namespace

TEST_CASE("a tensor in row-major order knows its shape, strides, type and where it lies")
{
    float memory[24] = {};
    const std::int32_t shape[] = {2, 3, 4};
    const tensor_ref tensor(memory, std::span<const std::int32_t>(shape));
    CHECK(tensor.data() == memory);
    CHECK(tensor.type() == element_type::float32);
    CHECK(tensor.device() == device::host);
    CHECK(tensor.rank() == 3);
    CHECK(as_vector(tensor.shape()) == numbers{2, 3, 4});
    CHECK(as_vector(tensor.strides()) == numbers{12, 4, 1});
    CHECK(tensor.is_contiguous());

    const const_tensor_ref read = tensor;
    CHECK(read.data() == memory);
    CHECK(as_vector(read.shape()) == numbers{2, 3, 4});
    CHECK(as_vector(read.strides()) == numbers{12, 4, 1});
    CHECK(const_tensor_ref(tensor_ref(memory, element_type::int8, std::span<const std::int32_t>(shape), device::cuda))
              .device() == device::cuda);
}

TEST_CASE("a tensor of nothing is no memory and a shape without extents")
{
    const tensor_ref none;
    CHECK(none.data() == nullptr);
    CHECK(none.rank() == 0);
    CHECK(none.shape().empty());
    CHECK(none.is_contiguous());
}

TEST_CASE("a tensor is contiguous when its elements lie one after the other")
{
    CHECK(make({2, 3}, numbers{3, 1}).is_contiguous());
    CHECK_FALSE(make({2, 3}, numbers{1, 2}).is_contiguous());
    CHECK_FALSE(make({2, 3}, numbers{4, 1}).is_contiguous());
    CHECK_FALSE(make({2, 3}, numbers{6, 2}).is_contiguous());
    CHECK_FALSE(make({2, 3}, numbers{0, 1}).is_contiguous());
    CHECK_FALSE(make({2, 3}, numbers{-3, 1}).is_contiguous());
    CHECK(make({}, numbers{}).is_contiguous());
}

TEST_CASE("the stride of an extent of 1 does not matter")
{
    CHECK(make({2, 1, 3}, numbers{3, 99, 1}).is_contiguous());
    CHECK(make({1, 3}, numbers{-7, 1}).is_contiguous());
    CHECK(make({3, 1}, numbers{1, 0}).is_contiguous());
    CHECK_FALSE(make({2, 1, 3}, numbers{4, 3, 1}).is_contiguous());
}

TEST_CASE("a tensor without elements is contiguous, whatever its strides")
{
    CHECK(make({2, 0}, numbers{9, 7}).is_contiguous());
    CHECK(make({0, 2}, numbers{9, 7}).is_contiguous());
    CHECK(make({2, 0, 4}, numbers{9, 9, 9}).is_contiguous());
    CHECK(make({0, 5, 4}).is_contiguous());
}

TEST_CASE("a shape of more extents than there is room for is accepted by nothing, also when it becomes const")
{
    const numbers shape(9, 1);
    float memory[1] = {};
    const tensor_ref deep(memory, std::span<const std::int64_t>(shape));
    CHECK(deep.rank() == 9);
    CHECK(deep.shape().empty());
    CHECK(const_tensor_ref(deep).rank() == 9);
    for (std::size_t rank = 0; rank <= 9; ++rank) {
        CAPTURE(rank);
        CHECK(check(deep, {}, rank).code() == status_code::wrong_shape);
    }
    CHECK(make(numbers(8, 1)).shape().size() == 8);
}

TEST_CASE("a tensor is checked for its device, type, rank, extents and gaps, in words that name it")
{
    using padbatch::test::check_status;
    CHECK(check(make({2, 3, 4}), {2, 3}, 3).ok());
    CHECK(check(make({2, 3, 0}), {2, 3}, 3).ok());
    CHECK(check(make({2, 3, 4}), {}, 3).ok());
    check_status(check(make({2, 3, 4}, device::cuda), {2, 3}, 3), status_code::device_memory, {"boxes", "device"});
    check_status(check(make({2, 3, 4}, device::other), {2, 3}, 3), status_code::device_memory, {"boxes"});
    check_status(detail::check_tensor(make({2, 3}), "labels", element_type::int64, {}, 2), status_code::wrong_type,
                 {"labels", "float32", "int64"});
    check_status(check(make({2, 3, 4}), {2, 3}, 2), status_code::wrong_shape,
                 {"boxes", "[2, 3, 4]", "2 extents", "[2, 3]"});
    check_status(check(make({2, 3}), {2, 3}, 3), status_code::wrong_shape, {"[2, 3]", "3 extents"});
    check_status(check(make({2, 5, 4}), {2, 3}, 3), status_code::wrong_shape, {"[2, 5, 4]", "[2, 3]"});
    check_status(check(make({2, 3, 4}, numbers{24, 8, 2}), {2, 3}, 3), status_code::wrong_shape,
                 {"[2, 3, 4]", "[24, 8, 2]", "row-major"});
}

TEST_CASE("an extent below zero is a wrong shape, wherever it stands")
{
    CHECK(check(make({2, 3, -4}), {2, 3}, 3).code() == status_code::wrong_shape);
    CHECK(check(make({-2, 3, 4}), {}, 3).code() == status_code::wrong_shape);
    CHECK(check(make({-2, 3, 4}), {-2, 3}, 3).code() == status_code::wrong_shape);
}

TEST_CASE("a shape whose size no number can hold is an error")
{
    CHECK(check(make({two_40, two_40, 2}), {}, 3).code() == status_code::size_overflow);
    CHECK(check(make({2, two_40, two_40}), {}, 3).code() == status_code::size_overflow);
    CHECK_FALSE(make({2, two_40, two_40}, numbers{1, 1, 1}).is_contiguous());
}

TEST_CASE("a shape whose bytes no number can hold is an error")
{
    CHECK(check(make({std::int64_t{1} << 62}), {}, 1).code() == status_code::size_overflow);
}

TEST_CASE("only a tensor without elements may be at no address")
{
    const numbers shape = {2, 3};
    const numbers empty = {0, 3};
    padbatch::test::check_status(
        check(const_tensor_ref(nullptr, element_type::float32, std::span<const std::int64_t>(shape)), {}, 2),
        status_code::size_mismatch, {"boxes", "[2, 3]", "null"});
    CHECK(check(const_tensor_ref(nullptr, element_type::float32, std::span<const std::int64_t>(empty)), {}, 2).ok());
}
