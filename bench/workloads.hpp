// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_BENCH_WORKLOADS_HPP
#define PADBATCH_BENCH_WORKLOADS_HPP

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>
#include <span>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

/// What pad_bench pads: random batches, and the memory that every call writes.
///
/// Counts differ from batch to batch, but the memory does not: image i's rows begin at the same place in all batches.
/// So the caches hold what they would hold of one batch, which a program pads soon after computing it, while the branch
/// predictor cannot learn the counts.
namespace padbatch::bench {

/// Uninitialised memory that begins at a cache line.
class slab {
public:
    slab() = default;
    explicit slab(std::size_t size) : m_data(static_cast<std::byte*>(::operator new(size, alignment))), m_size(size) {}
    slab(slab&& other) noexcept : m_data(std::exchange(other.m_data, nullptr)), m_size(std::exchange(other.m_size, 0))
    {
    }
    slab& operator=(slab&& other) noexcept
    {
        std::swap(m_data, other.m_data);
        std::swap(m_size, other.m_size);
        return *this;
    }
    slab(const slab&) = delete;
    slab& operator=(const slab&) = delete;
    ~slab() { ::operator delete(m_data, alignment); }

    [[nodiscard]] std::byte* data() const { return m_data; }
    [[nodiscard]] std::size_t size() const { return m_size; }

private:
    static constexpr std::align_val_t alignment{64};

    std::byte* m_data = nullptr;
    std::size_t m_size = 0;
};

/// Where the values of each field are.
using field_pointers = std::vector<const void*>;

/// What all workloads have in common.
struct workload {
    std::string name;
    /// B.
    std::size_t images = 0;
    /// M, the rows of every image in the output.
    std::size_t capacity = 0;
    /// The bytes per row of each output field.
    std::vector<std::size_t> row_bytes;
    /// `counts[batch][image]`. Calls go through the batches in turn.
    std::vector<std::vector<std::int32_t>> counts;
    /// The limit's input: as many bytes as the valid rows of the largest batch take in the output, all fields together.
    slab packed;
    /// All output fields, `[B, M, row...]` each, one after the other. It is written once before anything is timed.
    slab output;
    /// Where each field begins in `output`, at a multiple of 64 bytes.
    std::vector<std::byte*> outputs;

    [[nodiscard]] std::size_t batches() const { return counts.size(); }
    [[nodiscard]] std::size_t field_bytes(std::size_t field) const { return images * capacity * row_bytes[field]; }
    /// Of all fields together.
    [[nodiscard]] std::size_t output_bytes() const;
    [[nodiscard]] field_pointers output_pointers() const { return {outputs.begin(), outputs.end()}; }
    [[nodiscard]] std::size_t row_count(std::size_t batch) const;
    /// The bytes of a batch's rows in the output, all fields together.
    [[nodiscard]] std::size_t valid_bytes(std::size_t batch) const;
};

/// A field's element type and the extents of its rows, which a program that pads by hand knows when it is compiled.
template <typename Element, std::size_t... Extents>
struct rows {
    using element = Element;
    /// Of `[B, M, row...]`.
    static constexpr std::size_t rank = 2 + sizeof...(Extents);
    static constexpr std::array<std::size_t, sizeof...(Extents)> extents{Extents...};
    /// Elements of a row.
    static constexpr std::size_t size = (Extents * ... * std::size_t{1});
    static constexpr std::size_t bytes = size * sizeof(Element);

    /// `leading` and the extents of a row, as integers of type Index.
    template <typename Index, std::size_t N>
    static std::array<Index, N + sizeof...(Extents)> shape(const std::array<std::size_t, N>& leading)
    {
        std::array<Index, N + sizeof...(Extents)> all{};
        for (std::size_t i = 0; i < N; ++i) {
            all[i] = static_cast<Index>(leading[i]);
        }
        for (std::size_t i = 0; i < sizeof...(Extents); ++i) {
            all[N + i] = static_cast<Index>(extents[i]);
        }
        return all;
    }
};

/// A field of one batch: for each image, its rows one after the other.
template <typename Rows>
using images_of = std::vector<std::span<const typename Rows::element>>;

/// Detections as a model's post-processing leaves them: the fields of each image in memory of their own.
template <typename... Fields>
struct ragged_workload : workload {
    static constexpr std::size_t field_count = sizeof...(Fields);
    template <std::size_t Field>
    using rows_of = std::tuple_element_t<Field, std::tuple<Fields...>>;

    /// `std::get<Field>(ragged[batch])[image]` has `counts[batch][image]` rows.
    std::vector<std::tuple<images_of<Fields>...>> ragged;
    /// Owns the rows: `std::get<Field>(storage)[image]`.
    std::tuple<std::vector<std::vector<typename Fields::element>>...> storage;

    template <std::size_t Field>
    [[nodiscard]] typename rows_of<Field>::element* output_of() const
    {
        return reinterpret_cast<typename rows_of<Field>::element*>(outputs[Field]);
    }
};

/// Calls `f(std::integral_constant<std::size_t, Field>())` for each field.
template <typename... Fields, typename F>
void for_each_field(const ragged_workload<Fields...>&, F&& f)
{
    [&]<std::size_t... Field>(std::index_sequence<Field...>) {
        (f(std::integral_constant<std::size_t, Field>()), ...);
    }(std::index_sequence_for<Fields...>());
}

/// W1 and W2: boxes, labels as torchvision has them, scores.
using detections = ragged_workload<rows<float, 4>, rows<std::int64_t>, rows<float>>;
/// W3: masks as Mask R-CNN has them before they are pasted.
using small_masks = ragged_workload<rows<float, 28, 28>>;
/// W4: masks of the image's size.
using float_masks = ragged_workload<rows<float, 800, 800>>;
/// W5.
using byte_masks = ragged_workload<rows<std::uint8_t, 640, 640>>;

/// The rows of a batch in one piece, `[n, 6]`: x1, y1, x2, y2, score, class. The outputs are boxes f32 `[B, M, 4]`,
/// scores f32 `[B, M]` and labels i32 `[B, M]`.
struct flat_workload : workload {
    static constexpr std::size_t columns = 6;
    /// `flat[batch]`; image i's rows begin after those of the images before it.
    std::vector<std::span<const float>> flat;
    /// Owns the rows.
    std::vector<float> storage;
};

struct detection {
    std::array<float, 4> box;
    std::int32_t label;
    float score;
};

/// An array of structs for each image. The outputs are boxes f32 `[B, M, 4]`, labels i32 `[B, M]` and scores f32 `[B,
/// M]`.
struct struct_workload : workload {
    /// `structs[batch][image]`.
    std::vector<std::vector<std::span<const detection>>> structs;
    /// Owns them: `storage[image]`.
    std::vector<std::vector<detection>> storage;
};

/// How big a workload is: B, M, and the range of the counts, each as likely as the others.
struct workload_size {
    std::string name;
    std::size_t images;
    std::size_t capacity;
    std::int32_t least;
    std::int32_t most;
    std::size_t batches;
};

template <typename Workload>
Workload make_ragged(const workload_size& size);
flat_workload make_flat(const workload_size& size);
struct_workload make_structs(const workload_size& size);

extern template detections make_ragged(const workload_size&);
extern template small_masks make_ragged(const workload_size&);
extern template float_masks make_ragged(const workload_size&);
extern template byte_masks make_ragged(const workload_size&);

} // namespace padbatch::bench

#endif
