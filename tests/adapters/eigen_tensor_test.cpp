// SPDX-License-Identifier: Apache-2.0
#include <padbatch/adapters/eigen/tensor.hpp>
#include <padbatch/padded.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <type_traits>
#include <utility>

using namespace padbatch;

TEST_CASE("a whole field is a tensor map")
{
    padded<boxes<>, scores<>, labels<>> batch(2, 3);
    for (std::size_t i = 0; i < batch[t::boxes].size(); ++i) {
        batch[t::boxes].data()[i] = static_cast<float>(i);
    }
    auto tensor = eigen::tensor_map(batch[t::boxes]);
    static_assert(std::is_same_v<decltype(tensor), Eigen::TensorMap<Eigen::Tensor<float, 3, Eigen::RowMajor>>>);
    CHECK(tensor.data() == batch[t::boxes].data());
    CHECK(tensor.dimension(0) == 2);
    CHECK(tensor.dimension(1) == 3);
    CHECK(tensor.dimension(2) == 4);
    CHECK(tensor(1, 2, 3) == 23);
    CHECK(eigen::tensor_map(batch[t::scores]).dimensions().size() == 2);

    auto read_only = eigen::tensor_map(std::as_const(batch)[t::labels]);
    static_assert(
        std::is_same_v<decltype(read_only), Eigen::TensorMap<const Eigen::Tensor<std::int64_t, 2, Eigen::RowMajor>>>);
    static_assert(std::is_const_v<std::remove_pointer_t<decltype(read_only.data())>>);
    CHECK(read_only.data() == batch[t::labels].data());
}

TEST_CASE("16-bit numbers are Eigen's in a tensor map")
{
    padded<boxes<float16>, scores<bfloat16>> batch(1, 2);
    batch[t::boxes](0, 1)[2] = float16(0.5F);
    batch[t::scores](0, 1) = bfloat16(-2.0F);
    auto tensor = eigen::tensor_map(batch[t::boxes]);
    static_assert(std::is_same_v<decltype(tensor), Eigen::TensorMap<Eigen::Tensor<Eigen::half, 3, Eigen::RowMajor>>>);
    CHECK(float(tensor(0, 1, 2)) == 0.5F);
    CHECK(float(eigen::tensor_map(batch[t::scores])(0, 1)) == -2.0F);
}
