// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_DETECTION_PARALLEL_HPP
#define PADBATCH_DETECTION_PARALLEL_HPP

#include <padbatch/config.hpp>

#include <type_traits>

namespace padbatch::inline PADBATCH_ABI {

/// The caller's own loop over the images of a batch; made by `parallel`.
template <class Loop>
struct parallel_t {
    Loop loop;
};

/// Lets an operation on a batch use the caller's threads: `loop(n, body)` calls `body(i)` once for each i from 0 to
/// n - 1, in any order, on any threads, and returns when all calls have. No thread is started here. With OpenMP:
///
///     parallel([](std::size_t n, auto& body) {
///     #pragma omp parallel for
///         for (std::size_t i = 0; i < n; ++i) body(i);
///     })
///
/// Everything that can fail has been checked, and all memory is there, before `loop` is called; `body` does not throw.
/// Each body has scratch memory of its own, in the one workspace of the call. If the loop itself throws or skips a
/// body, images that are changed in place stay as they are where there was no body; a batch that is made anew has no
/// rows, or rows of unspecified values, for them.
template <class Loop>
[[nodiscard]] constexpr parallel_t<Loop> parallel(Loop&& loop)
{
    return {static_cast<Loop&&>(loop)};
}

namespace detail {

template <class T>
inline constexpr bool is_parallel = false;
template <class Loop>
inline constexpr bool is_parallel<parallel_t<Loop>> = true;

} // namespace detail

} // namespace padbatch::inline PADBATCH_ABI

#endif
