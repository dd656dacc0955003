// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_ADAPTERS_EIGEN_TENSOR_HPP
#define PADBATCH_ADAPTERS_EIGEN_TENSOR_HPP

// A header of its own, because Eigen's tensors cost a third more to include than its matrices.

#include <padbatch/adapters/eigen.hpp>
#include <padbatch/padded_view.hpp>

#include <unsupported/Eigen/CXX11/Tensor>

#include <cstddef>
#include <type_traits>

namespace padbatch::inline PADBATCH_ABI::eigen {

/// The type that `tensor_map` returns for elements of `T`: row-major, like padbatch's memory, so that its expressions
/// only mix with other row-major tensors.
template <class T, std::size_t Rank>
using tensor_map_type = Eigen::TensorMap<padbatch::detail::copy_const<
    T, Eigen::Tensor<std::remove_const_t<padbatch::detail::to_eigen<T>>, static_cast<int>(Rank), Eigen::RowMajor>>>;

/// One whole field of a padded batch as an `Eigen::TensorMap`, without a copy: `tensor_map(batch[t::boxes])` is
/// `[B, M, 4]`, `tensor_map(batch[t::scores])` `[B, M]`. It includes padding rows. Read-only where the field is.
template <class T, class E>
[[nodiscard]] tensor_map_type<T, 2 + E::rank> tensor_map(const padded_field<T, E>& field) noexcept
{
    static_assert(element<T>, "the elements of a tensor must be numbers");
    const auto shape = field.shape();
    Eigen::array<Eigen::Index, 2 + E::rank> dimensions{};
    for (std::size_t k = 0; k < shape.size(); ++k) {
        dimensions[k] = static_cast<Eigen::Index>(shape[k]);
    }
    return {reinterpret_cast<padbatch::detail::to_eigen<T>*>(field.data()), dimensions};
}

} // namespace padbatch::inline PADBATCH_ABI::eigen

#endif
