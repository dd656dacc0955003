// SPDX-License-Identifier: Apache-2.0
// xtensor: clear the output, then assign each image's rows to a view of it. The adaptors of the memory are made before
// anything is timed.

#include "pad_bench.hpp"

#include <xtensor/xadapt.hpp>
#include <xtensor/xnoalias.hpp>
#include <xtensor/xtensor.hpp>
#include <xtensor/xview.hpp>

#include <algorithm>
#include <memory>

namespace padbatch::bench {

namespace {

// All the memory of a field as xtensor sees it.
template <typename Rows>
struct field_adaptors {
    using element = typename Rows::element;
    template <std::size_t N>
    static auto adapt(element* data, const std::array<std::size_t, N>& leading)
    {
        const auto shape = Rows::template shape<std::size_t>(leading);
        std::size_t size = 1;
        for (const auto extent : shape) {
            size *= extent;
        }
        return xt::adapt(data, size, xt::no_ownership(), shape);
    }
    using out_type = decltype(adapt(nullptr, std::array<std::size_t, 2>()));
    using in_type = decltype(adapt(nullptr, std::array<std::size_t, 1>()));

    out_type out;
    std::vector<std::vector<in_type>> in; // [batch][image]
};

template <typename... Fields>
auto adaptors_of(const ragged_workload<Fields...>& w)
{
    auto all = std::make_shared<std::tuple<std::unique_ptr<field_adaptors<Fields>>...>>();
    for_each_field(w, [&](auto field) {
        using adaptors = field_adaptors<typename ragged_workload<Fields...>::template rows_of<field()>>;
        auto& made = std::get<field()>(*all);
        made.reset(
            new adaptors{adaptors::adapt(w.template output_of<field()>(), std::array{w.images, w.capacity}), {}});
        for (std::size_t batch = 0; batch < w.batches(); ++batch) {
            auto& images = made->in.emplace_back();
            for (std::size_t i = 0; i < w.images; ++i) {
                const auto& values = std::get<field()>(w.ragged[batch])[i];
                images.push_back(adaptors::adapt(const_cast<typename adaptors::element*>(values.data()),
                                                 std::array{static_cast<std::size_t>(w.counts[batch][i])}));
            }
        }
    });
    return all;
}

// Calls `assign(view, rows)` for each image and field.
template <typename Workload, typename Adaptors, typename F>
void assign_rows(const Workload& w, Adaptors& adaptors, std::size_t batch, F assign)
{
    for_each_field(w, [&](auto field) {
        auto& [out, in] = *std::get<field()>(adaptors);
        out.fill(0);
        for (std::size_t i = 0; i < w.images; ++i) {
            assign(xt::view(out, i, xt::range(0, w.counts[batch][i])), in[batch][i]);
        }
    });
}

} // namespace

template <typename Workload>
pad_variants xtensor::pad(const Workload& w)
{
    const auto adaptors = adaptors_of(w);
    return {writing(w, "xtensor view =",
                    [&w, adaptors](std::size_t batch) {
                        assign_rows(w, *adaptors, batch, [](auto view, const auto& rows) { view = rows; });
                    }),
            writing(w, "xtensor noalias(view) =", [&w, adaptors](std::size_t batch) {
                assign_rows(w, *adaptors, batch, [](auto view, const auto& rows) { xt::noalias(view) = rows; });
            })};
}

PADBATCH_BENCH_RAGGED(xtensor);

pad_variants xtensor::pad(const flat_workload& w)
{
    return {writing(w, "xtensor noalias(view) =", [&w](std::size_t batch) {
        const std::array rows{w.images, w.capacity};
        auto boxes = field_adaptors<bench::rows<float, 4>>::adapt(reinterpret_cast<float*>(w.outputs[0]), rows);
        auto scores = field_adaptors<bench::rows<float>>::adapt(reinterpret_cast<float*>(w.outputs[1]), rows);
        auto labels =
            field_adaptors<bench::rows<std::int32_t>>::adapt(reinterpret_cast<std::int32_t*>(w.outputs[2]), rows);
        const auto in = field_adaptors<bench::rows<float, flat_workload::columns>>::adapt(
            const_cast<float*>(w.flat[batch].data()), std::array{w.row_count(batch)});
        boxes.fill(0);
        scores.fill(0);
        labels.fill(0);
        std::int32_t begin = 0;
        for (std::size_t i = 0; i < w.images; ++i) {
            const auto count = w.counts[batch][i];
            // A view takes only ranges that are not const.
            const auto from = [&] { return xt::range(begin, begin + count); };
            const auto to = [&] { return xt::range(0, count); };
            xt::noalias(xt::view(boxes, i, to())) = xt::view(in, from(), xt::range(0, 4));
            xt::noalias(xt::view(scores, i, to())) = xt::view(in, from(), 4);
            xt::noalias(xt::view(labels, i, to())) = xt::cast<std::int32_t>(xt::view(in, from(), 5));
            begin += count;
        }
    })};
}

} // namespace padbatch::bench
