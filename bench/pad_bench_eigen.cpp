// SPDX-License-Identifier: Apache-2.0
// Eigen's tensors: clear the output, then assign each image's rows to a slice of it.

#include "pad_bench.hpp"

#include <unsupported/Eigen/CXX11/Tensor>

namespace padbatch::bench {

namespace {

template <typename Rows>
using tensor = Eigen::Tensor<typename Rows::element, static_cast<int>(Rows::rank), Eigen::RowMajor>;

} // namespace

template <typename Workload>
pad_variants eigen::pad(const Workload& w)
{
    return {writing(w, "Eigen slice =", [&w](std::size_t batch) {
        for_each_field(w, [&](auto field) {
            using rows_type = typename Workload::template rows_of<field()>;
            using index = Eigen::Index;
            const auto shape = [](std::size_t images, std::size_t rows) {
                return rows_type::template shape<index>(std::array{images, rows});
            };
            Eigen::TensorMap<tensor<rows_type>> out(w.template output_of<field()>(), shape(w.images, w.capacity));
            out.setZero();
            for (std::size_t i = 0; i < w.images; ++i) {
                const auto count = static_cast<std::size_t>(w.counts[batch][i]);
                const auto extents = shape(1, count);
                const Eigen::TensorMap<const tensor<rows_type>> in(std::get<field()>(w.ragged[batch])[i].data(),
                                                                   extents);
                std::array<index, rows_type::rank> at{};
                at[0] = static_cast<index>(i);
                out.slice(at, extents) = in;
            }
        });
    })};
}

PADBATCH_BENCH_RAGGED(eigen);

} // namespace padbatch::bench
