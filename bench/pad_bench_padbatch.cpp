// SPDX-License-Identifier: Apache-2.0
// padbatch's own variants.

#include "pad_bench.hpp"

#include <padbatch/padbatch.hpp>

#include <memory>

namespace padbatch::bench {

namespace {

/// A tag for field I of a workload; padding is the same for every field.
template <std::size_t I, std::size_t... E>
struct field_tag_of : tag<field_tag_of<I, E...>, E...> {
    static constexpr char name[] = "field";
};

template <std::size_t I, typename Rows>
struct field_for;
template <std::size_t I, typename T, std::size_t... E>
struct field_for<I, rows<T, E...>> {
    using tag = field_tag_of<I, E...>;
    using type = field<tag, T, row_extents<E...>>;
};

/// A workload as padbatch sees it: a source for each batch, and the outputs as a padded batch.
template <typename Workload, typename Fields>
struct plan;
template <typename Workload, std::size_t... I>
struct plan<Workload, std::index_sequence<I...>> {
    template <std::size_t F>
    using field_of = typename field_for<F, typename Workload::template rows_of<F>>::type;
    template <std::size_t F>
    using tag_of = typename field_of<F>::tag;
    using owner = padded<field_of<I>...>;
    using view = padded_view<field_of<I>...>;

    static auto source(const Workload& w, std::size_t batch)
    {
        return each(tag_of<I>{}(std::get<I>(w.ragged[batch]))...);
    }
    using source_type = decltype(source(std::declval<const Workload&>(), 0));

    std::vector<source_type> sources;
    std::vector<std::int32_t> counts;
    view output;

    explicit plan(const Workload& w) : counts(w.images)
    {
        for (std::size_t batch = 0; batch < w.batches(); ++batch) {
            sources.push_back(source(w, batch));
        }
        output = view(counts, w.capacity,
                      tag_of<I>{}(std::span(w.template output_of<I>(),
                                            w.field_bytes(I) / sizeof(*w.template output_of<I>())))...);
    }

    static field_pointers pointers(owner& batch) { return {batch[tag_of<I>{}].data()...}; }
};

template <typename Workload>
using plan_of = plan<Workload, std::make_index_sequence<Workload::field_count>>;

} // namespace

template <typename Workload>
pad_variants padbatch_headers::pad(const Workload& w)
{
    using plan_type = plan_of<Workload>;
    const auto p = std::make_shared<plan_type>(w);
    const auto own = std::make_shared<typename plan_type::owner>(w.images, w.capacity);
    return {writing(w, "padbatch", [p](std::size_t batch) { pad_into(p->output, p->sources[batch]); }),
            writing(w, "padbatch, unchecked",
                    [p](std::size_t batch) { pad_into(unchecked, p->output, p->sources[batch]); }),
            {"padbatch, reuse", [p, own](std::size_t batch) { pad_into(*own, p->sources[batch], padding::reuse); },
             [p, own](std::size_t batch, const see_fields& see) {
                 pad_into(*own, p->sources[batch], padding::reuse);
                 see(plan_type::pointers(*own));
             }}};
}

PADBATCH_BENCH_RAGGED(padbatch_headers);

pad_variants padbatch_headers::pad(const flat_workload& w)
{
    const std::size_t rows = w.images * w.capacity;
    const auto counts = std::make_shared<std::vector<std::int32_t>>(w.images);
    const padded_view output(*counts, w.capacity, t::boxes(std::span(reinterpret_cast<float*>(w.outputs[0]), rows * 4)),
                             t::scores(std::span(reinterpret_cast<float*>(w.outputs[1]), rows)),
                             t::labels(std::span(reinterpret_cast<std::int32_t*>(w.outputs[2]), rows)));
    const auto offsets = std::make_shared<std::vector<std::int32_t>>(w.images + 1);
    return {writing(w, "padbatch", [&w, counts, offsets, output](std::size_t batch) {
        to_offsets(counts_view(w.counts[batch], w.capacity), *offsets);
        pad_into(output, columns(w.flat[batch], flat_workload::columns, *offsets, t::boxes(cols<0, 4>),
                                 t::scores(col<4>), t::labels(col<5>).as<std::int32_t>()));
    })};
}

pad_variants padbatch_headers::pad(const struct_workload& w)
{
    const std::size_t rows = w.images * w.capacity;
    const auto counts = std::make_shared<std::vector<std::int32_t>>(w.images);
    const padded_view output(*counts, w.capacity, t::boxes(std::span(reinterpret_cast<float*>(w.outputs[0]), rows * 4)),
                             t::labels(std::span(reinterpret_cast<std::int32_t*>(w.outputs[1]), rows)),
                             t::scores(std::span(reinterpret_cast<float*>(w.outputs[2]), rows)));
    return {writing(w, "padbatch", [&w, counts, output](std::size_t batch) {
        pad_into(output, project(w.structs[batch], t::boxes(&detection::box), t::labels(&detection::label),
                                 t::scores(&detection::score)));
    })};
}

pad_variants padbatch_headers::pad_fresh(const float_masks& w)
{
    using plan_type = plan_of<float_masks>;
    const auto p = std::make_shared<plan_type>(w);
    return {making(
        "padbatch",
        [p, &w](std::size_t batch) { return padbatch::pad(p->sources[batch], capacity::fixed(w.capacity)); },
        [](const typename plan_type::owner& owner) -> field_pointers {
            return {owner[plan_type::tag_of<0>{}].data()};
        })};
}

unpad_variants padbatch_headers::unpad(const detections& w)
{
    const std::size_t rows = w.images * w.capacity;
    const auto walk = [&w, rows](std::size_t batch, auto sink) {
        const auto images =
            padbatch::unpad(w.counts[batch], w.capacity, t::boxes(std::span(w.output_of<0>(), rows * 4)),
                            t::labels(std::span(w.output_of<1>(), rows)), t::scores(std::span(w.output_of<2>(), rows)));
        for (const auto image : images) {
            sink(image[t::boxes].data(), image[t::boxes].size());
            sink(image[t::labels].data(), image[t::labels].size());
            sink(image[t::scores].data(), image[t::scores].size());
        }
    };
    return {walking("padbatch", walk)};
}

} // namespace padbatch::bench
