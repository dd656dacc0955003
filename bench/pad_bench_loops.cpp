// SPDX-License-Identifier: Apache-2.0
// What people write by hand, and the limits that everything is compared with.

#include "pad_bench.hpp"
#include "streaming.hpp"

#include <cstdlib>
#include <memory>
#include <stdexcept>

namespace padbatch::bench {

pad_variants limits(const workload& w)
{
    const auto total = w.output_bytes();
    std::vector<std::size_t> valid; // of each batch
    for (std::size_t batch = 0; batch < w.batches(); ++batch) {
        valid.push_back(w.valid_bytes(batch));
    }
    pad_variants variants{writing(w, "limit: memcpy + memset", [&w, total, valid](std::size_t batch) {
        std::memcpy(w.output.data(), w.packed.data(), valid[batch]);
        std::memset(w.output.data() + valid[batch], 0, total - valid[batch]);
        keep(w.output.data());
    })};
    if (streaming::available) {
        variants.push_back(writing(w, "limit, non-temporal", [&w, total, valid](std::size_t batch) {
            streaming::copy(w.output.data(), w.packed.data(), valid[batch]);
            streaming::clear(w.output.data() + valid[batch], total - valid[batch]);
        }));
    }
    return variants;
}

namespace {

// Writes an image's rows of one field and clears the others.
template <typename Rows>
void pad_image(typename Rows::element* out, std::span<const typename Rows::element> values, std::size_t capacity)
{
    if (!values.empty()) {
        std::memcpy(out, values.data(), values.size() * sizeof(values[0]));
    }
    std::memset(out + values.size(), 0, capacity * Rows::bytes - values.size() * sizeof(values[0]));
}

template <typename Rows>
void copy_images(typename Rows::element* out, const images_of<Rows>& images, std::size_t capacity)
{
    for (std::size_t i = 0; i < images.size(); ++i) {
        if (!images[i].empty()) {
            std::memcpy(out + i * capacity * Rows::size, images[i].data(), images[i].size() * sizeof(images[i][0]));
        }
    }
}

// Image by image, all fields of an image at once, which is better than field by field.
template <typename... Fields>
void pad_once(const ragged_workload<Fields...>& w, std::size_t batch)
{
    for (std::size_t i = 0; i < w.images; ++i) {
        for_each_field(w, [&](auto field) {
            using rows_type = typename ragged_workload<Fields...>::template rows_of<field()>;
            pad_image<rows_type>(w.template output_of<field()>() + i * w.capacity * rows_type::size,
                                 std::get<field()>(w.ragged[batch])[i], w.capacity);
        });
    }
}

template <typename... Fields>
void clear_then_copy(const ragged_workload<Fields...>& w, std::size_t batch)
{
    for_each_field(w, [&](auto field) {
        using rows_type = typename ragged_workload<Fields...>::template rows_of<field()>;
        std::memset(w.outputs[field()], 0, w.field_bytes(field()));
        copy_images<rows_type>(w.template output_of<field()>(), std::get<field()>(w.ragged[batch]), w.capacity);
    });
}

} // namespace

template <typename Workload>
pad_variants loops::pad(const Workload& w)
{
    return {writing(w, "loop, each byte once", [&w](std::size_t batch) { pad_once(w, batch); }),
            writing(w, "memset all, then copy", [&w](std::size_t batch) { clear_then_copy(w, batch); })};
}

PADBATCH_BENCH_RAGGED(loops);

pad_variants loops::pad(const flat_workload& w)
{
    return {writing(w, "loop, each byte once", [&w](std::size_t batch) {
        const float* in = w.flat[batch].data();
        auto* boxes = reinterpret_cast<float*>(w.outputs[0]);
        auto* scores = reinterpret_cast<float*>(w.outputs[1]);
        auto* labels = reinterpret_cast<std::int32_t*>(w.outputs[2]);
        for (const auto count : w.counts[batch]) {
            const auto valid = static_cast<std::size_t>(count);
            for (std::size_t row = 0; row < valid; ++row, in += flat_workload::columns) {
                std::memcpy(boxes + 4 * row, in, 4 * sizeof(float));
                scores[row] = in[4];
                labels[row] = static_cast<std::int32_t>(in[5]);
            }
            std::memset(boxes + 4 * valid, 0, (w.capacity - valid) * 4 * sizeof(float));
            std::memset(scores + valid, 0, (w.capacity - valid) * sizeof(float));
            std::memset(labels + valid, 0, (w.capacity - valid) * sizeof(std::int32_t));
            boxes += 4 * w.capacity;
            scores += w.capacity;
            labels += w.capacity;
        }
    })};
}

pad_variants loops::pad(const struct_workload& w)
{
    return {writing(w, "loop, each byte once", [&w](std::size_t batch) {
        auto* boxes = reinterpret_cast<float*>(w.outputs[0]);
        auto* labels = reinterpret_cast<std::int32_t*>(w.outputs[1]);
        auto* scores = reinterpret_cast<float*>(w.outputs[2]);
        for (const auto& image : w.structs[batch]) {
            const auto valid = image.size();
            for (std::size_t row = 0; row < valid; ++row) {
                std::memcpy(boxes + 4 * row, image[row].box.data(), sizeof(image[row].box));
                labels[row] = image[row].label;
                scores[row] = image[row].score;
            }
            std::memset(boxes + 4 * valid, 0, (w.capacity - valid) * 4 * sizeof(float));
            std::memset(labels + valid, 0, (w.capacity - valid) * sizeof(std::int32_t));
            std::memset(scores + valid, 0, (w.capacity - valid) * sizeof(float));
            boxes += 4 * w.capacity;
            labels += w.capacity;
            scores += w.capacity;
        }
    })};
}

// --- new outputs in each call ---------------------------------------------------------------------------------------

namespace {

struct free_memory {
    void operator()(void* memory) const { std::free(memory); }
};
using malloced = std::unique_ptr<void, free_memory>;

malloced checked(void* memory)
{
    if (memory == nullptr) {
        throw std::bad_alloc();
    }
    return malloced(memory);
}

field_pointers where(const malloced& memory)
{
    return {memory.get()};
}

} // namespace

pad_variants loops::pad_fresh(const float_masks& w)
{
    using rows_type = float_masks::rows_of<0>;
    const auto copy = [&w](void* out, std::size_t batch) {
        copy_images<rows_type>(static_cast<float*>(out), std::get<0>(w.ragged[batch]), w.capacity);
    };
    return {writing(w, "into memory used before", [&w](std::size_t batch) { pad_once(w, batch); }),
            making(
                "malloc, memset, copy",
                [&w, copy](std::size_t batch) {
                    auto out = checked(std::malloc(w.output_bytes()));
                    std::memset(out.get(), 0, w.output_bytes());
                    copy(out.get(), batch);
                    return out;
                },
                where),
            making(
                "calloc, copy",
                [&w, copy](std::size_t batch) {
                    auto out = checked(std::calloc(w.output_bytes(), 1));
                    copy(out.get(), batch);
                    return out;
                },
                where)};
}

// --- views ----------------------------------------------------------------------------------------------------------

unpad_variants loops::unpad(const detections& w)
{
    return {walking("loop", [&w](std::size_t batch, auto sink) {
        const auto* boxes = w.output_of<0>();
        const auto* labels = w.output_of<1>();
        const auto* scores = w.output_of<2>();
        for (const auto count : w.counts[batch]) {
            const auto valid = static_cast<std::size_t>(count);
            sink(boxes, valid);
            sink(labels, valid);
            sink(scores, valid);
            boxes += 4 * w.capacity;
            labels += w.capacity;
            scores += w.capacity;
        }
    })};
}

} // namespace padbatch::bench
