// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_DETECTION_DETAIL_BOX_PAIRS_HPP
#define PADBATCH_DETECTION_DETAIL_BOX_PAIRS_HPP

#include <padbatch/detail/simd.hpp>
#include <padbatch/detection/detail/box_vector.hpp>

#include <cstddef>
#include <cstring>

namespace padbatch::inline PADBATCH_ABI::detail {

/// How two boxes are compared.
enum class pair_measure { iou, giou };

/// Some boxes as one array for each coordinate, which is what vectors of several boxes need. Behind the last box there
/// are zeros, up to a whole vector.
struct box_tile {
    static constexpr std::size_t widest = 8;
    /// Small enough for the stack and the fastest cache.
    static constexpr std::size_t most = 256;

    alignas(32) float x1[most];
    alignas(32) float y1[most];
    alignas(32) float x2[most];
    alignas(32) float y2[most];
    alignas(32) float area[most];

    /// Takes `n` boxes, at most `most`; `read(j, box)` sets four floats.
    template <class Read>
    void load(std::size_t n, const Read& read) noexcept
    {
        for (std::size_t j = 0; j < (n + widest - 1) / widest * widest; ++j) {
            float box[4] = {};
            if (j < n) {
                read(j, box);
            }
            x1[j] = box[0];
            y1[j] = box[1];
            x2[j] = box[2];
            y2[j] = box[3];
            area[j] = (box[2] - box[0]) * (box[3] - box[1]);
        }
    }
};

// The measures of one box and the first n of a tile. This is a macro because arithmetic on vectors has to stand in the
// very function that is compiled for them (see simd.hpp), once for each width.
//
// Of a box with NaN the area is NaN, and so are the union and the result. That is why the comparisons need not keep
// NaN, as torch.max and torch.min do. Differences of infinities are NaN, which stays: it is not below zero.
#define PADBATCH_DETAIL_PAIR_KERNEL(NAME, BYTES, ...)                                                                  \
    struct NAME {                                                                                                      \
        typedef float vector __attribute__((vector_size(BYTES)));                                                      \
                                                                                                                       \
        template <pair_measure Measure>                                                                                \
        __VA_ARGS__ static void run(float* out, const float* box, const box_tile& tile, std::size_t n) noexcept        \
        {                                                                                                              \
            const vector zero = {};                                                                                    \
            const vector ax1 = box[0] - zero;                                                                          \
            const vector ay1 = box[1] - zero;                                                                          \
            const vector ax2 = box[2] - zero;                                                                          \
            const vector ay2 = box[3] - zero;                                                                          \
            vector area = (ax2 - ax1) * (ay2 - ay1);                                                                   \
            PADBATCH_DETAIL_ROUND(area);                                                                               \
            for (std::size_t j = 0; j < n; j += BYTES / sizeof(float)) {                                               \
                vector x1, y1, x2, y2, area_b;                                                                         \
                std::memcpy(&x1, tile.x1 + j, BYTES);                                                                  \
                std::memcpy(&y1, tile.y1 + j, BYTES);                                                                  \
                std::memcpy(&x2, tile.x2 + j, BYTES);                                                                  \
                std::memcpy(&y2, tile.y2 + j, BYTES);                                                                  \
                std::memcpy(&area_b, tile.area + j, BYTES);                                                            \
                vector w = (ax2 < x2 ? ax2 : x2) - (ax1 > x1 ? ax1 : x1);                                              \
                vector h = (ay2 < y2 ? ay2 : y2) - (ay1 > y1 ? ay1 : y1);                                              \
                w = zero > w ? zero : w;                                                                               \
                h = zero > h ? zero : h;                                                                               \
                vector inter = w * h;                                                                                  \
                PADBATCH_DETAIL_ROUND(inter);                                                                          \
                const vector all = area + area_b - inter;                                                              \
                vector result = inter / all;                                                                           \
                if constexpr (Measure == pair_measure::giou) {                                                         \
                    w = (ax2 > x2 ? ax2 : x2) - (ax1 < x1 ? ax1 : x1);                                                 \
                    h = (ay2 > y2 ? ay2 : y2) - (ay1 < y1 ? ay1 : y1);                                                 \
                    w = zero > w ? zero : w;                                                                           \
                    h = zero > h ? zero : h;                                                                           \
                    vector hull = w * h;                                                                               \
                    PADBATCH_DETAIL_ROUND(hull);                                                                       \
                    result = result - (hull - all) / hull;                                                             \
                }                                                                                                      \
                if (n - j >= BYTES / sizeof(float)) {                                                                  \
                    std::memcpy(out + j, &result, BYTES);                                                              \
                } else {                                                                                               \
                    std::memcpy(out + j, &result, (n - j) * sizeof(float));                                            \
                }                                                                                                      \
            }                                                                                                          \
        }                                                                                                              \
    }

PADBATCH_DETAIL_PAIR_KERNEL(pair_kernel_16, 16, );
#if PADBATCH_DETAIL_HAS_AVX2
PADBATCH_DETAIL_PAIR_KERNEL(pair_kernel_32, 32, __attribute__((target("avx2"))));
#endif
#undef PADBATCH_DETAIL_PAIR_KERNEL

using pair_row = void (*)(float* out, const float* box, const box_tile& tile, std::size_t n);

/// The kernel for this processor.
template <pair_measure Measure>
[[nodiscard]] inline pair_row choose_pair_row() noexcept
{
#if PADBATCH_DETAIL_HAS_AVX2
    if (__builtin_cpu_supports("avx2")) {
        return &pair_kernel_32::run<Measure>;
    }
#endif
    return &pair_kernel_16::run<Measure>;
}

/// The matrix `[n, m]` of all pairs. `read_a(i, box)` and `read_b(j, box)` set four floats. Reads the boxes of `b`
/// once, those of `a` once for each 256 of `b`, and writes each result once.
template <pair_measure Measure, class ReadA, class ReadB>
void measure_pairs(float* out, std::size_t n, std::size_t m, const ReadA& read_a, const ReadB& read_b) noexcept
{
    const pair_row row = choose_pair_row<Measure>();
    box_tile tile;
    for (std::size_t first = 0; first < m; first += box_tile::most) {
        const std::size_t size = m - first < box_tile::most ? m - first : box_tile::most;
        tile.load(size, [&](std::size_t j, float (&box)[4]) { read_b(first + j, box); });
        for (std::size_t i = 0; i < n; ++i) {
            float box[4];
            read_a(i, box);
            row(out + i * m + first, box, tile, size);
        }
    }
}

} // namespace padbatch::inline PADBATCH_ABI::detail

#endif
