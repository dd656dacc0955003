// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_BENCH_PAD_BENCH_HPP
#define PADBATCH_BENCH_PAD_BENCH_HPP

#include "workloads.hpp"

#include <functional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace padbatch::bench {

/// Makes the compiler assume that the value, and all memory, is read.
template <typename T>
inline void keep(const T& value)
{
    if constexpr (std::is_scalar_v<T>) {
        __asm__ volatile("" : : "r"(value) : "memory");
    } else {
        __asm__ volatile("" : : "r"(&value) : "memory");
    }
}

// --- one way to pad -------------------------------------------------------------------------------------------------

using see_fields = std::function<void(const field_pointers&)>;

struct pad_variant {
    /// Names of padbatch's variants begin with "padbatch".
    std::string name;
    /// Pads a batch. Only this is timed.
    std::function<void(std::size_t batch)> run;
    /// Pads a batch and shows where the values of each field are.
    std::function<void(std::size_t batch, const see_fields& see)> show;
};

/// A variant that writes the workload's own outputs.
template <typename F>
pad_variant writing(const workload& w, std::string name, F pad)
{
    return {std::move(name), pad, [&w, pad](std::size_t batch, const see_fields& see) {
                pad(batch);
                see(w.output_pointers());
            }};
}

/// A variant that makes new outputs in each call: `pad(batch)` returns what owns them, and `where(owner)` says where
/// the fields are. The time includes freeing them.
template <typename F, typename Where>
pad_variant making(std::string name, F pad, Where where)
{
    return {std::move(name),
            [pad](std::size_t batch) {
                const auto owner = pad(batch);
                keep(owner);
            },
            [pad, where](std::size_t batch, const see_fields& see) {
                const auto owner = pad(batch);
                see(where(owner));
            }};
}

// --- one way to unpad -----------------------------------------------------------------------------------------------

/// An image's rows of one field.
struct row_view {
    const void* data;
    std::size_t rows;
    /// The address does not matter if there are no rows.
    friend bool operator==(const row_view& a, const row_view& b)
    {
        return a.rows == b.rows && (a.rows == 0 || a.data == b.data);
    }
};

struct unpad_variant {
    std::string name;
    std::function<void(std::size_t batch)> run;
    /// The views of a batch: image by image, the fields of an image in order.
    std::function<std::vector<row_view>(std::size_t batch)> views;
};

/// `walk(batch, sink)` goes through the workload's outputs and calls `sink(pointer, rows)` for every view. Each view is
/// made, but nothing is done with it.
template <typename F>
unpad_variant walking(std::string name, F walk)
{
    return {
        std::move(name),
        [walk](std::size_t batch) {
            walk(batch, [](const void* data, std::size_t count) { __asm__ volatile("" : : "r"(data), "r"(count)); });
        },
        [walk](std::size_t batch) {
            std::vector<row_view> views;
            walk(batch, [&](const void* data, std::size_t count) { views.push_back({data, count}); });
            return views;
        }};
}

// --- the libraries that pad, each in a file of its own ---------------------------------------------------------------

using pad_variants = std::vector<pad_variant>;
using unpad_variants = std::vector<unpad_variant>;

/// Plain loops. The results of all other variants are compared with those of the first one.
struct loops {
    template <typename Workload>
    static pad_variants pad(const Workload& w);
    static pad_variants pad(const flat_workload& w);
    static pad_variants pad(const struct_workload& w);
    /// Outputs made anew in each call.
    static pad_variants pad_fresh(const float_masks& w);
    static unpad_variants unpad(const detections& w);
};

struct padbatch_headers {
    template <typename Workload>
    static pad_variants pad(const Workload& w);
    static pad_variants pad(const flat_workload& w);
    static pad_variants pad(const struct_workload& w);
    static pad_variants pad_fresh(const float_masks& w);
    static unpad_variants unpad(const detections& w);
};

struct xtensor {
    template <typename Workload>
    static pad_variants pad(const Workload& w);
    static pad_variants pad(const flat_workload& w);
};

struct eigen {
    template <typename Workload>
    static pad_variants pad(const Workload& w);
};

#ifdef PADBATCH_BENCH_TORCH
struct libtorch {
    template <typename Workload>
    static pad_variants pad(const Workload& w);
    static pad_variants pad_fresh(const float_masks& w);
    static unpad_variants unpad(const detections& w);
};
#endif

/// Instantiates `who::pad` for the ragged workloads.
#define PADBATCH_BENCH_RAGGED(who)                                                                                     \
    template pad_variants who::pad(const detections&);                                                                 \
    template pad_variants who::pad(const small_masks&);                                                                \
    template pad_variants who::pad(const float_masks&);                                                                \
    template pad_variants who::pad(const byte_masks&)

/// One memcpy of a batch's valid bytes and one memset of its padding; then the same with non-temporal stores, where the
/// processor has them.
pad_variants limits(const workload& w);

// --- comparing and reporting ----------------------------------------------------------------------------------------

struct run_options {
    /// 0 means as many as the workload says.
    int rounds = 0;
    /// If not empty, only the limits and the variants whose names contain this run.
    std::string only;
};

/// Checks that all variants agree with the first one, times them and the limits side by side, and prints a table.
/// Throws std::runtime_error if a result is wrong.
void compare(const workload& w, pad_variants variants, int rounds, const run_options& options);
/// The same for views, without a limit to compare with.
void compare(const workload& w, unpad_variants variants, int rounds, const run_options& options);

} // namespace padbatch::bench

#endif
