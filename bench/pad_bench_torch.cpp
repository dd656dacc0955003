// SPDX-License-Identifier: Apache-2.0
// libtorch on one thread. The tensors of the images are made before anything is timed. These functions make their own
// output, so each call includes that.

#include "pad_bench.hpp"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <memory>

namespace padbatch::bench {

namespace {

using tensors = std::vector<at::Tensor>;

template <typename T>
constexpr at::ScalarType type_of = c10::CppTypeToScalarType<T>::value;

// The images of all batches, `[field][batch][image]`.
template <typename... Fields>
std::shared_ptr<std::vector<std::vector<tensors>>> images_as_tensors(const ragged_workload<Fields...>& w)
{
    at::set_num_threads(1);
    auto all = std::make_shared<std::vector<std::vector<tensors>>>(sizeof...(Fields));
    for_each_field(w, [&](auto field) {
        using rows_type = typename ragged_workload<Fields...>::template rows_of<field()>;
        for (std::size_t batch = 0; batch < w.batches(); ++batch) {
            auto& images = (*all)[field()].emplace_back();
            for (std::size_t i = 0; i < w.images; ++i) {
                auto* values = const_cast<typename rows_type::element*>(std::get<field()>(w.ragged[batch])[i].data());
                const auto shape =
                    rows_type::template shape<std::int64_t>(std::array{static_cast<std::size_t>(w.counts[batch][i])});
                images.push_back(at::from_blob(values, shape, type_of<typename rows_type::element>));
            }
        }
    });
    return all;
}

// The shapes of the outputs.
template <typename... Fields>
std::vector<std::vector<std::int64_t>> output_shapes(const ragged_workload<Fields...>& w)
{
    std::vector<std::vector<std::int64_t>> shapes;
    for_each_field(w, [&](auto field) {
        using rows_type = typename ragged_workload<Fields...>::template rows_of<field()>;
        const auto shape = rows_type::template shape<std::int64_t>(std::array{w.images, w.capacity});
        shapes.emplace_back(shape.begin(), shape.end());
    });
    return shapes;
}

field_pointers where(const tensors& fields)
{
    field_pointers pointers;
    for (const auto& field : fields) {
        pointers.push_back(field.data_ptr());
    }
    return pointers;
}

at::Tensor zeros_and_copy(const tensors& images, at::IntArrayRef shape)
{
    auto out = at::zeros(shape, images[0].options());
    for (std::size_t i = 0; i < images.size(); ++i) {
        out.select(0, static_cast<std::int64_t>(i)).narrow(0, 0, images[i].size(0)).copy_(images[i]);
    }
    return out;
}

// pad_sequence pads to the longest image; the rows up to M are added afterwards.
at::Tensor pad_to_longest(const tensors& images, at::IntArrayRef shape)
{
    auto out = at::pad_sequence(images, true);
    const auto missing = shape[1] - out.size(1);
    if (missing == 0) {
        return out;
    }
    std::vector<std::int64_t> padding(2 * (shape.size() - 1)); // from the last dimension to the rows
    padding.back() = missing;
    return at::constant_pad_nd(out, padding, 0);
}

at::Tensor nested(const tensors& images, at::IntArrayRef shape)
{
    return at::nested_to_padded_tensor(at::_nested_tensor_from_tensor_list(images), 0, shape);
}

// `pad(images, shape)` makes the padded tensor of one field.
template <typename Workload, typename F>
pad_variant by_field(const Workload& w, std::string name, F pad)
{
    const auto images = images_as_tensors(w);
    const auto shapes = output_shapes(w);
    return making(
        std::move(name),
        [images, shapes, pad](std::size_t batch) {
            tensors fields;
            for (std::size_t field = 0; field < shapes.size(); ++field) {
                fields.push_back(pad((*images)[field][batch], shapes[field]));
            }
            return fields;
        },
        where);
}

} // namespace

template <typename Workload>
pad_variants libtorch::pad(const Workload& w)
{
    return {by_field(w, "torch zeros + narrow.copy_", zeros_and_copy),
            by_field(w, "torch pad_sequence", pad_to_longest), by_field(w, "torch nested.to_padded_tensor", nested)};
}

PADBATCH_BENCH_RAGGED(libtorch);

pad_variants libtorch::pad_fresh(const float_masks& w)
{
    return {by_field(w, "torch zeros + narrow.copy_", zeros_and_copy)};
}

unpad_variants libtorch::unpad(const detections& w)
{
    at::set_num_threads(1);
    const auto shapes = output_shapes(w);
    auto fields = std::make_shared<tensors>();
    for_each_field(w, [&](auto field) {
        using element = typename detections::rows_of<field()>::element;
        fields->push_back(at::from_blob(w.outputs[field()], shapes[field()], type_of<element>));
    });
    return {walking("torch select + narrow", [&w, fields](std::size_t batch, auto sink) {
        for (std::size_t i = 0; i < w.images; ++i) {
            const std::int64_t valid = w.counts[batch][i];
            for (const auto& field : *fields) {
                const auto view = field.select(0, static_cast<std::int64_t>(i)).narrow(0, 0, valid);
                sink(view.data_ptr(), static_cast<std::size_t>(view.size(0)));
            }
        }
    })};
}

} // namespace padbatch::bench
